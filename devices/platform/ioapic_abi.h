// 82093AA I/O APIC registers. [82093AA 290566-001, 3.0] [PIIX4; EOI register: ICH 10.5]
#pragma once

#include <cstdint>

namespace devices::platform::ioapic_abi {

constexpr std::uint64_t kBase = 0xfec00000;
constexpr std::uint64_t kSize = 0x1000;

// MMIO
constexpr std::uint64_t kSelect = 0x00;
constexpr std::uint64_t kWindow = 0x10;
constexpr std::uint64_t kEoi = 0x40;

// Behind the window
constexpr std::uint8_t kId = 0x00;
constexpr std::uint8_t kVersion = 0x01;
constexpr std::uint8_t kArbitration = 0x02;
constexpr std::uint8_t kRedirection = 0x10;  // two words a pin

constexpr std::uint32_t kVersionWithEoi = 0x20;
constexpr unsigned kIdShift = 24;
constexpr std::uint8_t kIdMask = 0x0f;

// Redirection table entry [3.2.4]
constexpr unsigned kDeliveryModeShift = 8;
constexpr std::uint64_t kDeliveryModeMask = 7;
constexpr unsigned kLogicalDestinationBit = 11;
constexpr std::uint64_t kDeliveryStatus = std::uint64_t{1} << 12;
constexpr std::uint64_t kRemoteIrr = std::uint64_t{1} << 14;
constexpr std::uint64_t kLevelTrigger = std::uint64_t{1} << 15;
constexpr std::uint64_t kMasked = std::uint64_t{1} << 16;
constexpr unsigned kDestinationShift = 56;
constexpr std::uint64_t kReadOnly = kDeliveryStatus | kRemoteIrr;
constexpr std::uint64_t kWritable = 0xff00'0000'0001'ffff & ~kReadOnly;

constexpr unsigned kFixed = 0;
constexpr unsigned kLowestPriority = 1;

// What a pin sends. [SDM 3A 11.11]
constexpr std::uint64_t kMsiAddress = 0xfee00000;
constexpr unsigned kMsiDestinationShift = 12;
constexpr unsigned kMsiLogicalBit = 2;
constexpr std::uint32_t kMsiLevelTrigger = 1 << 15;

}  // namespace devices::platform::ioapic_abi
