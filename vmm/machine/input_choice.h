// A USB keyboard or mouse, once the guest uses it, in place of the one on the PS/2 port: what is pressed goes to one,
// and what is held on the PS/2 port when the guest takes to the other is let go there.
#pragma once

#include <functional>
#include <mutex>
#include <set>
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
    if (usb_keyboard_ == nullptr || devices::usb::usage_of(code) == 0) return ps2_keyboard_.key(code, down);
    const std::scoped_lock guard(mutex_);
    if (usb_keyboard_->in_use()) {
      release_ps2_keys();
      return usb_keyboard_->key(code, down);
    }
    if (down) {
      ps2_keys_.insert(code);
    } else {
      ps2_keys_.erase(code);
    }
    ps2_keyboard_.key(code, down);
  }
  std::uint8_t leds() override { return keyboard().leds(); }
  void set_led_listener(std::function<void(std::uint8_t)> listener) override {
    if (usb_keyboard_ != nullptr) usb_keyboard_->set_led_listener(listener);
    ps2_keyboard_.set_led_listener(std::move(listener));
  }
  void move(std::int32_t dx, std::int32_t dy, std::int32_t dz, std::uint8_t buttons) override {
    const std::scoped_lock guard(mutex_);
    if (usb_mouse_ == nullptr || !usb_mouse_->in_use()) {
      ps2_buttons_ = buttons;
      return ps2_mouse_.move(dx, dy, dz, buttons);
    }
    if (std::exchange(ps2_buttons_, 0) != 0) ps2_mouse_.move(0, 0, 0, 0);
    usb_mouse_->move(dx, dy, dz, buttons);
  }

 private:
  core::KeyboardSink& keyboard() {
    const bool by_usb = usb_keyboard_ != nullptr && usb_keyboard_->in_use();
    return by_usb ? static_cast<core::KeyboardSink&>(*usb_keyboard_) : ps2_keyboard_;
  }
  void release_ps2_keys() {
    for (const auto code : std::exchange(ps2_keys_, {}))
      ps2_keyboard_.key(code, false);
  }

  core::KeyboardSink& ps2_keyboard_;
  core::MouseSink& ps2_mouse_;
  devices::usb::HidKeyboard* usb_keyboard_;
  devices::usb::HidMouse* usb_mouse_;
  std::mutex mutex_;                  // of what is held
  std::set<core::KeyCode> ps2_keys_;  // held there, of those that a USB keyboard has, too
  std::uint8_t ps2_buttons_ = 0;      // held there
};

}  // namespace vmm::machine
