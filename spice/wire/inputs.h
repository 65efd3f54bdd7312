// Messages of the inputs channel.
#pragma once

#include <cstdint>

#include "spice/wire/common.h"

namespace spice::wire {

// Bits of the lock lights.
enum KeyModifier : std::uint16_t { kScrollLock = 1, kNumLock = 2, kCapsLock = 4 };

enum class Button : std::uint8_t { Left = 1, Middle = 2, Right = 3, WheelUp = 4, WheelDown = 5, Side = 6, Extra = 7 };
// Bits of the buttons that are held.
enum ButtonBit : std::uint16_t {
  kLeftBit = 1,
  kMiddleBit = 2,
  kRightBit = 4,
  kWheelUpBit = 8,
  kWheelDownBit = 16,
  kSideBit = 32,
  kExtraBit = 64,
};

// A motion ack is due after this many motion or position messages.
constexpr unsigned kMotionAckBunch = 4;

// From the server.

struct InputsInit {
  static constexpr std::uint16_t kType = 101;
  std::uint16_t modifiers = 0;

  template <class IO>
  void wire(IO& io);
};

struct InputsKeyModifiers {
  static constexpr std::uint16_t kType = 102;
  std::uint16_t modifiers = 0;

  template <class IO>
  void wire(IO& io);
};

using InputsMotionAck = Empty<ChannelType::Inputs, 111>;

// From the client.

// Bytes of scancode set 1, first byte lowest, ended by a zero byte.
struct InputsKeyDown {
  static constexpr std::uint16_t kType = 101;
  std::uint32_t code = 0;

  template <class IO>
  void wire(IO& io);
};

struct InputsKeyUp {
  static constexpr std::uint16_t kType = 102;
  std::uint32_t code = 0;

  template <class IO>
  void wire(IO& io);
};

struct InputsClientKeyModifiers {
  static constexpr std::uint16_t kType = 103;
  std::uint16_t modifiers = 0;

  template <class IO>
  void wire(IO& io);
};

struct InputsKeyScancode {
  static constexpr std::uint16_t kType = 104;
  Payload scancodes;

  template <class IO>
  void wire(IO& io);
};

struct InputsMouseMotion {
  static constexpr std::uint16_t kType = 111;
  std::int32_t dx = 0;
  std::int32_t dy = 0;
  std::uint16_t buttons = 0;

  template <class IO>
  void wire(IO& io);
};

struct InputsMousePosition {
  static constexpr std::uint16_t kType = 112;
  std::uint32_t x = 0;
  std::uint32_t y = 0;
  std::uint16_t buttons = 0;
  std::uint8_t display = 0;

  template <class IO>
  void wire(IO& io);
};

struct InputsMousePress {
  static constexpr std::uint16_t kType = 113;
  Button button{};
  std::uint16_t buttons = 0;

  template <class IO>
  void wire(IO& io);
};

struct InputsMouseRelease {
  static constexpr std::uint16_t kType = 114;
  Button button{};
  std::uint16_t buttons = 0;

  template <class IO>
  void wire(IO& io);
};

}  // namespace spice::wire
