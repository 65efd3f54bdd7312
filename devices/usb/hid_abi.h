// [HID] Device Class Definition for Human Interface Devices 1.11
#pragma once

#include <cstdint>

namespace devices::usb::abi::hid {

constexpr std::uint8_t kClass = 3;

// [HID 4.2, 4.3]
constexpr std::uint8_t kBootSubclass = 1;
constexpr std::uint8_t kKeyboardProtocol = 1;
constexpr std::uint8_t kMouseProtocol = 2;

// [HID 7.2]
constexpr std::uint8_t GET_REPORT = 1;
constexpr std::uint8_t GET_IDLE = 2;
constexpr std::uint8_t GET_PROTOCOL = 3;
constexpr std::uint8_t SET_REPORT = 9;
constexpr std::uint8_t SET_IDLE = 10;
constexpr std::uint8_t SET_PROTOCOL = 11;

constexpr std::uint8_t kInputReport = 1;
constexpr std::uint8_t kOutputReport = 2;
constexpr std::uint8_t kReportProtocol = 1;
constexpr unsigned kIdleUnit_ms = 4;  // [HID 7.2.4]

}  // namespace devices::usb::abi::hid
