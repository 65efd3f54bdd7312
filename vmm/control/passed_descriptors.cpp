#include "vmm/control/passed_descriptors.h"

#include <utility>

namespace vmm::control {

core::Result<> PassedDescriptors::name(const std::string& name) {
  if (!unnamed_.valid()) return core::fail("No file descriptor supplied via SCM_RIGHTS");
  auto descriptor = std::exchange(unnamed_, core::Fd());
  if (!name.empty() && name[0] >= '0' && name[0] <= '9') {
    return core::fail("Parameter 'fdname' expects a name not starting with a digit");
  }
  if (named_.size() >= kMostNamed && !named_.contains(name)) {
    return core::fail("{} file descriptors have names already; closefd frees one", kMostNamed);
  }
  named_[name] = std::move(descriptor);
  return {};
}

core::Fd PassedDescriptors::take(const std::string& name) {
  const auto found = named_.find(name);
  if (found == named_.end()) return {};
  auto descriptor = std::move(found->second);
  named_.erase(found);
  return descriptor;
}

}  // namespace vmm::control
