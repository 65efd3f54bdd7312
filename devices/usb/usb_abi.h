// What every USB device and host share. [USB] Universal Serial Bus 2.0, chapters 8, 9 and 11
#pragma once

#include <cstdint>

#include "core/base/endian.h"

namespace devices::usb::abi {

// [USB 9.3]
struct Setup {
  std::uint8_t request_type;
  std::uint8_t request;
  core::le16 value;
  core::le16 index;
  core::le16 length;
};
static_assert(sizeof(Setup) == 8);

// [USB table 9-2] bmRequestType
constexpr std::uint8_t kToHost = 0x80;
constexpr std::uint8_t kTypeMask = 0x60;
constexpr std::uint8_t kStandard = 0x00;
constexpr std::uint8_t kClass = 0x20;
constexpr std::uint8_t kRecipientMask = 0x1f;
constexpr std::uint8_t kToDevice = 0;
constexpr std::uint8_t kToInterface = 1;
constexpr std::uint8_t kToEndpoint = 2;
constexpr std::uint8_t kToOther = 3;  // a hub's port

// [USB table 9-4]
constexpr std::uint8_t GET_STATUS = 0;
constexpr std::uint8_t CLEAR_FEATURE = 1;
constexpr std::uint8_t SET_FEATURE = 3;
constexpr std::uint8_t SET_ADDRESS = 5;
constexpr std::uint8_t GET_DESCRIPTOR = 6;
constexpr std::uint8_t GET_CONFIGURATION = 8;
constexpr std::uint8_t SET_CONFIGURATION = 9;
constexpr std::uint8_t GET_INTERFACE = 10;
constexpr std::uint8_t SET_INTERFACE = 11;

// [USB table 9-5] and of classes
constexpr std::uint8_t DEVICE = 1;
constexpr std::uint8_t CONFIGURATION = 2;
constexpr std::uint8_t STRING = 3;
constexpr std::uint8_t INTERFACE = 4;
constexpr std::uint8_t ENDPOINT = 5;
constexpr std::uint8_t DEVICE_QUALIFIER = 6;
constexpr std::uint8_t OTHER_SPEED_CONFIGURATION = 7;
constexpr std::uint8_t HID = 0x21;
constexpr std::uint8_t REPORT = 0x22;
constexpr std::uint8_t HUB = 0x29;

// [USB table 9-6]
constexpr std::uint16_t ENDPOINT_HALT = 0;
constexpr std::uint16_t DEVICE_REMOTE_WAKEUP = 1;

// [USB table 9-10] bmAttributes of a configuration
constexpr std::uint8_t kBusPowered = 0x80;
constexpr std::uint8_t kSelfPowered = 0xc0;
constexpr std::uint8_t kRemoteWakeup = 0x20;

// [USB table 9-13] bEndpointAddress, bmAttributes
constexpr std::uint8_t kInEndpoint = 0x80;
constexpr std::uint8_t kBulk = 2;
constexpr std::uint8_t kInterrupt = 3;

constexpr unsigned kEndpoints = 16;
constexpr std::uint8_t kMaxAddress = 127;
constexpr std::uint16_t kEnglish = 0x0409;

}  // namespace devices::usb::abi
