// A USB keyboard with the boot protocol's report: modifiers and six keys. [HID B.1, C]
//
// Changes are queued one key a report, so that keys that are pressed and released between two reports are not lost.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <vector>

#include "core/ports/input.h"
#include "devices/usb/hid_device.h"

namespace devices::usb {

// The usage of a key on the keyboard page; 0: the key has none. [HID Usage Tables 10]
std::uint8_t usage_of(core::KeyCode code);

class HidKeyboard final : public HidDevice, public core::KeyboardSink {
 public:
  HidKeyboard(UsbVersion version, const Wiring& wiring);

  // KeyboardSink; all take the lock.
  void key(core::KeyCode code, bool down) override;
  std::uint8_t leds() override;
  void set_led_listener(std::function<void(std::uint8_t)> listener) override;
  bool in_use();

  void visit(core::StateVisitor& visitor) override;
  core::Result<> state_loaded() override;

 private:
  static constexpr std::size_t kMostChanges = 64;
  static constexpr std::size_t kMostDown = 32;  // more keys than hands hold

  struct Change {
    std::uint8_t usage = 0;
    bool down = false;
    void visit(core::StateVisitor& v);
  };

  bool has_news() const override { return !changes_.empty(); }
  Bytes next_report() override;
  Bytes present_report() const override;
  bool output_report(std::span<const std::uint8_t> data) override;
  void reset_input() override;
  bool will_be_down(std::uint8_t usage) const;
  void apply(const Change& change);
  void set_leds(std::uint8_t leds);

  std::vector<Change> changes_;
  std::vector<std::uint8_t> down_;  // usages, as far as they were told
  std::uint8_t modifiers_ = 0;
  std::uint8_t leds_ = 0;  // KeyLed bits
  std::function<void(std::uint8_t)> led_listener_;
};

}  // namespace devices::usb
