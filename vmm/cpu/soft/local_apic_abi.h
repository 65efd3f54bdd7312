// Registers of the local APIC: offsets in its page, and bits. [SDM 3A 11.4.1 table 11-1]
#pragma once

#include <cstdint>

namespace vmm::cpu::soft::apic {

constexpr std::uint32_t kId = 0x20, kVersion = 0x30, kTpr = 0x80, kApr = 0x90, kPpr = 0xa0, kEoi = 0xb0, kLdr = 0xd0,
                        kDfr = 0xe0, kSvr = 0xf0, kIsr = 0x100, kTmr = 0x180, kIrr = 0x200, kEsr = 0x280,
                        kIcrLow = 0x300, kIcrHigh = 0x310, kLvtTimer = 0x320, kLvtThermal = 0x330,
                        kLvtPerformance = 0x340, kLvtLint0 = 0x350, kLvtLint1 = 0x360, kLvtError = 0x370,
                        kInitialCount = 0x380, kCurrentCount = 0x390, kDivide = 0x3e0, kSelfIpi = 0x3f0;
// Ours, in a paragraph that is reserved: errors that no write of ESR has shown yet.
constexpr std::uint32_t kHiddenErrors = 0x290;

// [SDM 3A 11.4.8] an integrated APIC with six LVT entries.
constexpr std::uint32_t kVersionValue = 0x0005'0014;
// [SDM 3A 11.9] spurious interrupt vector register.
constexpr std::uint32_t kSvrEnable = 1u << 8;
// [SDM 3A 11.5.1] local vector table.
constexpr std::uint32_t kLvtVector = 0xff, kLvtPinLevel = 1u << 15, kLvtMasked = 1u << 16, kLvtPeriodic = 1u << 17,
                        kLvtTscDeadline = 1u << 18;
constexpr std::uint32_t kLvtMode = 7u << 8;
constexpr std::uint32_t kLvtStatus = 1u << 12;
// [SDM 3A 11.5.3] error status register.
constexpr std::uint32_t kErrorSendVector = 1u << 5, kErrorReceiveVector = 1u << 6, kErrorRegister = 1u << 7;
// [SDM 3A 11.6.1] interrupt command register.
constexpr std::uint32_t kIcrLogical = 1u << 11, kIcrAssert = 1u << 14, kIcrLevel = 1u << 15;

constexpr std::uint32_t kMsrBase = 0x1b, kMsrTscDeadline = 0x6e0, kMsrX2apic = 0x800;

}  // namespace vmm::cpu::soft::apic
