// A seccomp filter: made once, taken on by any number of threads.
#pragma once

#include <linux/filter.h>
#include <span>
#include <vector>

#include "core/base/result.h"
#include "vmm/sandbox/system_calls.h"

namespace vmm::sandbox {

class Filter {
 public:
  // Allows `allowed`, lets `refused` fail, and kills the process at everything else.
  static core::Result<Filter> create(std::span<const SystemCalls> allowed, std::span<const RefusedCall> refused);

  // For the calling thread and those that it starts, for good. Filters add up: a call must pass each of them. The
  // thread has no_new_privs set.
  core::Result<> install() const;

 private:
  explicit Filter(std::vector<sock_filter> program) : program_(std::move(program)) {}
  std::vector<sock_filter> program_;
};

}  // namespace vmm::sandbox
