// The VGA's and the Bochs display interface's ports.
#include <chrono>

#include "tests/device/qxl/qxl_rig.h"
#include "tests/device/qxl/vga_modes.h"

namespace {

using namespace std::chrono_literals;
using tests::QxlRig;

struct Vga : testing::Test {
  Vga() { rig.out8(0x3c2, 0x67); }
  unsigned read_indexed(std::uint16_t port, unsigned index) {
    rig.out8(port, index);
    return rig.in8(static_cast<std::uint16_t>(port + 1));
  }
  unsigned read_attr(unsigned index) {
    rig.in8(0x3da);
    rig.out8(0x3c0, index | 0x20);
    return rig.in8(0x3c1);
  }
  QxlRig rig;
};

TEST_F(Vga, sequencer_keeps_its_writable_bits) {
  const unsigned masks[] = {0x03, 0x3d, 0x0f, 0x3f, 0x0e, 0, 0, 0};
  for (unsigned i = 0; i < 8; ++i) {
    rig.seq(i, 0xff);
    EXPECT_EQ(read_indexed(0x3c4, i), masks[i]) << i;
  }
  rig.out8(0x3c4, 0xff);
  EXPECT_EQ(rig.in8(0x3c4), 7);
}

TEST_F(Vga, graphics_controller_keeps_its_writable_bits) {
  const unsigned masks[] = {0x0f, 0x0f, 0x0f, 0x1f, 0x03, 0x7b, 0x0f, 0x0f, 0xff, 0};
  for (unsigned i = 0; i < 10; ++i) {
    rig.gfx(i, 0xff);
    EXPECT_EQ(read_indexed(0x3ce, i), masks[i]) << i;
  }
}

TEST_F(Vga, crt_controller_keeps_its_writable_bits) {
  for (unsigned i = 0; i < 0x19; ++i) {
    rig.crtc(0x11, 0);
    rig.crtc(i, 0xff);
    const unsigned expected = i == 0x08 || i == 0x0b || i == 0x14 ? 0x7f : i == 0x0a ? 0x3f : i == 0x17 ? 0xef : 0xff;
    EXPECT_EQ(read_indexed(0x3d4, i), expected) << i;
  }
  EXPECT_EQ(read_indexed(0x3d4, 0x19), 0u);
  EXPECT_EQ(read_indexed(0x3d4, 0xff), 0u);
}

TEST_F(Vga, protected_crt_registers_change_only_the_line_compare_bit) {
  rig.crtc(0, 0x5f);
  rig.crtc(7, 0x1f);
  rig.crtc(0x11, 0x80);
  rig.crtc(0, 0x11);
  rig.crtc(7, 0xe0);
  EXPECT_EQ(read_indexed(0x3d4, 0), 0x5fu);
  EXPECT_EQ(read_indexed(0x3d4, 7), 0x0fu);
  rig.crtc(8, 0x05);
  EXPECT_EQ(read_indexed(0x3d4, 8), 0x05u);
}

TEST_F(Vga, attribute_port_alternates_between_index_and_data) {
  rig.in8(0x3da);
  rig.out8(0x3c0, 0x31);
  rig.out8(0x3c0, 0xa5);
  rig.out8(0x3c0, 0x02);
  rig.in8(0x3da);  // an index again
  rig.out8(0x3c0, 0x05);
  rig.out8(0x3c0, 0xff);
  EXPECT_EQ(read_attr(0x11), 0xa5u);
  EXPECT_EQ(read_attr(0x05), 0x3fu);
  EXPECT_EQ(read_attr(0x02), 0u);
  rig.in8(0x3da);
  rig.out8(0x3c0, 0x2f);
  EXPECT_EQ(rig.in8(0x3c0), 0) << "data comes next";
  rig.in8(0x3da);
  EXPECT_EQ(rig.in8(0x3c0), 0x2f);
}

TEST_F(Vga, attribute_registers_keep_their_writable_bits) {
  const unsigned masks[] = {0xef, 0xff, 0x3f, 0x0f, 0x0f};
  for (unsigned i = 0; i < 5; ++i) {
    rig.attr(0x10 + i, 0xff);
    EXPECT_EQ(read_attr(0x10 + i), masks[i]) << i;
  }
}

TEST_F(Vga, dac_takes_and_gives_colours_in_threes) {
  rig.dac(5, 0x112233);
  rig.dac(6, 0xff3f40);
  EXPECT_EQ(rig.in8(0x3c7), 0) << "last used for writing";
  rig.out8(0x3c7, 5);
  EXPECT_EQ(rig.in8(0x3c7), 3) << "now for reading";
  const unsigned expected[] = {0x11, 0x22, 0x33, 0x3f, 0x3f, 0x00};
  for (const auto component : expected)
    EXPECT_EQ(rig.in8(0x3c9), component);
  EXPECT_EQ(rig.in8(0x3c8), 7) << "the write index stays where it was";
}

TEST_F(Vga, dac_changes_a_colour_when_its_third_component_arrives) {
  rig.dac(9, 0x010203);
  rig.out8(0x3c8, 9);
  rig.out8(0x3c9, 0x20);
  rig.out8(0x3c9, 0x21);
  rig.out8(0x3c7, 9);
  EXPECT_EQ(rig.in8(0x3c9), 1);
}

TEST_F(Vga, dac_index_wraps_around) {
  rig.out8(0x3c8, 255);
  for (unsigned i = 1; i <= 6; ++i)
    rig.out8(0x3c9, i);
  rig.out8(0x3c7, 0);
  EXPECT_EQ(rig.in8(0x3c9), 4);
  rig.out8(0x3c6, 0x5a);
  EXPECT_EQ(rig.in8(0x3c6), 0x5a);
}

TEST_F(Vga, dac_has_eight_bits_when_vbe_says_so) {
  rig.vbe(4, 0x20);
  rig.dac(1, 0xfedcba);
  rig.out8(0x3c7, 1);
  EXPECT_EQ(rig.in8(0x3c9), 0xfe);
  rig.vbe(4, 0);
  rig.dac(1, 0xfedcba);
  rig.out8(0x3c7, 1);
  EXPECT_EQ(rig.in8(0x3c9), 0x3e);
}

TEST_F(Vga, miscellaneous_output_moves_the_crt_ports) {
  rig.crtc(0x0e, 0x42);
  EXPECT_EQ(rig.in8(0x3b5), 0xff);
  EXPECT_EQ(rig.in8(0x3ba), 0xff);
  rig.out8(0x3c2, 0x66);
  EXPECT_EQ(rig.in8(0x3cc), 0x66);
  EXPECT_EQ(rig.in8(0x3d5), 0xff);
  EXPECT_EQ(rig.in8(0x3b5), 0x42);
  rig.out16(0x3d4, 0x990e);
  EXPECT_EQ(rig.in8(0x3b5), 0x42) << "the other address does not write";
  EXPECT_NE(rig.in8(0x3ba), 0xff);
}

TEST_F(Vga, feature_control_reads_back) {
  rig.out8(0x3da, 3);
  EXPECT_EQ(rig.in8(0x3ca), 3);
}

TEST_F(Vga, unused_ports_read_as_ones) {
  EXPECT_EQ(rig.in8(0x3d0), 0xff);
  EXPECT_EQ(rig.in8(0x3cb), 0xff);
  EXPECT_EQ(rig.in8(0x3b0), 0xff);
}

TEST_F(Vga, retrace_comes_once_a_frame) {
  tests::set_mode(rig, tests::kMode3);
  unsigned rises = 0;
  bool before = false;
  for (unsigned i = 0; i < 100'000; ++i) {  // a second in steps of 10 us
    rig.clock.advance(10us);
    const bool now = (rig.in8(0x3da) & 8) != 0;
    if (now && !before) ++rises;
    before = now;
  }
  EXPECT_EQ(rises, 70u);
}

TEST_F(Vga, display_is_off_between_lines_and_during_retrace) {
  tests::set_mode(rig, tests::kMode3);
  rig.clock.set_now(5us);
  EXPECT_EQ(rig.in8(0x3da), 0);
  rig.clock.set_now(30us);
  EXPECT_EQ(rig.in8(0x3da), 1);
  rig.clock.set_now(13ms);
  EXPECT_EQ(rig.in8(0x3da), 9);
}

TEST_F(Vga, registers_without_a_frame_still_give_a_retrace) {
  rig.clock.set_now(13ms);
  EXPECT_EQ(rig.in8(0x3da), 9);
  rig.clock.set_now(1ms);
  EXPECT_EQ(rig.in8(0x3da) & 8, 0);
}

struct VbePorts : Vga {};

TEST_F(VbePorts, identify_as_b0c5) {
  EXPECT_EQ(rig.vbe(0), 0xb0c5);
  rig.vbe(0, 0xb0c2);
  EXPECT_EQ(rig.vbe(0), 0xb0c2);
  rig.vbe(0, 0xb0c6);
  EXPECT_EQ(rig.vbe(0), 0xb0c2);
  EXPECT_EQ(rig.vbe(10), 256) << "16 MiB in 64 KiB";
  EXPECT_EQ(rig.vbe(11), 0);
}

TEST_F(VbePorts, answer_at_1d0_too) {
  rig.out16(0x1ce, 0);
  EXPECT_EQ(rig.io.read(0x1d0, 2), 0xb0c5u);
  rig.io.write(0x1ce, 4, 0x0000'0001);
  rig.io.write(0x1d0, 2, 640);
  EXPECT_EQ(rig.vbe(1), 640);
  EXPECT_EQ(rig.in8(0x1ce), 0xff);
}

TEST_F(VbePorts, report_capabilities) {
  rig.vbe(4, 2);
  EXPECT_EQ(rig.vbe(1), 8192);
  EXPECT_EQ(rig.vbe(2), 8192);
  EXPECT_EQ(rig.vbe(3), 32);
}

TEST_F(VbePorts, mode_is_rounded_and_bounded) {
  rig.vbe_mode(1003, 600, 7);
  EXPECT_EQ(rig.vbe(1), 1000);
  EXPECT_EQ(rig.vbe(3), 8);
  EXPECT_EQ(rig.vbe(6), 1000);
  EXPECT_EQ(rig.vbe(7), 16777);
  rig.vbe_mode(0, 0, 32);
  EXPECT_EQ(rig.vbe(1), 8);
  EXPECT_EQ(rig.vbe(2), 1);
  rig.vbe_mode(0xffff, 0xffff, 32);
  EXPECT_EQ(rig.vbe(1), 8192);
  EXPECT_EQ(rig.vbe(2), 512) << "what 16 MiB hold";
}

TEST_F(VbePorts, largest_usual_mode_fits) {
  rig.vbe_mode(1920, 1080, 32);
  EXPECT_EQ(rig.vbe(1), 1920);
  EXPECT_EQ(rig.vbe(2), 1080);
  EXPECT_EQ(rig.vbe(7), 2184);
}

TEST_F(VbePorts, offsets_beyond_the_memory_are_dropped) {
  rig.vbe_mode(1024, 768, 32);
  rig.vbe(6, 2048);
  EXPECT_EQ(rig.vbe(6), 2048);
  EXPECT_EQ(rig.vbe(7), 2048);
  rig.vbe(8, 512);
  rig.vbe(9, 1000);
  EXPECT_EQ(rig.vbe(8), 512);
  EXPECT_EQ(rig.vbe(9), 1000);
  rig.vbe(9, 2000);
  EXPECT_EQ(rig.vbe(9), 0);
  rig.vbe(6, 100);
  EXPECT_EQ(rig.vbe(6), 1024) << "never shorter than the screen";
}

TEST_F(VbePorts, switching_on_clears_memory_unless_told_not_to) {
  rig.set_word(1000, 0x12345678);
  rig.vbe_mode(640, 480, 8, 0xc1);
  EXPECT_EQ(rig.word(1000), 0x12345678u);
  rig.vbe_mode(640, 480, 8, 0x41);
  EXPECT_EQ(rig.word(1000), 0u);
}

TEST_F(VbePorts, switching_on_begins_unpanned) {
  rig.vbe_mode(640, 480, 8);
  rig.vbe(6, 1024);
  rig.vbe(8, 64);
  rig.vbe(9, 3);
  rig.vbe_mode(640, 480, 8);
  EXPECT_EQ(rig.vbe(6), 640);
  EXPECT_EQ(rig.vbe(8), 0);
  EXPECT_EQ(rig.vbe(9), 0);
}

TEST_F(VbePorts, bank_is_mapped_into_the_window) {
  rig.vbe_mode(1024, 768, 32);
  rig.vbe(5, 3);
  const auto region = rig.mapped(0xa0000);
  EXPECT_EQ(region.offset, 0x30000u);
  EXPECT_EQ(region.size, 0x10000u);
  EXPECT_EQ(region.block, &rig.ram());
  EXPECT_TRUE(region.log_dirty);
  rig.vbe(5, 0xffff);
  EXPECT_EQ(rig.vbe(5), 255);
  rig.vbe(4, 0);
  EXPECT_EQ(rig.mapped(0xa0000).size, 0u);
}

}  // namespace
