#include "devices/platform/pic.h"

#include <gtest/gtest.h>

#include "tests/device/fake_wiring.h"
#include "tests/state/state_law.h"

namespace {

struct PicRig {
  tests::FakeBus io;
  tests::RecordingIrqSink intr;
  devices::platform::Pic device{{.intr = intr}};

  PicRig() { EXPECT_TRUE(device.attach(io.space)); }

  // What every BIOS does: vectors 08h and 70h, nothing masked.
  void initialise(unsigned master_icw4 = 1, unsigned slave_icw4 = 1) {
    io.out8(0x20, 0x11);
    io.out8(0x21, 0x08);
    io.out8(0x21, 0x04);
    io.out8(0x21, master_icw4);
    io.out8(0xa0, 0x11);
    io.out8(0xa1, 0x70);
    io.out8(0xa1, 0x02);
    io.out8(0xa1, slave_icw4);
  }
  void edge(unsigned input) {
    device.set_input(input, true);
    device.set_input(input, false);
  }
  std::uint8_t isr(unsigned port) {
    io.out8(port, 0x0b);
    return io.in8(port);
  }
  std::uint8_t irr(unsigned port) {
    io.out8(port, 0x0a);
    return io.in8(port);
  }

  void scribble() {
    initialise();
    io.out8(0x4d0, 0xff);
    io.out8(0x4d1, 0xff);
    io.out8(0x21, 0x40);
    for (const unsigned input : {1U, 3U, 9U, 12U, 14U})
      device.set_input(input, true);
    device.acknowledge();
    io.out8(0x20, 0xc3);
    io.out8(0xa0, 0x6b);
    io.out8(0xa0, 0x0c);
    io.out8(0xa0, 0x13);
    io.out8(0xa1, 0x77);
  }
  void release_inputs() {
    for (unsigned input = 0; input < 16; ++input)
      device.set_input(input, false);
  }
};

class Pic : public testing::Test, protected PicRig {
 protected:
  Pic() { initialise(); }
};

TEST_F(Pic, edge_raises_intr_and_acknowledge_gives_its_vector) {
  edge(1);
  EXPECT_TRUE(intr.level());
  EXPECT_TRUE(device.pending());
  EXPECT_EQ(device.acknowledge(), 0x09);
  EXPECT_FALSE(intr.level());
  EXPECT_EQ(isr(0x20), 0x02);
  EXPECT_EQ(irr(0x20), 0x00);
}

TEST_F(Pic, slave_request_arrives_through_the_cascade) {
  edge(12);
  EXPECT_EQ(irr(0x20), 0x04);
  EXPECT_EQ(device.acknowledge(), 0x74);
  EXPECT_EQ(isr(0x20), 0x04);
  EXPECT_EQ(isr(0xa0), 0x10);
}

TEST_F(Pic, lower_priority_waits_for_end_of_interrupt) {
  edge(1);
  device.acknowledge();
  edge(3);
  EXPECT_FALSE(device.pending());
  io.out8(0x20, 0x20);
  EXPECT_TRUE(device.pending());
  EXPECT_EQ(device.acknowledge(), 0x0b);
}

TEST_F(Pic, higher_priority_interrupts_the_lower) {
  edge(3);
  device.acknowledge();
  edge(1);
  EXPECT_EQ(device.acknowledge(), 0x09);
  EXPECT_EQ(isr(0x20), 0x0a);
  io.out8(0x20, 0x20);  // ends the foremost
  EXPECT_EQ(isr(0x20), 0x08);
  io.out8(0x20, 0x63);  // ends IRQ3 by name
  EXPECT_EQ(isr(0x20), 0x00);
}

TEST_F(Pic, masked_edge_is_kept_until_unmasked) {
  io.out8(0x21, 0x10);
  edge(4);
  EXPECT_FALSE(device.pending());
  EXPECT_EQ(irr(0x20), 0x10);
  io.out8(0x21, 0x00);
  EXPECT_EQ(device.acknowledge(), 0x0c);
}

TEST_F(Pic, acknowledge_of_nothing_is_the_spurious_irq7) {
  EXPECT_EQ(device.acknowledge(), 0x0f);
  EXPECT_EQ(isr(0x20), 0x00);
}

TEST_F(Pic, request_masked_at_the_slave_after_it_asked_is_the_spurious_irq15) {
  edge(10);
  io.out8(0xa1, 0xff);
  EXPECT_EQ(device.acknowledge(), 0x77);
  EXPECT_EQ(isr(0xa0), 0x00);
  EXPECT_EQ(isr(0x20), 0x04);  // the master does need its end of interrupt
}

TEST_F(Pic, level_line_asks_again_after_end_of_interrupt) {
  io.out8(0x4d1, 0x08);
  device.set_input(11, true);
  EXPECT_EQ(device.acknowledge(), 0x73);
  EXPECT_FALSE(device.pending());
  io.out8(0xa0, 0x20);
  io.out8(0x20, 0x20);
  EXPECT_TRUE(device.pending());
  EXPECT_EQ(device.acknowledge(), 0x73);
  device.set_input(11, false);
  io.out8(0xa0, 0x20);
  io.out8(0x20, 0x20);
  EXPECT_FALSE(device.pending());
}

TEST_F(Pic, level_line_that_falls_is_forgotten) {
  io.out8(0x4d0, 0x20);
  device.set_input(5, true);
  EXPECT_TRUE(device.pending());
  device.set_input(5, false);
  EXPECT_FALSE(device.pending());
  EXPECT_FALSE(intr.level());
}

TEST_F(Pic, held_edge_line_asks_once) {
  device.set_input(5, true);
  EXPECT_EQ(device.acknowledge(), 0x0d);
  io.out8(0x20, 0x20);
  EXPECT_FALSE(device.pending());
}

TEST_F(Pic, edge_level_registers_keep_system_inputs_edge) {
  io.out8(0x4d0, 0xff);
  io.out8(0x4d1, 0xff);
  EXPECT_EQ(io.in8(0x4d0), 0xf8);
  EXPECT_EQ(io.in8(0x4d1), 0xde);
}

TEST_F(Pic, word_write_reaches_both_edge_level_registers) {
  io.out16(0x4d0, 0x0820);
  EXPECT_EQ(io.in16(0x4d0), 0x0820);
}

TEST_F(Pic, auto_eoi_leaves_nothing_in_service) {
  initialise(3);
  edge(1);
  EXPECT_EQ(device.acknowledge(), 0x09);
  EXPECT_EQ(isr(0x20), 0x00);
  edge(6);
  EXPECT_TRUE(device.pending());
}

TEST_F(Pic, auto_eoi_slave_with_two_requests_delivers_both) {
  initialise(3, 3);
  edge(9);
  edge(10);
  EXPECT_EQ(device.acknowledge(), 0x71);
  EXPECT_TRUE(device.pending());
  EXPECT_EQ(device.acknowledge(), 0x72);
  EXPECT_FALSE(device.pending());
}

TEST_F(Pic, rotation_in_auto_eoi_mode_takes_turns) {
  initialise(3);
  io.out8(0x20, 0x80);
  edge(0);
  device.acknowledge();
  edge(0);
  edge(1);
  EXPECT_EQ(device.acknowledge(), 0x09);
  EXPECT_EQ(device.acknowledge(), 0x08);
}

TEST_F(Pic, rotating_end_of_interrupt_makes_the_input_last) {
  edge(1);
  device.acknowledge();
  io.out8(0x20, 0xa0);
  edge(1);
  edge(5);
  EXPECT_EQ(device.acknowledge(), 0x0d);
}

TEST_F(Pic, rotating_specific_end_of_interrupt_makes_the_named_input_last) {
  edge(3);
  device.acknowledge();
  io.out8(0x20, 0xe3);
  EXPECT_EQ(isr(0x20), 0x00);
  edge(0);
  edge(4);
  EXPECT_EQ(device.acknowledge(), 0x0c);
}

TEST_F(Pic, set_priority_command_names_the_lowest) {
  io.out8(0x20, 0xc4);
  edge(0);
  edge(5);
  EXPECT_EQ(device.acknowledge(), 0x0d);
}

TEST_F(Pic, special_mask_mode_lets_lower_priorities_through) {
  edge(1);
  device.acknowledge();
  edge(6);
  EXPECT_FALSE(device.pending());
  io.out8(0x21, 0x02);
  EXPECT_FALSE(device.pending());
  io.out8(0x20, 0x68);
  EXPECT_TRUE(device.pending());
  EXPECT_EQ(device.acknowledge(), 0x0e);
  io.out8(0x20, 0x20);  // ends IRQ6: IRQ1 is masked
  EXPECT_EQ(isr(0x20), 0x02);
  io.out8(0x20, 0x48);
  EXPECT_EQ(isr(0x20), 0x02);
}

TEST_F(Pic, special_fully_nested_slave_interrupts_itself) {
  initialise(0x11);
  edge(12);
  EXPECT_EQ(device.acknowledge(), 0x74);
  edge(9);
  EXPECT_TRUE(device.pending());
  EXPECT_EQ(device.acknowledge(), 0x71);
}

TEST_F(Pic, fully_nested_slave_waits_for_the_master) {
  edge(12);
  device.acknowledge();
  edge(9);
  EXPECT_FALSE(device.pending());
  io.out8(0x20, 0x20);
  EXPECT_TRUE(device.pending());
}

TEST_F(Pic, poll_acknowledges_and_names_the_input) {
  edge(3);
  io.out8(0x20, 0x0c);
  EXPECT_EQ(io.in8(0x20), 0x83);
  EXPECT_FALSE(device.pending());
  EXPECT_EQ(isr(0x20), 0x08);
}

TEST_F(Pic, poll_of_nothing_is_zero_and_lasts_one_read) {
  io.out8(0x21, 0x5a);
  io.out8(0x20, 0x0c);
  EXPECT_EQ(io.in8(0x21), 0x00);
  EXPECT_EQ(io.in8(0x21), 0x5a);
}

TEST_F(Pic, poll_of_the_slave_leaves_its_next_request_visible) {
  edge(9);
  edge(8);
  io.out8(0x20, 0x0c);
  EXPECT_EQ(io.in8(0x20), 0x82);
  io.out8(0xa0, 0x0c);
  EXPECT_EQ(io.in8(0xa0), 0x80);
  io.out8(0xa0, 0x20);
  io.out8(0x20, 0x20);
  EXPECT_EQ(device.acknowledge(), 0x71);
}

TEST_F(Pic, icw1_clears_masks_services_and_edges) {
  io.out8(0x21, 0xff);
  edge(5);
  io.out8(0x20, 0x11);
  EXPECT_EQ(irr(0x20), 0x00);
  io.out8(0x21, 0x20);
  io.out8(0x21, 0x04);
  io.out8(0x21, 0x01);
  EXPECT_EQ(io.in8(0x21), 0x00);
  edge(5);
  EXPECT_EQ(device.acknowledge(), 0x25);
}

TEST_F(Pic, line_held_over_icw1_needs_a_new_edge) {
  device.set_input(5, true);
  initialise();
  EXPECT_FALSE(device.pending());
  device.set_input(5, false);
  device.set_input(5, true);
  EXPECT_TRUE(device.pending());
}

TEST_F(Pic, icw1_level_mode_follows_every_line) {
  io.out8(0x20, 0x19);
  io.out8(0x21, 0x08);
  io.out8(0x21, 0x04);
  io.out8(0x21, 0x01);
  device.set_input(1, true);
  EXPECT_TRUE(device.pending());
  device.set_input(1, false);
  EXPECT_FALSE(device.pending());
}

TEST_F(Pic, single_mode_without_icw4_needs_two_words) {
  io.out8(0x20, 0x12);
  io.out8(0x21, 0x40);
  io.out8(0x21, 0xaa);
  EXPECT_EQ(io.in8(0x21), 0xaa);
}

TEST_F(Pic, inputs_that_are_not_wires_are_ignored) {
  device.set_input(2, true);
  device.set_input(16, true);
  EXPECT_FALSE(device.pending());
}

TEST_F(Pic, load_raises_intr) {
  edge(1);
  PicRig copy;
  ASSERT_TRUE(tests::load_rig(copy, tests::save_rig(static_cast<PicRig&>(*this))));
  EXPECT_TRUE(copy.intr.level());
  EXPECT_EQ(copy.device.acknowledge(), 0x09);
}

TEST_F(Pic, obeys_the_state_law) {
  tests::check_state_law<PicRig>();
}

}  // namespace
