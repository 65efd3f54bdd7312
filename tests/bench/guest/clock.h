// Time by the TSC, whose frequency is found with the ACPI power management timer of a PIIX4. [ACPI 6.5, 4.8.3.3]
#pragma once

#include <cstdint>

#include "tests/bench/guest/pci.h"
#include "tests/guest/bare/bare.h"

namespace bench {

inline std::uint64_t ticks() {
  std::uint32_t low, high;
  asm volatile("rdtsc" : "=a"(low), "=d"(high)::"memory");
  return std::uint64_t{high} << 32 | low;
}

// TSC ticks of a millisecond.
inline std::uint64_t calibrate() {
  constexpr std::uint64_t kTimerHz = 3'579'545;
  constexpr std::uint32_t kTimerMask = 0xff'ffff;
  constexpr std::uint32_t kDuration = kTimerHz / 5;
  const PciFunction power_management{1, 3};
  const auto port = static_cast<std::uint16_t>((power_management.config(0x40) & 0xffc0) + 8);
  const auto begun = bare::in32(port);
  const auto begun_ticks = ticks();
  std::uint32_t passed = 0;
  while (passed < kDuration)
    passed = (bare::in32(port) - begun) & kTimerMask;
  return (ticks() - begun_ticks) * kTimerHz / (std::uint64_t{passed} * 1000);
}

}  // namespace bench
