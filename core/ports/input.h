// Input seam: what clients and the monitor do to the guest's keyboard and pointer.
#pragma once

#include <cstdint>
#include <functional>

namespace core::inline ports {

// A key by its XT scancode (set 1): 0x01..0x7f, keys with an E0 prefix as 0xe0'01..0xe0'7f. Pause is 0xe1'1d.
using KeyCode = std::uint16_t;
constexpr KeyCode kPauseKey = 0xe11d;

// Lock lights, as bits of a mask.
enum KeyLed : std::uint8_t { kScrollLed = 1, kNumLed = 2, kCapsLed = 4 };

class KeyboardSink {
 public:
  virtual ~KeyboardSink() = default;
  virtual void key(KeyCode code, bool down) = 0;  // any thread, no device lock held
  virtual std::uint8_t leds() = 0;                // any thread, no device lock held: KeyLed bits
  // Called with the new LEDs when the guest changes them, on the vCPU thread with the device's lock held: post and
  // return. One listener.
  virtual void set_led_listener(std::function<void(std::uint8_t)> listener) = 0;
};

enum MouseButton : std::uint8_t {
  kLeftButton = 1,
  kRightButton = 2,
  kMiddleButton = 4,
  kSideButton = 8,
  kExtraButton = 16
};

class MouseSink {
 public:
  virtual ~MouseSink() = default;
  // Relative motion (right and down positive), wheel steps (towards the user positive) and the buttons now held
  // (MouseButton bits). Any thread, no device lock held.
  virtual void move(std::int32_t dx, std::int32_t dy, std::int32_t dz, std::uint8_t buttons) = 0;
};

// A pointer that is told places.
class TabletSink {
 public:
  virtual ~TabletSink() = default;
  // A place from 0 to 32767 across the whole display, wheel steps (towards the user positive) and the buttons now held
  // (MouseButton bits). Any thread, no device lock held.
  virtual void position(std::uint16_t x, std::uint16_t y, std::int32_t dz, std::uint8_t buttons) = 0;
  virtual bool in_use() = 0;  // the guest's driver has configured it; any thread, no device lock held
  // Called when that changes, with the device's lock held: post and return. One listener.
  virtual void set_use_listener(std::function<void(bool)> listener) = 0;
};

}  // namespace core::inline ports
