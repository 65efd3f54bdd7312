// ioctl(2) as KVM uses it, and its structures that end in a counted array.
#pragma once

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <sys/ioctl.h>
#include <vector>

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

// A kernel structure `Head` followed by `count` of `Element`.
template <class Head, class Element>
class Counted {
 public:
  explicit Counted(std::size_t count) : storage_((sizeof(Head) + count * sizeof(Element) + 7) / 8), count_(count) {}

  Head* head() { return reinterpret_cast<Head*>(storage_.data()); }
  std::span<Element> elements() {
    auto* first = reinterpret_cast<std::uint8_t*>(storage_.data()) + sizeof(Head);
    return {reinterpret_cast<Element*>(first), count_};
  }

 private:
  std::vector<std::uint64_t> storage_;
  std::size_t count_;
};

}  // namespace vmm::cpu::kvm
