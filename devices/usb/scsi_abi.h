// Commands of a SCSI disk. [SPC] SCSI Primary Commands 3, [SBC] SCSI Block Commands 2
#pragma once

#include <cstdint>

namespace devices::usb::abi::scsi {

constexpr std::uint8_t TEST_UNIT_READY = 0x00;
constexpr std::uint8_t REQUEST_SENSE = 0x03;
constexpr std::uint8_t READ_6 = 0x08;
constexpr std::uint8_t WRITE_6 = 0x0a;
constexpr std::uint8_t INQUIRY = 0x12;
constexpr std::uint8_t MODE_SENSE_6 = 0x1a;
constexpr std::uint8_t START_STOP_UNIT = 0x1b;
constexpr std::uint8_t PREVENT_ALLOW_MEDIUM_REMOVAL = 0x1e;
constexpr std::uint8_t READ_FORMAT_CAPACITIES = 0x23;  // [MMC 6.24], which Windows asks sticks for
constexpr std::uint8_t READ_CAPACITY_10 = 0x25;
constexpr std::uint8_t READ_10 = 0x28;
constexpr std::uint8_t WRITE_10 = 0x2a;
constexpr std::uint8_t VERIFY_10 = 0x2f;
constexpr std::uint8_t SYNCHRONIZE_CACHE_10 = 0x35;
constexpr std::uint8_t MODE_SENSE_10 = 0x5a;
constexpr std::uint8_t READ_16 = 0x88;
constexpr std::uint8_t WRITE_16 = 0x8a;
constexpr std::uint8_t SYNCHRONIZE_CACHE_16 = 0x91;
constexpr std::uint8_t SERVICE_ACTION_IN_16 = 0x9e;
constexpr std::uint8_t READ_CAPACITY_16 = 0x10;  // its service action
constexpr std::uint8_t REPORT_LUNS = 0xa0;
constexpr std::uint8_t READ_12 = 0xa8;
constexpr std::uint8_t WRITE_12 = 0xaa;

constexpr std::uint8_t kCachingPage = 0x08;  // [SBC 6.3.3]
constexpr std::uint8_t kAllPages = 0x3f;

// [SPC 4.5.6, 4.5.7] sense key, and additional code with its qualifier
struct Sense {
  std::uint8_t key;
  std::uint16_t code;
};
constexpr Sense kNoSense{0, 0};
constexpr Sense kUnrecoveredRead{3, 0x1100};
constexpr Sense kWriteError{3, 0x0c00};
constexpr Sense kInvalidCommand{5, 0x2000};
constexpr Sense kOutOfRange{5, 0x2100};
constexpr Sense kInvalidField{5, 0x2400};
constexpr Sense kWriteProtected{7, 0x2700};

constexpr std::uint32_t kBlock = 512;
constexpr std::size_t kLongestCdb = 16;

}  // namespace devices::usb::abi::scsi
