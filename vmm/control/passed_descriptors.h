// Descriptors that a QMP client has sent along with a command (SCM_RIGHTS), by the names that getfd gave them.
#pragma once

#include <functional>
#include <map>
#include <string>

#include "core/base/fd.h"
#include "core/base/result.h"

namespace vmm::control {

class PassedDescriptors {
 public:
  static constexpr std::size_t kMostNamed = 64;

  // The last one that came; an earlier one without a name is closed.
  void offer(core::Fd descriptor) { unnamed_ = std::move(descriptor); }
  // Takes the place of another of this name.
  core::Result<> name(const std::string& name);
  // Invalid: there is none of this name.
  core::Fd take(const std::string& name);

 private:
  core::Fd unnamed_;
  std::map<std::string, core::Fd, std::less<>> named_;
};

}  // namespace vmm::control
