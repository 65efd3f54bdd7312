// 8254 timer and port 61h. [8254 data sheet, 231164-005] [PIIX4 4.2.2, 4.2.7]
#pragma once

#include <cstdint>

namespace devices::platform::pit_abi {

constexpr std::uint16_t kPort = 0x40;  // counters 0..2, then the control word
constexpr std::uint16_t kSystemPort = 0x61;
constexpr std::int64_t kFrequency = 1'193'182;  // Hz

// Control word: bits 7:6 counter, 5:4 access, 3:1 mode, 0 BCD.
constexpr unsigned kReadBack = 3;  // in place of a counter
enum Access : std::uint8_t { kLatchCommand = 0, kLowByte = 1, kHighByte = 2, kBothBytes = 3 };
enum Mode : std::uint8_t {
  kTerminalCount = 0,
  kHardwareOneShot = 1,
  kRateGenerator = 2,
  kSquareWave = 3,
  kSoftwareStrobe = 4,
  kHardwareStrobe = 5,
};

// Read-back command, both active low.
constexpr std::uint8_t kReadBackNoStatus = 1 << 4;
constexpr std::uint8_t kReadBackNoCount = 1 << 5;

// Status byte
constexpr unsigned kStatusAccessShift = 4;
constexpr unsigned kStatusModeShift = 1;
constexpr std::uint8_t kStatusNullCount = 1 << 6;
constexpr std::uint8_t kStatusOutput = 1 << 7;

// Port 61h
constexpr std::uint8_t kGate2 = 1 << 0;
constexpr std::uint8_t kSystemWritable = 0x0f;  // gate 2, speaker, and the two error enables that have no source here
constexpr std::uint8_t kRefresh = 1 << 4;       // toggles with every refresh request
constexpr std::uint8_t kOutput2 = 1 << 5;
constexpr std::int64_t kRefreshTicks = 18;  // counter 1 as every BIOS programs it: 15 us

}  // namespace devices::platform::pit_abi
