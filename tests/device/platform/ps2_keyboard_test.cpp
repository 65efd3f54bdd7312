#include "devices/platform/ps2_keyboard.h"

#include <gtest/gtest.h>

#include "devices/platform/ps2_keymap.h"

namespace {

using Bytes = std::vector<unsigned>;

class Ps2Keyboard : public testing::Test {
 protected:
  devices::platform::Ps2Keyboard keyboard;

  Bytes output() {
    Bytes bytes;
    while (keyboard.has_output())
      bytes.push_back(keyboard.take_output());
    return bytes;
  }
  // What the keyboard answers to the host.
  Bytes send(std::initializer_list<unsigned> bytes) {
    Bytes answer;
    for (const auto byte : bytes) {
      keyboard.receive(static_cast<std::uint8_t>(byte));
      for (const auto out : output())
        answer.push_back(out);
    }
    return answer;
  }
  Bytes press(core::KeyCode code) {
    keyboard.key(code, true);
    return output();
  }
  Bytes release(core::KeyCode code) {
    keyboard.key(code, false);
    return output();
  }
};

// ---- scan codes

TEST_F(Ps2Keyboard, set2_key) {
  EXPECT_EQ(press(0x1e), (Bytes{0x1c}));
  EXPECT_EQ(release(0x1e), (Bytes{0xf0, 0x1c}));
}

TEST_F(Ps2Keyboard, set2_extended_key) {
  EXPECT_EQ(press(0xe048), (Bytes{0xe0, 0x75}));
  EXPECT_EQ(release(0xe048), (Bytes{0xe0, 0xf0, 0x75}));
}

TEST_F(Ps2Keyboard, set2_function_key_seven) {
  EXPECT_EQ(press(0x41), (Bytes{0x83}));
  EXPECT_EQ(release(0x41), (Bytes{0xf0, 0x83}));
}

TEST_F(Ps2Keyboard, set2_print_screen_brings_its_own_shift) {
  EXPECT_EQ(press(0xe037), (Bytes{0xe0, 0x12, 0xe0, 0x7c}));
  EXPECT_EQ(release(0xe037), (Bytes{0xe0, 0xf0, 0x7c, 0xe0, 0xf0, 0x12}));
}

TEST_F(Ps2Keyboard, set2_print_screen_with_ctrl_is_bare) {
  press(0x1d);
  EXPECT_EQ(press(0xe037), (Bytes{0xe0, 0x7c}));
  release(0x1d);
  EXPECT_EQ(release(0xe037), (Bytes{0xe0, 0xf0, 0x7c}));
}

TEST_F(Ps2Keyboard, set2_print_screen_with_alt_is_sysrq) {
  press(0x38);
  EXPECT_EQ(press(0xe037), (Bytes{0x84}));
  EXPECT_EQ(release(0xe037), (Bytes{0xf0, 0x84}));
}

TEST_F(Ps2Keyboard, set2_pause_has_no_release) {
  EXPECT_EQ(press(core::kPauseKey), (Bytes{0xe1, 0x14, 0x77, 0xe1, 0xf0, 0x14, 0xf0, 0x77}));
  EXPECT_EQ(release(core::kPauseKey), Bytes{});
  EXPECT_EQ(press(0xe046), (Bytes{0xe1, 0x14, 0x77, 0xe1, 0xf0, 0x14, 0xf0, 0x77}));
}

TEST_F(Ps2Keyboard, set2_pause_with_ctrl_is_break) {
  press(0xe01d);
  EXPECT_EQ(press(core::kPauseKey), (Bytes{0xe0, 0x7e, 0xe0, 0xf0, 0x7e}));
}

TEST_F(Ps2Keyboard, set1_keys) {
  send({0xf0, 0x01});
  EXPECT_EQ(press(0x1e), (Bytes{0x1e}));
  EXPECT_EQ(release(0x1e), (Bytes{0x9e}));
  EXPECT_EQ(press(0xe048), (Bytes{0xe0, 0x48}));
  EXPECT_EQ(release(0xe048), (Bytes{0xe0, 0xc8}));
  EXPECT_EQ(press(0xe037), (Bytes{0xe0, 0x2a, 0xe0, 0x37}));
  EXPECT_EQ(release(0xe037), (Bytes{0xe0, 0xb7, 0xe0, 0xaa}));
  EXPECT_EQ(press(core::kPauseKey), (Bytes{0xe1, 0x1d, 0x45, 0xe1, 0x9d, 0xc5}));
}

TEST_F(Ps2Keyboard, set3_releases_modifiers_only) {
  send({0xf0, 0x03});
  EXPECT_EQ(press(0x1e), (Bytes{0x1c}));
  EXPECT_EQ(release(0x1e), Bytes{});
  EXPECT_EQ(press(0x2a), (Bytes{0x12}));
  EXPECT_EQ(release(0x2a), (Bytes{0xf0, 0x12}));
  EXPECT_EQ(press(0xe048), (Bytes{0x63}));
  EXPECT_EQ(press(core::kPauseKey), (Bytes{0x62}));
  EXPECT_EQ(press(0xe037), (Bytes{0x57}));
}

TEST_F(Ps2Keyboard, set3_all_keys_release_when_told) {
  send({0xf0, 0x03});
  EXPECT_EQ(send({0xf8}), (Bytes{0xfa}));
  press(0x1e);
  EXPECT_EQ(release(0x1e), (Bytes{0xf0, 0x1c}));
}

TEST_F(Ps2Keyboard, set3_single_keys_release_when_told) {
  send({0xf0, 0x03});
  EXPECT_EQ(send({0xfc, 0x1c, 0x32}), (Bytes{0xfa, 0xfa, 0xfa}));
  EXPECT_EQ(send({0xf4}), (Bytes{0xfa}));  // ends the list
  press(0x1e);
  EXPECT_EQ(release(0x1e), (Bytes{0xf0, 0x1c}));
  press(0x1f);
  EXPECT_EQ(release(0x1f), Bytes{});
}

TEST_F(Ps2Keyboard, unknown_codes_and_fake_shifts_send_nothing) {
  EXPECT_EQ(press(0xe02a), Bytes{});
  EXPECT_EQ(press(0x00), Bytes{});
  EXPECT_EQ(press(0x80), Bytes{});
  EXPECT_EQ(press(0xffff), Bytes{});
  EXPECT_EQ(press(0xe100), Bytes{});
}

TEST_F(Ps2Keyboard, release_without_a_press_sends_nothing) {
  EXPECT_EQ(release(0x1e), Bytes{});
}

TEST_F(Ps2Keyboard, held_key_repeats_as_it_is_pressed_again) {
  press(0x1e);
  EXPECT_EQ(press(0x1e), (Bytes{0x1c}));
}

TEST(Ps2Keymap, sets_1_and_2_agree_through_the_controller) {
  for (unsigned set1 = 1; set1 < 0x80; ++set1) {
    const auto set2 = devices::platform::set2_code(static_cast<std::uint8_t>(set1));
    if (set2 != 0) {
      EXPECT_EQ(devices::platform::translated(set2), set1);
    }
  }
}

// ---- commands

TEST_F(Ps2Keyboard, reset_passes_its_self_test) {
  EXPECT_EQ(send({0xff}), (Bytes{0xfa, 0xaa}));
}

TEST_F(Ps2Keyboard, id) {
  EXPECT_EQ(send({0xf2}), (Bytes{0xfa, 0xab, 0x83}));
}

TEST_F(Ps2Keyboard, echo) {
  EXPECT_EQ(send({0xee}), (Bytes{0xee}));
}

TEST_F(Ps2Keyboard, unknown_command_asks_for_a_repeat) {
  EXPECT_EQ(send({0xef}), (Bytes{0xfe}));
}

TEST_F(Ps2Keyboard, resend_repeats_the_last_byte) {
  send({0xf2});
  EXPECT_EQ(send({0xfe}), (Bytes{0x83}));
}

TEST_F(Ps2Keyboard, leds_reach_the_listener_on_change) {
  std::vector<unsigned> seen;
  keyboard.set_led_listener([&seen](std::uint8_t leds) { seen.push_back(leds); });
  EXPECT_EQ(send({0xed, 0x02}), (Bytes{0xfa, 0xfa}));
  EXPECT_EQ(keyboard.leds(), core::kNumLed);
  send({0xed, 0x02});
  send({0xed, 0x04});
  send({0xff});
  EXPECT_EQ(seen, (std::vector<unsigned>{core::kNumLed, core::kCapsLed, 0}));
}

TEST_F(Ps2Keyboard, command_in_place_of_an_option_is_a_command) {
  EXPECT_EQ(send({0xed, 0xf2}), (Bytes{0xfa, 0xfa, 0xab, 0x83}));
  EXPECT_EQ(keyboard.leds(), 0);
}

TEST_F(Ps2Keyboard, rate_takes_an_option) {
  EXPECT_EQ(send({0xf3, 0x20}), (Bytes{0xfa, 0xfa}));
}

TEST_F(Ps2Keyboard, scan_code_set_is_told_and_checked) {
  EXPECT_EQ(send({0xf0, 0x00}), (Bytes{0xfa, 0xfa, 0x02}));
  EXPECT_EQ(send({0xf0, 0x03}), (Bytes{0xfa, 0xfa}));
  EXPECT_EQ(send({0xf0, 0x00}), (Bytes{0xfa, 0xfa, 0x03}));
  EXPECT_EQ(send({0xf0, 0x04}), (Bytes{0xfa, 0xfe}));
}

TEST_F(Ps2Keyboard, disabled_keyboard_sends_no_keys) {
  EXPECT_EQ(send({0xf5}), (Bytes{0xfa}));
  EXPECT_EQ(press(0x1e), Bytes{});
  EXPECT_EQ(send({0xf4}), (Bytes{0xfa}));
  EXPECT_EQ(press(0x1f), (Bytes{0x1b}));
}

TEST_F(Ps2Keyboard, key_down_over_a_reset_is_still_released) {
  press(0x1c);
  send({0xff});
  EXPECT_EQ(release(0x1c), (Bytes{0xf0, 0x5a}));
}

TEST_F(Ps2Keyboard, answers_come_before_waiting_keys) {
  keyboard.key(0x1e, true);
  EXPECT_EQ(send({0xed}), (Bytes{0xfa, 0x1c}));
}

TEST_F(Ps2Keyboard, next_command_drops_unread_answers) {
  keyboard.receive(0xf2);
  keyboard.receive(0xee);
  EXPECT_EQ(output(), (Bytes{0xee}));
}

TEST_F(Ps2Keyboard, full_queue_drops_whole_presses_and_their_releases) {
  for (int i = 0; i < 1000; ++i) {
    keyboard.key(0xe048, true);
    keyboard.key(0xe048, false);
  }
  keyboard.key(0x1e, true);
  keyboard.key(0x1e, false);
  const auto bytes = output();
  EXPECT_LE(bytes.size(), 256u);
  EXPECT_EQ(bytes.size() % 5, 0u);
}

TEST_F(Ps2Keyboard, full_queue_still_takes_the_release_of_what_was_pressed) {
  keyboard.key(0x2a, true);
  for (int i = 0; i < 1000; ++i)
    keyboard.key(0xe048, true);
  keyboard.key(0x2a, false);
  keyboard.key(0xe048, false);
  const auto bytes = output();
  ASSERT_GE(bytes.size(), 5u);
  EXPECT_EQ(Bytes(bytes.end() - 5, bytes.end()), (Bytes{0xf0, 0x12, 0xe0, 0xf0, 0x75}));
}

}  // namespace
