// The guest's own loads from and stores to its RAM, at any address. Devices write there from threads of their own, and
// what a guest makes of bytes that it reads too early is its business, as on any PC: the thread sanitizer does not
// look.
#pragma once

#include <cstdint>
#include <cstring>

namespace vmm::cpu::soft {

#ifdef __SANITIZE_THREAD__
#define MINIVMM_GUEST_RAM [[gnu::noinline, gnu::no_sanitize_thread]]
#else
#define MINIVMM_GUEST_RAM
#endif

template <class T>
MINIVMM_GUEST_RAM inline T load_ram(const std::uint8_t* host) {
  T value;
  std::memcpy(&value, host, sizeof value);
  return value;
}
template <class T>
MINIVMM_GUEST_RAM inline void store_ram(std::uint8_t* host, T value) {
  std::memcpy(host, &value, sizeof value);
}

#undef MINIVMM_GUEST_RAM

}  // namespace vmm::cpu::soft
