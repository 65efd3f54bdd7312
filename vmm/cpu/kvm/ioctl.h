// ioctl(2) as KVM uses it.
#pragma once

#include <cerrno>
#include <sys/ioctl.h>

#include "core/base/result.h"

namespace vmm::cpu::kvm {

// -1 with errno set, or what the call answers. Repeats calls that a signal interrupted.
template <class Argument>
int kvm_ioctl(int fd, unsigned long request, Argument argument) {
  int answer = 0;
  do {
    answer = ::ioctl(fd, request, argument);
  } while (answer < 0 && errno == EINTR);
  return answer;
}

// Set-up calls: the name of the request for the error.
template <class Argument>
core::Result<> checked_ioctl(int fd, unsigned long request, Argument argument, const char* name) {
  if (kvm_ioctl(fd, request, argument) < 0) return core::fail("KVM refused {}: {}", name, core::errno_text());
  return {};
}

}  // namespace vmm::cpu::kvm
