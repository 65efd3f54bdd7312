// A USB keyboard or mouse, once the guest uses it, in place of the one on the PS/2 port: what is pressed goes to one.
#pragma once

#include <functional>
#include <utility>

#include "core/ports/input.h"
#include "devices/usb/hid_keyboard.h"
#include "devices/usb/hid_pointers.h"

namespace vmm::machine {

class InputChoice final : public core::KeyboardSink, public core::MouseSink {
 public:
  // Either USB device may be null.
  InputChoice(core::KeyboardSink& ps2_keyboard, core::MouseSink& ps2_mouse, devices::usb::HidKeyboard* usb_keyboard,
              devices::usb::HidMouse* usb_mouse)
      : ps2_keyboard_(ps2_keyboard), ps2_mouse_(ps2_mouse), usb_keyboard_(usb_keyboard), usb_mouse_(usb_mouse) {}

  // Keys that a USB keyboard has not are on the other one.
  void key(core::KeyCode code, bool down) override {
    const bool by_ps2 = devices::usb::usage_of(code) == 0;
    (by_ps2 ? ps2_keyboard_ : keyboard()).key(code, down);
  }
  std::uint8_t leds() override { return keyboard().leds(); }
  void set_led_listener(std::function<void(std::uint8_t)> listener) override {
    if (usb_keyboard_ != nullptr) usb_keyboard_->set_led_listener(listener);
    ps2_keyboard_.set_led_listener(std::move(listener));
  }
  void move(std::int32_t dx, std::int32_t dy, std::int32_t dz, std::uint8_t buttons) override {
    const bool by_usb = usb_mouse_ != nullptr && usb_mouse_->in_use();
    (by_usb ? static_cast<core::MouseSink&>(*usb_mouse_) : ps2_mouse_).move(dx, dy, dz, buttons);
  }

 private:
  core::KeyboardSink& keyboard() {
    const bool by_usb = usb_keyboard_ != nullptr && usb_keyboard_->in_use();
    return by_usb ? static_cast<core::KeyboardSink&>(*usb_keyboard_) : ps2_keyboard_;
  }

  core::KeyboardSink& ps2_keyboard_;
  core::MouseSink& ps2_mouse_;
  devices::usb::HidKeyboard* usb_keyboard_;
  devices::usb::HidMouse* usb_mouse_;
};

}  // namespace vmm::machine
