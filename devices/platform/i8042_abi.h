// Keyboard controller of a PC. [IBM PS/2 Hardware Interface Technical Reference, Keyboard and Auxiliary Device
// Controller]
#pragma once

#include <cstdint>

namespace devices::platform::i8042_abi {

constexpr std::uint16_t kDataPort = 0x60;
constexpr std::uint16_t kCommandPort = 0x64;
constexpr unsigned kKeyboardIrq = 1;
constexpr unsigned kMouseIrq = 12;

// Status
constexpr std::uint8_t kOutputFull = 1 << 0;
constexpr std::uint8_t kSystemFlag = 1 << 2;
constexpr std::uint8_t kLastWasCommand = 1 << 3;
constexpr std::uint8_t kUnlocked = 1 << 4;
constexpr std::uint8_t kMouseOutputFull = 1 << 5;

// Command byte
constexpr std::uint8_t kKeyboardInterrupt = 1 << 0;
constexpr std::uint8_t kMouseInterrupt = 1 << 1;
constexpr std::uint8_t kKeyboardDisabled = 1 << 4;
constexpr std::uint8_t kMouseDisabled = 1 << 5;
constexpr std::uint8_t kTranslate = 1 << 6;

// Output port
constexpr std::uint8_t kNoReset = 1 << 0;
constexpr std::uint8_t kA20 = 1 << 1;
constexpr std::uint8_t kOutputMouseFull = 1 << 5;
constexpr std::uint8_t kOutputKeyboardFull = 1 << 4;
constexpr std::uint8_t kOutputPowerOn = 0xcc | kNoReset | kA20;

enum Command : std::uint8_t {
  kReadCommandByte = 0x20,
  kWriteCommandByte = 0x60,
  kTestPassword = 0xa4,
  kDisableMouse = 0xa7,
  kEnableMouse = 0xa8,
  kTestMouse = 0xa9,
  kSelfTest = 0xaa,
  kTestKeyboard = 0xab,
  kDisableKeyboard = 0xad,
  kEnableKeyboard = 0xae,
  kReadInputPort = 0xc0,
  kReadOutputPort = 0xd0,
  kWriteOutputPort = 0xd1,
  kLoopKeyboard = 0xd2,
  kLoopMouse = 0xd3,
  kWriteMouse = 0xd4,
  kDisableA20 = 0xdd,
  kEnableA20 = 0xdf,
  kPulseOutput = 0xf0,  // F0h..FFh: pulses low the bits of the output port that are 0 in bits 3:0
};

constexpr std::uint8_t kSelfTestPassed = 0x55;
constexpr std::uint8_t kLineTestPassed = 0x00;
constexpr std::uint8_t kNoPassword = 0xf1;
constexpr std::uint8_t kInputPort = 0x80;  // keyboard not locked

constexpr std::uint8_t kBreakPrefix = 0xf0;  // set 2
constexpr std::uint8_t kReleaseBit = 0x80;   // set 1

}  // namespace devices::platform::i8042_abi
