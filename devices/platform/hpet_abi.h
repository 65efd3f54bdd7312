// Registers of the high precision event timers. [IA-PC HPET 1.0a, 2.3] All are 64 bits wide.
#pragma once

#include <cstdint>

namespace devices::platform::hpet_abi {

constexpr std::uint64_t kBase = 0xfed00000;
constexpr std::uint64_t kSize = 0x400;
constexpr unsigned kTimers = 3;

constexpr std::uint32_t GCAP_ID = 0x000;
constexpr std::uint32_t GEN_CONF = 0x010;
constexpr std::uint32_t GINTR_STA = 0x020;
constexpr std::uint32_t MAIN_CNT = 0x0f0;
constexpr std::uint32_t TIM_CONF = 0x100;  // of timer 0, and so on
constexpr std::uint32_t TIM_COMP = 0x108;
constexpr std::uint32_t kTimerStride = 0x20;
constexpr std::uint32_t kRegistersEnd = TIM_CONF + kTimers * kTimerStride;

// GCAP_ID [2.3.4]
constexpr std::uint64_t kPeriodFemtoseconds = 10'000'000;  // 100 MHz
constexpr std::uint64_t COUNT_SIZE_CAP = 1 << 13;          // the main counter has 64 bits
constexpr std::uint64_t LEG_RT_CAP = 1 << 15;
constexpr std::uint64_t kRevision = 0x01;
constexpr std::uint64_t kVendor = 0x8086;
constexpr std::uint64_t kCapabilities =
    kPeriodFemtoseconds << 32 | kVendor << 16 | LEG_RT_CAP | COUNT_SIZE_CAP | (kTimers - 1) << 8 | kRevision;

// GEN_CONF [2.3.5]
constexpr std::uint64_t ENABLE_CNF = 1 << 0;
constexpr std::uint64_t LEG_RT_CNF = 1 << 1;

// TIMn_CONF [2.3.8]
constexpr std::uint64_t INT_TYPE_CNF = 1 << 1;  // level
constexpr std::uint64_t INT_ENB_CNF = 1 << 2;
constexpr std::uint64_t TYPE_CNF = 1 << 3;  // periodic
constexpr std::uint64_t PER_INT_CAP = 1 << 4;
constexpr std::uint64_t SIZE_CAP = 1 << 5;  // 64 bits
constexpr std::uint64_t VAL_SET_CNF = 1 << 6;
constexpr std::uint64_t MODE32_CNF = 1 << 8;
constexpr unsigned kRouteShift = 9;
constexpr unsigned kRouteBits = 5;
constexpr std::uint64_t INT_ROUTE_CNF = std::uint64_t{0x1f} << kRouteShift;
constexpr unsigned kRouteCapShift = 32;

}  // namespace devices::platform::hpet_abi
