// Which keyboard and mouse hear of a key or button, and what is held when that changes.
#include "vmm/machine/input_choice.h"

#include <gtest/gtest.h>
#include <utility>
#include <vector>

#include "tests/device/fake_clock.h"
#include "tests/device/usb/usb_host.h"

namespace {

namespace usb = devices::usb;
using Bytes = tests::UsbHost::Bytes;

constexpr core::KeyCode kShift = 0x2a, kA = 0x1e;

struct Ps2 final : core::KeyboardSink, core::MouseSink {
  void key(core::KeyCode code, bool down) override { keys.emplace_back(code, down); }
  std::uint8_t leds() override { return 0; }
  void set_led_listener(std::function<void(std::uint8_t)>) override {}
  void move(std::int32_t, std::int32_t, std::int32_t, std::uint8_t held) override { buttons.push_back(held); }

  std::vector<std::pair<core::KeyCode, bool>> keys;
  std::vector<std::uint8_t> buttons;
};

struct InputRig {
  tests::FakeClock clock;
  core::DeviceLock lock;
  tests::UsbHost host;
  Ps2 ps2;
  usb::HidKeyboard keyboard{usb::UsbVersion::Usb2, {clock, lock}};
  usb::HidMouse mouse{usb::UsbVersion::Usb2, {clock, lock}};
  vmm::machine::InputChoice choice{ps2, ps2, &keyboard, &mouse};
};

TEST(InputChoice, keys_held_while_the_guest_takes_the_usb_keyboard_are_let_go) {
  InputRig rig;
  rig.choice.key(kShift, true);
  rig.host.configure(rig.keyboard);
  rig.choice.key(kShift, false);
  EXPECT_EQ(rig.ps2.keys, (std::vector<std::pair<core::KeyCode, bool>>{{kShift, true}, {kShift, false}}));
  rig.choice.key(kA, true);
  EXPECT_EQ(rig.host.receive(rig.keyboard, 1, 8), (Bytes{0, 0, 4, 0, 0, 0, 0, 0}));
  EXPECT_EQ(rig.ps2.keys.size(), 2u);
}

TEST(InputChoice, keys_that_were_let_go_before_are_not_let_go_again) {
  InputRig rig;
  rig.choice.key(kShift, true);
  rig.choice.key(kShift, false);
  rig.host.configure(rig.keyboard);
  rig.choice.key(kA, true);
  EXPECT_EQ(rig.ps2.keys.size(), 2u);
}

TEST(InputChoice, buttons_held_while_the_guest_takes_the_usb_mouse_are_let_go) {
  InputRig rig;
  rig.choice.move(0, 0, 0, core::kLeftButton);
  rig.host.configure(rig.mouse);
  rig.choice.move(1, 0, 0, core::kLeftButton);
  rig.choice.move(1, 0, 0, 0);
  EXPECT_EQ(rig.ps2.buttons, (std::vector<std::uint8_t>{core::kLeftButton, 0}));
}

}  // namespace
