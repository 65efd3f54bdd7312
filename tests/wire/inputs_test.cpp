#include "spice/wire/inputs.h"

#include "tests/wire/golden.h"

namespace spice::wire {
namespace {

TEST(InputsWire, server_messages) {
  EXPECT_EQ(check_golden<InputsInit>(u16(kNumLock)).modifiers, kNumLock);
  EXPECT_EQ(check_golden<InputsKeyModifiers>(u16(kCapsLock)).modifiers, kCapsLock);
  check_golden<InputsMotionAck>({});
}

TEST(InputsWire, keys) {
  EXPECT_EQ(check_golden<InputsKeyDown>({0xe0, 0x53, 0, 0}).code, 0x53e0U);
  EXPECT_EQ(check_golden<InputsKeyUp>({0xe0, 0xd3, 0, 0}).code, 0xd3e0U);
  EXPECT_EQ(check_golden<InputsClientKeyModifiers>(u16(5)).modifiers, 5);
  EXPECT_EQ(check_golden<InputsKeyScancode>({0x1e, 0x9e}, 0).scancodes.size(), 2U);
}

TEST(InputsWire, motion) {
  const auto message = check_golden<InputsMouseMotion>(joined({u32(0xffff'fffe), u32(3), u16(kLeftBit | kRightBit)}));
  EXPECT_EQ(message.dx, -2);
  EXPECT_EQ(message.dy, 3);
  EXPECT_EQ(message.buttons, 5);
}

TEST(InputsWire, position) {
  const auto message = check_golden<InputsMousePosition>(joined({u32(800), u32(600), u16(kMiddleBit), u8(1)}));
  EXPECT_EQ(message.x, 800U);
  EXPECT_EQ(message.y, 600U);
  EXPECT_EQ(message.buttons, kMiddleBit);
  EXPECT_EQ(message.display, 1);
}

TEST(InputsWire, buttons) {
  EXPECT_EQ(check_golden<InputsMousePress>(joined({u8(4), u16(1)})).button, Button::WheelUp);
  EXPECT_EQ(check_golden<InputsMouseRelease>(joined({u8(3), u16(1)})).button, Button::Right);
}

}  // namespace
}  // namespace spice::wire
