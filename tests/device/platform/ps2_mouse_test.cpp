#include "devices/platform/ps2_mouse.h"

#include <gtest/gtest.h>
#include <limits>

#include "core/ports/input.h"

namespace {

using Bytes = std::vector<unsigned>;

class Ps2Mouse : public testing::Test {
 protected:
  devices::platform::Ps2Mouse mouse;

  Bytes output() {
    Bytes bytes;
    while (mouse.has_output())
      bytes.push_back(mouse.take_output());
    return bytes;
  }
  Bytes send(std::initializer_list<unsigned> bytes) {
    Bytes answer;
    for (const auto byte : bytes) {
      mouse.receive(static_cast<std::uint8_t>(byte));
      for (const auto out : output())
        answer.push_back(out);
    }
    return answer;
  }
  void become_wheel_mouse() { send({0xf3, 200, 0xf3, 100, 0xf3, 80}); }
  void become_five_button_mouse() { send({0xf3, 200, 0xf3, 200, 0xf3, 80}); }
  Bytes move(std::int32_t dx, std::int32_t dy, std::int32_t dz = 0, std::uint8_t buttons = 0) {
    mouse.move(dx, dy, dz, buttons);
    return output();
  }
};

TEST_F(Ps2Mouse, reset_passes_its_self_test_and_tells_the_id) {
  EXPECT_EQ(send({0xff}), (Bytes{0xfa, 0xaa, 0x00}));
}

TEST_F(Ps2Mouse, starts_silent) {
  EXPECT_EQ(move(5, 5, 0, 1), Bytes{});
}

TEST_F(Ps2Mouse, packet_has_buttons_signs_and_upward_y) {
  send({0xf4});
  EXPECT_EQ(move(3, 4), (Bytes{0x28, 0x03, 0xfc}));
  EXPECT_EQ(move(-3, -4), (Bytes{0x18, 0xfd, 0x04}));
  EXPECT_EQ(move(0, 0, 0, core::kLeftButton), (Bytes{0x09, 0x00, 0x00}));
  EXPECT_EQ(move(0, 0, 0, core::kRightButton | core::kMiddleButton), (Bytes{0x0e, 0x00, 0x00}));
  EXPECT_EQ(move(0, 0, 0, core::kRightButton | core::kMiddleButton), Bytes{});
}

TEST_F(Ps2Mouse, long_motion_takes_several_packets) {
  send({0xf4});
  EXPECT_EQ(move(300, 0), (Bytes{0x08, 127, 0, 0x08, 127, 0, 0x08, 46, 0}));
}

TEST_F(Ps2Mouse, motion_adds_up_while_nobody_fetches) {
  send({0xf4});
  for (int i = 0; i < 12; ++i)
    mouse.move(1, 0, 0, 0);
  EXPECT_EQ(output(), (Bytes{0x08, 1, 0, 0x08, 1, 0, 0x08, 10, 0}));
}

TEST_F(Ps2Mouse, clicks_are_kept_apart) {
  send({0xf4});
  mouse.move(1, 0, 0, 0);
  mouse.move(1, 0, 0, 0);
  mouse.move(0, 0, 0, 1);
  mouse.move(0, 0, 0, 0);
  EXPECT_EQ(output(), (Bytes{0x08, 1, 0, 0x08, 1, 0, 0x09, 0, 0, 0x08, 0, 0}));
}

TEST_F(Ps2Mouse, absurd_motion_is_bounded) {
  send({0xf4});
  for (int i = 0; i < 100; ++i) {
    mouse.move(std::numeric_limits<std::int32_t>::max(), std::numeric_limits<std::int32_t>::min(),
               std::numeric_limits<std::int32_t>::min(), static_cast<std::uint8_t>(i));
  }
  EXPECT_LE(output().size(), 3u * 200);
}

TEST_F(Ps2Mouse, plain_mouse_has_neither_wheel_nor_side_buttons) {
  send({0xf4});
  EXPECT_EQ(move(0, 0, 1, core::kSideButton), Bytes{});
  EXPECT_EQ(send({0xf2}), (Bytes{0xfa, 0x00}));
}

TEST_F(Ps2Mouse, knock_makes_a_wheel_mouse) {
  become_wheel_mouse();
  EXPECT_EQ(send({0xf2}), (Bytes{0xfa, 0x03}));
  send({0xf4});
  EXPECT_EQ(move(0, 0, 1), (Bytes{0x08, 0, 0, 0x01}));
  EXPECT_EQ(move(0, 0, -2), (Bytes{0x08, 0, 0, 0xfe}));
  EXPECT_EQ(move(0, 0, 0, core::kSideButton | core::kExtraButton), Bytes{});
}

TEST_F(Ps2Mouse, knock_makes_a_five_button_mouse) {
  become_wheel_mouse();
  become_five_button_mouse();
  EXPECT_EQ(send({0xf2}), (Bytes{0xfa, 0x04}));
  send({0xf4});
  EXPECT_EQ(move(0, 0, 0, core::kSideButton), (Bytes{0x08, 0, 0, 0x10}));
  EXPECT_EQ(move(0, 0, -1, core::kExtraButton), (Bytes{0x08, 0, 0, 0x2f}));
}

TEST_F(Ps2Mouse, five_button_mouse_tells_each_of_them) {
  become_wheel_mouse();
  become_five_button_mouse();
  send({0xf4});
  EXPECT_EQ(move(0, 0, 0, core::kLeftButton), (Bytes{0x09, 0, 0, 0}));
  EXPECT_EQ(move(0, 0, 0, core::kRightButton), (Bytes{0x0a, 0, 0, 0}));
  EXPECT_EQ(move(0, 0, 0, core::kMiddleButton), (Bytes{0x0c, 0, 0, 0}));
  EXPECT_EQ(move(0, 0, 0, core::kSideButton), (Bytes{0x08, 0, 0, 0x10}));
  EXPECT_EQ(move(0, 0, 0, core::kExtraButton), (Bytes{0x08, 0, 0, 0x20}));
  EXPECT_EQ(move(0, 0, 0, 0xe0), (Bytes{0x08, 0, 0, 0}));
}

TEST_F(Ps2Mouse, other_rates_are_no_knock) {
  send({0xf3, 200, 0xf3, 100, 0xf3, 60, 0xf3, 80});
  EXPECT_EQ(send({0xf2}), (Bytes{0xfa, 0x00}));
}

TEST_F(Ps2Mouse, reset_makes_it_plain_again) {
  become_wheel_mouse();
  EXPECT_EQ(send({0xff}), (Bytes{0xfa, 0xaa, 0x00}));
}

TEST_F(Ps2Mouse, status_tells_settings_and_buttons) {
  mouse.move(0, 0, 0, core::kLeftButton | core::kRightButton);
  send({0xe7, 0xe8, 0x03, 0xf3, 60, 0xf4});
  EXPECT_EQ(send({0xe9}), (Bytes{0xfa, 0x35, 0x03, 60}));
  send({0xe6, 0xf0});
  EXPECT_EQ(send({0xe9}), (Bytes{0xfa, 0x65, 0x03, 60}));
}

TEST_F(Ps2Mouse, defaults) {
  send({0xe7, 0xe8, 0x00, 0xf3, 10, 0xf4, 0xf6});
  EXPECT_EQ(send({0xe9}), (Bytes{0xfa, 0x00, 0x02, 100}));
}

TEST_F(Ps2Mouse, wrong_resolution_asks_for_a_repeat) {
  EXPECT_EQ(send({0xe8, 0x04}), (Bytes{0xfa, 0xfe}));
}

TEST_F(Ps2Mouse, unknown_command_asks_for_a_repeat) {
  EXPECT_EQ(send({0xe1}), (Bytes{0xfe}));
}

TEST_F(Ps2Mouse, remote_mode_answers_when_asked) {
  send({0xf0});
  EXPECT_EQ(move(5, 0, 0, 1), Bytes{});
  EXPECT_EQ(send({0xeb}), (Bytes{0xfa, 0x09, 5, 0}));
  EXPECT_EQ(send({0xeb}), (Bytes{0xfa, 0x09, 0, 0}));
}

TEST_F(Ps2Mouse, wrap_mode_echoes_until_told) {
  EXPECT_EQ(send({0xee, 0xf2, 0x12, 0xec}), (Bytes{0xfa, 0xf2, 0x12, 0xfa}));
  EXPECT_EQ(send({0xf2}), (Bytes{0xfa, 0x00}));
}

TEST_F(Ps2Mouse, scaling_doubles_what_stream_mode_reports) {
  send({0xe7, 0xf4});
  EXPECT_EQ(move(3, 0), (Bytes{0x08, 3, 0}));
  EXPECT_EQ(move(4, 0), (Bytes{0x08, 6, 0}));
  EXPECT_EQ(move(-10, 0), (Bytes{0x18, 0xec, 0}));
}

TEST_F(Ps2Mouse, command_ends_the_packet_under_way) {
  send({0xf4});
  mouse.move(1, 0, 0, 0);
  mouse.move(2, 0, 0, 0);
  mouse.take_output();
  EXPECT_EQ(send({0xf3}), (Bytes{0xfa, 0x08, 2, 0}));
}

TEST_F(Ps2Mouse, disable_drops_waiting_packets) {
  send({0xf4});
  mouse.move(1, 0, 0, 1);
  EXPECT_EQ(send({0xf5}), (Bytes{0xfa}));
}

TEST_F(Ps2Mouse, resend_repeats_the_last_byte) {
  send({0xff});
  EXPECT_EQ(send({0xfe}), (Bytes{0x00}));
}

}  // namespace
