#include "devices/platform/i8042.h"

#include <gtest/gtest.h>

#include "tests/device/fake_wiring.h"
#include "tests/state/state_law.h"

namespace {

using Bytes = std::vector<unsigned>;

struct I8042Rig {
  tests::FakeBus io;
  tests::RecordingIrqSink isa;
  std::vector<bool> a20;
  unsigned resets = 0;
  devices::platform::I8042 device{
      {.isa = isa, .a20 = [this](bool enabled) { a20.push_back(enabled); }, .reset = [this] { ++resets; }}};

  I8042Rig() { EXPECT_TRUE(device.attach(io.space)); }

  std::uint8_t status() { return io.in8(0x64); }
  void command(unsigned byte) { io.out8(0x64, byte); }
  void command(unsigned byte, unsigned data) {
    io.out8(0x64, byte);
    io.out8(0x60, data);
  }
  unsigned ask(unsigned byte) {
    command(byte);
    return io.in8(0x60);
  }
  // All that waits; bytes of the mouse have bit 8.
  Bytes drain() {
    Bytes bytes;
    for (unsigned i = 0; i < 1000; ++i) {
      const unsigned now = status();
      if ((now & 1) == 0) break;
      bytes.push_back(io.in8(0x60) | ((now & 0x20) != 0 ? 0x100 : 0));
    }
    return bytes;
  }
  Bytes to_keyboard(unsigned byte) {
    io.out8(0x60, byte);
    return drain();
  }
  Bytes to_mouse(unsigned byte) {
    command(0xd4, byte);
    return drain();
  }

  void scribble() {
    command(0x60, 0x47);
    to_mouse(0xf4);
    to_keyboard(0xed);
    to_keyboard(0x05);
    device.key(0xe037, true);
    device.key(0x1e, true);
    device.key(0x1e, false);
    device.move(10, -20, 1, 1);
    io.in8(0x60);
    command(0xdd);
    command(0xd4, 0xf3);
    command(0xd4, 0x50);
    command(0xaa);
    io.out8(0x60, 0xf0);
    command(0xd1);
  }
};

class I8042 : public testing::Test, protected I8042Rig {};

// ---- controller

TEST_F(I8042, starts_unlocked_and_empty) {
  EXPECT_EQ(status() & 0x37, 0x10);
  EXPECT_EQ(ask(0x20), 0x03u);
}

TEST_F(I8042, self_test_passes_and_sets_the_system_flag) {
  EXPECT_EQ(ask(0xaa), 0x55u);
  EXPECT_EQ(status() & 0x04, 0x04);
}

TEST_F(I8042, line_tests_pass) {
  EXPECT_EQ(ask(0xab), 0x00u);
  EXPECT_EQ(ask(0xa9), 0x00u);
  EXPECT_EQ(ask(0xa4), 0xf1u);
  EXPECT_EQ(ask(0xc0), 0x80u);
}

TEST_F(I8042, command_byte_is_stored) {
  command(0x60, 0x65);
  EXPECT_EQ(ask(0x20), 0x65u);
}

TEST_F(I8042, enable_commands_work_on_the_command_byte) {
  command(0xad);
  command(0xa7);
  EXPECT_EQ(ask(0x20), 0x33u);
  command(0xae);
  command(0xa8);
  EXPECT_EQ(ask(0x20), 0x03u);
}

TEST_F(I8042, status_tells_command_from_data) {
  command(0xae);
  EXPECT_EQ(status() & 0x08, 0x08);
  io.out8(0x60, 0xf4);
  EXPECT_EQ(status() & 0x08, 0x00);
}

TEST_F(I8042, loopback_reaches_either_output) {
  command(0xd2, 0x5a);
  EXPECT_EQ(drain(), (Bytes{0x5a}));
  command(0xd3, 0xa5);
  EXPECT_EQ(drain(), (Bytes{0x1a5}));
}

TEST_F(I8042, linux_interrupt_test_gets_irq12_through_the_loop) {
  command(0x60, 0x47);
  command(0xd3, 0xa5);
  EXPECT_TRUE(isa.level(12));
  EXPECT_FALSE(isa.level(1));
  io.in8(0x60);
  EXPECT_FALSE(isa.level(12));
}

TEST_F(I8042, empty_buffer_reads_its_last_byte) {
  ask(0xaa);
  EXPECT_EQ(io.in8(0x60), 0x55);
}

TEST_F(I8042, unknown_command_is_ignored) {
  command(0xb0);
  EXPECT_EQ(status() & 0x01, 0x00);
  command(0x21);
  EXPECT_EQ(status() & 0x01, 0x00);
}

TEST_F(I8042, new_command_forgets_the_data_awaited) {
  command(0x60);
  command(0xd3);
  io.out8(0x60, 0x77);
  EXPECT_EQ(drain(), (Bytes{0x177}));
  EXPECT_EQ(ask(0x20), 0x03u);
}

// ---- A20 and reset

TEST_F(I8042, output_port_drives_a20) {
  command(0xd1, 0xdd);
  command(0xd1, 0xdd);
  command(0xd1, 0xdf);
  EXPECT_EQ(a20, (std::vector<bool>{false, true}));
  EXPECT_EQ(resets, 0u);
}

TEST_F(I8042, a20_commands) {
  command(0xdd);
  EXPECT_EQ(ask(0xd0) & 0x02, 0x00u);
  command(0xdf);
  EXPECT_EQ(ask(0xd0) & 0x02, 0x02u);
  EXPECT_EQ(a20, (std::vector<bool>{false, true}));
}

TEST_F(I8042, output_port_reads_back_with_the_full_bits) {
  EXPECT_EQ(ask(0xd0), 0xcfu);
  command(0xd2, 0x00);
  command(0xd0);
  EXPECT_EQ(drain(), (Bytes{0x00, 0xdf}));
}

TEST_F(I8042, reset_by_pulse_and_by_output_port) {
  command(0xfe);
  EXPECT_EQ(resets, 1u);
  command(0xf0);
  EXPECT_EQ(resets, 2u);
  command(0xff);
  EXPECT_EQ(resets, 2u);
  command(0xd1, 0xde);
  EXPECT_EQ(resets, 3u);
}

TEST_F(I8042, machine_reset_gives_a20_back) {
  command(0xdd);
  tests::reset_rig(static_cast<I8042Rig&>(*this));
  EXPECT_EQ(a20, (std::vector<bool>{false, true}));
}

// ---- keyboard

TEST_F(I8042, key_raises_irq1_until_read) {
  device.key(0x1e, true);
  EXPECT_TRUE(isa.level(1));
  EXPECT_EQ(status() & 0x21, 0x01);
  EXPECT_EQ(io.in8(0x60), 0x1c);
  EXPECT_FALSE(isa.level(1));
}

TEST_F(I8042, each_byte_is_an_edge) {
  device.key(0x1e, true);
  device.key(0x1e, false);
  EXPECT_EQ(drain(), (Bytes{0x1c, 0xf0, 0x1c}));
  EXPECT_EQ(isa.rises(1), 3u);
}

TEST_F(I8042, translation_makes_set_1) {
  command(0x60, 0x43);
  device.key(0x1e, true);
  device.key(0x1e, false);
  device.key(0xe04d, true);
  device.key(0xe04d, false);
  EXPECT_EQ(drain(), (Bytes{0x1e, 0x9e, 0xe0, 0x4d, 0xe0, 0xcd}));
}

TEST_F(I8042, translated_pause_and_print_screen) {
  command(0x60, 0x43);
  device.key(core::kPauseKey, true);
  EXPECT_EQ(drain(), (Bytes{0xe1, 0x1d, 0x45, 0xe1, 0x9d, 0xc5}));
  device.key(0xe037, true);
  device.key(0xe037, false);
  EXPECT_EQ(drain(), (Bytes{0xe0, 0x2a, 0xe0, 0x37, 0xe0, 0xb7, 0xe0, 0xaa}));
}

TEST_F(I8042, translated_answers) {
  command(0x60, 0x43);
  EXPECT_EQ(to_keyboard(0xf2), (Bytes{0xfa, 0xab, 0x41}));
  to_keyboard(0xf0);
  EXPECT_EQ(to_keyboard(0x00), (Bytes{0xfa, 0x41}));
  EXPECT_EQ(to_keyboard(0xff), (Bytes{0xfa, 0xaa}));
}

TEST_F(I8042, answer_between_prefix_and_code_does_not_eat_the_release) {
  command(0x60, 0x43);
  device.key(0x1e, true);
  device.key(0x1e, false);
  EXPECT_EQ(io.in8(0x60), 0x1e);  // 9e is in the buffer now
  device.key(0x1f, true);
  io.out8(0x60, 0xee);
  EXPECT_EQ(drain(), (Bytes{0x9e, 0xee, 0x1f}));
}

TEST_F(I8042, disabled_keyboard_keeps_its_keys) {
  command(0xad);
  device.key(0x1e, true);
  EXPECT_EQ(status() & 0x01, 0x00);
  command(0xae);
  EXPECT_TRUE(isa.level(1));
  EXPECT_EQ(io.in8(0x60), 0x1c);
}

TEST_F(I8042, answers_interrupt_only_while_the_keyboard_is_enabled) {
  command(0xad);
  command(0xaa);
  EXPECT_FALSE(isa.level(1));
  EXPECT_EQ(io.in8(0x60), 0x55);
  command(0xae);
  command(0xaa);
  EXPECT_TRUE(isa.level(1));
}

TEST_F(I8042, byte_for_the_keyboard_enables_it) {
  command(0xad);
  EXPECT_EQ(to_keyboard(0xee), (Bytes{0xee}));
  EXPECT_EQ(ask(0x20), 0x03u);
}

TEST_F(I8042, interrupt_enable_gates_the_line) {
  command(0x60, 0x00);
  device.key(0x1e, true);
  EXPECT_FALSE(isa.level(1));
  EXPECT_EQ(status() & 0x01, 0x01);
}

TEST_F(I8042, controller_answer_waits_for_the_full_buffer) {
  device.key(0x1e, true);
  command(0xaa);
  EXPECT_EQ(drain(), (Bytes{0x1c, 0x55}));
}

TEST_F(I8042, leds_reach_the_host) {
  std::vector<unsigned> seen;
  device.set_led_listener([&seen](std::uint8_t leds) { seen.push_back(leds); });
  to_keyboard(0xed);
  to_keyboard(0x06);
  EXPECT_EQ(device.leds(), core::kNumLed | core::kCapsLed);
  EXPECT_EQ(seen, (std::vector<unsigned>{core::kNumLed | core::kCapsLed}));
}

// ---- mouse

TEST_F(I8042, mouse_answers_through_the_aux_output) {
  EXPECT_EQ(to_mouse(0xff), (Bytes{0x1fa, 0x1aa, 0x100}));
  EXPECT_EQ(isa.rises(12), 3u);
  EXPECT_EQ(isa.rises(1), 0u);
}

TEST_F(I8042, mouse_packet_interrupts_for_each_byte) {
  to_mouse(0xf4);
  isa.clear();
  device.move(1, 2, 0, 0);
  EXPECT_EQ(drain(), (Bytes{0x128, 0x101, 0x1fe}));
  EXPECT_EQ(isa.rises(12), 3u);
}

TEST_F(I8042, disabled_mouse_keeps_its_packets) {
  to_mouse(0xf4);
  command(0xa7);
  device.move(1, 0, 0, 0);
  EXPECT_EQ(drain(), Bytes{});
  command(0xa8);
  EXPECT_EQ(drain(), (Bytes{0x108, 0x101, 0x100}));
}

TEST_F(I8042, mouse_bytes_are_not_translated) {
  command(0x60, 0x47);
  to_mouse(0xf4);
  device.move(0x1c, 0, 0, 0);
  EXPECT_EQ(drain(), (Bytes{0x108, 0x11c, 0x100}));
}

TEST_F(I8042, keyboard_goes_first) {
  to_mouse(0xf4);
  command(0x60, 0x33);
  device.move(1, 0, 0, 0);
  device.key(0x1e, true);
  command(0x60, 0x03);
  EXPECT_EQ(drain(), (Bytes{0x1c, 0x108, 0x101, 0x100}));
}

// ---- state

TEST_F(I8042, load_raises_the_line_and_tells_the_leds) {
  to_keyboard(0xed);
  to_keyboard(0x01);
  device.key(0x1e, true);
  command(0xdd);
  I8042Rig copy;
  ASSERT_TRUE(tests::load_rig(copy, tests::save_rig(static_cast<I8042Rig&>(*this))));
  EXPECT_TRUE(copy.isa.level(1));
  EXPECT_EQ(copy.a20, (std::vector<bool>{false}));
  EXPECT_EQ(copy.device.leds(), core::kScrollLed);
  EXPECT_EQ(copy.drain(), (Bytes{0x1c}));
}

TEST_F(I8042, load_goes_on_inside_a_packet) {
  for (const unsigned byte : {0xf3U, 200U, 0xf3U, 100U, 0xf3U, 80U, 0xf4U})
    to_mouse(byte);
  device.move(1, 0, 5, 0);
  for (int i = 0; i < 2; ++i)
    io.in8(0x60);
  I8042Rig copy;
  ASSERT_TRUE(tests::load_rig(copy, tests::save_rig(static_cast<I8042Rig&>(*this))));
  EXPECT_EQ(copy.drain(), (Bytes{0x100, 0x105}));
}

TEST_F(I8042, obeys_the_state_law) {
  tests::check_state_law<I8042Rig>();
}

}  // namespace
