// [BOT] Universal Serial Bus Mass Storage Class, Bulk-Only Transport 1.0
#pragma once

#include <cstdint>

#include "core/base/endian.h"

namespace devices::usb::abi::storage {

constexpr std::uint8_t kClass = 8;
constexpr std::uint8_t kScsiSubclass = 6;
constexpr std::uint8_t kBulkOnly = 0x50;

// [BOT 3.1, 3.2]
constexpr std::uint8_t RESET = 0xff;
constexpr std::uint8_t GET_MAX_LUN = 0xfe;

// [BOT 5.1] command block wrapper
struct CommandWrapper {
  core::le32 signature;
  core::le32 tag;
  core::le32 data_length;
  std::uint8_t flags;
  std::uint8_t lun;
  std::uint8_t command_length;
  std::uint8_t command[16];
};
static_assert(sizeof(CommandWrapper) == 31);
constexpr std::uint32_t kCommandSignature = 0x4342'5355;
constexpr std::uint8_t kDataIn = 0x80;

// [BOT 5.2] command status wrapper
struct StatusWrapper {
  core::le32 signature;
  core::le32 tag;
  core::le32 residue;
  std::uint8_t status;
};
static_assert(sizeof(StatusWrapper) == 13);
constexpr std::uint32_t kStatusSignature = 0x5342'5355;
enum class Status : std::uint8_t { Passed = 0, Failed = 1, PhaseError = 2 };

}  // namespace devices::usb::abi::storage
