// What the process may ask of the kernel once it is set up: every thread the system calls of its kind and no other, no
// privilege gained by anything it runs, and, if told so, another user's rights.
//
// Main thread. create() comes before any other thread, seal() when all files are open and before the guest runs.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>

#include "core/base/result.h"
#include "core/base/thread_start.h"
#include "vmm/sandbox/filter.h"
#include "vmm/sandbox/user.h"

namespace vmm::sandbox {

struct SandboxConfig {
  bool filters = true;
  std::string user;  // see find_user(); empty: as it is
};

class Sandbox {
 public:
  static core::Result<Sandbox> create(const SandboxConfig& config);

  // Threads begun so take on the filter of their kind as they begin. If they cannot, the process ends.
  core::ThreadStart thread_start() const;

  // The other user's rights, and the main thread's filter.
  core::Result<> seal() const;

 private:
  using Filters = std::map<core::ThreadKind, Filter>;
  Sandbox(std::shared_ptr<const Filters> filters, std::optional<User> user)
      : filters_(std::move(filters)), user_(std::move(user)) {}

  std::shared_ptr<const Filters> filters_;  // null: without
  std::optional<User> user_;
};

}  // namespace vmm::sandbox
