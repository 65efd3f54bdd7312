// [PCI 3.0 6] configuration space of a type 0 function.
#pragma once

#include <cstdint>

namespace core::inline pci::abi {

constexpr std::uint32_t kConfigSize = 256;

// [PCI 3.0 6.1, figure 6-1]
constexpr std::uint32_t kVendorId = 0x00;
constexpr std::uint32_t kDeviceId = 0x02;
constexpr std::uint32_t kCommand = 0x04;
constexpr std::uint32_t kStatus = 0x06;
constexpr std::uint32_t kRevision = 0x08;
constexpr std::uint32_t kClassCode = 0x09;
constexpr std::uint32_t kCacheLineSize = 0x0c;
constexpr std::uint32_t kLatencyTimer = 0x0d;
constexpr std::uint32_t kHeaderType = 0x0e;
constexpr std::uint32_t kBar0 = 0x10;
constexpr std::uint32_t kSubsystemVendorId = 0x2c;
constexpr std::uint32_t kSubsystemId = 0x2e;
constexpr std::uint32_t kRomBar = 0x30;
constexpr std::uint32_t kCapabilities = 0x34;
constexpr std::uint32_t kInterruptLine = 0x3c;
constexpr std::uint32_t kInterruptPin = 0x3d;

// [PCI 3.0 6.2.2] Command
constexpr std::uint16_t kCommandIo = 1 << 0;
constexpr std::uint16_t kCommandMemory = 1 << 1;
constexpr std::uint16_t kCommandBusMaster = 1 << 2;
constexpr std::uint16_t kCommandParity = 1 << 6;
constexpr std::uint16_t kCommandSerr = 1 << 8;
constexpr std::uint16_t kCommandIntxDisable = 1 << 10;

// [PCI 3.0 6.2.3] Status
constexpr std::uint16_t kStatusIntx = 1 << 3;
constexpr std::uint16_t kStatusCapabilities = 1 << 4;
constexpr std::uint16_t kStatusFastBackToBack = 1 << 7;
constexpr std::uint16_t kStatusDevselMedium = 1 << 9;
constexpr std::uint16_t kStatusErrors = 0xf900;  // write 1 to clear

// [PCI 3.0 6.2.5] BAR low bits
constexpr std::uint32_t kBarIo = 1 << 0;
constexpr std::uint32_t kBar64 = 2 << 1;
constexpr std::uint32_t kBarPrefetch = 1 << 3;
constexpr std::uint32_t kRomEnable = 1 << 0;

constexpr std::uint32_t kFirstCapability = 0x40;  // behind the header [PCI 3.0 6.7]

constexpr std::uint8_t kMultiFunction = 0x80;  // [PCI 3.0 6.2.1] Header Type

}  // namespace core::inline pci::abi
