// The PCI transport of virtio devices. [virtio 1.2, 4.1]
#pragma once

#include <cstdint>

namespace devices::virtio::abi {

// [4.1.2] PCI identity
constexpr std::uint16_t kVendor = 0x1af4;
constexpr std::uint16_t kModernDevice = 0x1040;  // plus the device type
constexpr std::uint16_t kSubsystemModern = 0x1100;

// [2.1] Device status
constexpr std::uint8_t kDriverOk = 4;
constexpr std::uint8_t kFeaturesOk = 8;
constexpr std::uint8_t kNeedsReset = 64;

// [6] Feature bits that are not of a device type
constexpr unsigned kAnyLayout = 27;  // legacy [6.3]
constexpr unsigned kIndirectDesc = 28;
constexpr unsigned kEventIndex = 29;
constexpr unsigned kVersion1 = 32;

// [4.1.4.5] ISR status
constexpr std::uint8_t kIsrQueue = 1;
constexpr std::uint8_t kIsrConfig = 2;

// [4.1.5.1.2] No vector mapped
constexpr std::uint16_t kNoVector = 0xffff;

// [4.1.4] Capabilities: vendor-specific, told apart by cfg_type
constexpr std::uint8_t kVendorCapability = 0x09;
constexpr std::uint8_t kCommonCfg = 1;
constexpr std::uint8_t kNotifyCfg = 2;
constexpr std::uint8_t kIsrCfg = 3;
constexpr std::uint8_t kDeviceCfg = 4;
constexpr std::uint8_t kPciCfg = 5;
constexpr std::uint32_t kCapLength = 2;
constexpr std::uint32_t kCapType = 3;
constexpr std::uint32_t kCapBar = 4;
constexpr std::uint32_t kCapOffset = 8;
constexpr std::uint32_t kCapSize = 12;
constexpr std::uint32_t kCapExtra = 16;  // notify_off_multiplier, or pci_cfg_data

// The BARs, as QEMU numbers them, and what lies where in the modern one.
constexpr unsigned kLegacyBar = 0;
constexpr unsigned kMsixBar = 1;
constexpr unsigned kModernBar = 4;
constexpr std::uint64_t kModernBarBytes = 0x4000;
constexpr std::uint32_t kRegionBytes = 0x1000;
constexpr std::uint32_t kCommonRegion = 0x0000;
constexpr std::uint32_t kIsrRegion = 0x1000;
constexpr std::uint32_t kDeviceRegion = 0x2000;
constexpr std::uint32_t kNotifyRegion = 0x3000;
constexpr std::uint32_t kNotifyMultiplier = 4;

// [4.1.4.3] Common configuration structure
constexpr std::uint32_t kCommonBytes = 64;

// [4.1.4.10] Legacy registers
constexpr std::uint64_t kLegacyHostFeatures = 0;
constexpr std::uint64_t kLegacyGuestFeatures = 4;
constexpr std::uint64_t kLegacyQueueAddress = 8;  // in pages
constexpr std::uint64_t kLegacyQueueSize = 12;
constexpr std::uint64_t kLegacyQueueSelect = 14;
constexpr std::uint64_t kLegacyQueueNotify = 16;
constexpr std::uint64_t kLegacyStatus = 18;
constexpr std::uint64_t kLegacyIsr = 19;
constexpr std::uint64_t kLegacyConfig = 20;        // the device's, without MSI-X
constexpr std::uint64_t kLegacyConfigVector = 20;  // with MSI-X
constexpr std::uint64_t kLegacyQueueVector = 22;
constexpr std::uint64_t kLegacyMsixConfig = 24;

}  // namespace devices::virtio::abi
