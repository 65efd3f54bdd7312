#include "vmm/cpu/soft/platform.h"

#include <array>
#include <sys/random.h>

namespace vmm::cpu::soft {

// A system call a number would be slow for guests that read many.
bool Platform::random(std::uint64_t& value) {
  static constexpr std::size_t kNumbers = 32;  // as many as getrandom() always gives at once
  thread_local std::array<std::uint64_t, kNumbers> pool{};
  thread_local std::size_t left = 0;
  if (left == 0) {
    if (::getrandom(pool.data(), sizeof pool, 0) != static_cast<ssize_t>(sizeof pool)) return false;
    left = kNumbers;
  }
  value = pool[--left];
  return true;
}

}  // namespace vmm::cpu::soft
