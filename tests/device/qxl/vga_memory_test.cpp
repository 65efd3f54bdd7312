// The window A0000-BFFFF: addressing, read and write modes, latches, and when the CPU sees the memory itself.
#include "tests/device/qxl/qxl_rig.h"
#include "tests/device/qxl/vga_modes.h"

namespace {

using tests::QxlRig;

// Mode 12h: planar, 64 KiB at A0000. A word of video memory holds one byte a plane, plane 0 lowest.
struct Planar : testing::Test {
  Planar() { tests::set_mode(rig, tests::kMode12); }
  // Loads the latches with a word of memory.
  void latch(std::uint32_t word) {
    rig.set_word(0x100, word);
    rig.peek(0xa0100);
  }
  QxlRig rig;
};

constexpr std::uint32_t kLatch = 0x0ff0aa55;

TEST_F(Planar, write_mode_0_writes_all_enabled_planes) {
  rig.seq(2, 0x5);
  rig.set_word(7, 0x11223344);
  rig.poke(0xa0007, 0x9c);
  EXPECT_EQ(rig.word(7), 0x119c339cu);
}

TEST_F(Planar, write_mode_0_rotates_right) {
  rig.gfx(3, 3);
  rig.poke(0xa0000, 0x81);
  EXPECT_EQ(rig.word(0), 0x30303030u);
}

TEST_F(Planar, write_mode_0_takes_set_reset_where_enabled) {
  rig.gfx(0, 0x6);
  rig.gfx(1, 0x3);
  rig.poke(0xa0000, 0x3c);
  EXPECT_EQ(rig.word(0), 0x3c3cff00u);
}

TEST_F(Planar, write_mode_0_bit_mask_keeps_latches) {
  latch(kLatch);
  rig.gfx(8, 0x0f);
  rig.poke(0xa0000, 0xff);
  EXPECT_EQ(rig.word(0), 0x0fffaf5fu);
}

TEST_F(Planar, logical_functions_combine_with_latches) {
  const std::uint32_t data = 0x3c3c3c3c;
  const std::uint32_t expected[] = {data, data & kLatch, data | kLatch, data ^ kLatch};
  for (unsigned function = 0; function < 4; ++function) {
    latch(kLatch);
    rig.gfx(3, function << 3);
    rig.poke(0xa0000, 0x3c);
    EXPECT_EQ(rig.word(0), expected[function]) << function;
  }
}

TEST_F(Planar, write_mode_1_copies_latches) {
  latch(kLatch);
  rig.gfx(5, 1);
  rig.gfx(8, 0x00);
  rig.poke(0xa0020, 0x77);
  EXPECT_EQ(rig.word(0x20), kLatch);
  rig.seq(2, 0x8);
  rig.poke(0xa0021, 0x77);
  EXPECT_EQ(rig.word(0x21), kLatch & 0xff000000);
}

TEST_F(Planar, write_mode_2_spreads_a_colour) {
  latch(kLatch);
  rig.gfx(5, 2);
  rig.gfx(8, 0xf0);
  rig.poke(0xa0000, 0xfa);  // the upper bits do not count
  EXPECT_EQ(rig.word(0), 0xff00fa05u);
}

TEST_F(Planar, write_mode_2_applies_functions) {
  latch(kLatch);
  rig.gfx(5, 2);
  rig.gfx(3, 3 << 3);
  rig.poke(0xa0000, 0x5);
  EXPECT_EQ(rig.word(0), kLatch ^ 0x00ff00ffu);
}

TEST_F(Planar, write_mode_3_uses_data_as_mask) {
  latch(kLatch);
  rig.gfx(5, 3);
  rig.gfx(0, 0x9);
  rig.gfx(3, 4);  // rotates the mask
  rig.gfx(8, 0x3f);
  rig.poke(0xa0000, 0xf1);  // rotated: 1f
  EXPECT_EQ(rig.word(0), (0xff0000ffu & 0x1f1f1f1f) | (kLatch & ~0x1f1f1f1fu));
}

TEST_F(Planar, read_mode_0_returns_the_selected_plane) {
  rig.set_word(5, 0x44332211);
  for (unsigned plane = 0; plane < 4; ++plane) {
    rig.gfx(4, plane);
    EXPECT_EQ(rig.peek(0xa0005), 0x11 * (plane + 1));
  }
}

TEST_F(Planar, read_mode_1_compares_colours) {
  rig.set_word(0, 0xff0f3355);  // pixels by bit 7..0: planes 3,2,1,0
  rig.gfx(5, 8);
  rig.gfx(2, 0xf);
  rig.gfx(7, 0xf);
  EXPECT_EQ(rig.peek(0xa0000), 0x01);
  rig.gfx(7, 0x9);
  EXPECT_EQ(rig.peek(0xa0000), 0x55);
  rig.gfx(2, 0x8);
  EXPECT_EQ(rig.peek(0xa0000), 0xaa);
  rig.gfx(7, 0x0);
  EXPECT_EQ(rig.peek(0xa0000), 0xff);
}

TEST_F(Planar, reads_load_all_latches) {
  latch(kLatch);
  rig.gfx(5, 1);
  rig.poke(0xa0300, 0);
  EXPECT_EQ(rig.word(0x300), kLatch);
}

TEST_F(Planar, wide_accesses_are_bytes_in_order) {
  rig.mmio.write(0xa0010, 4, 0x44332211);
  EXPECT_EQ(rig.word(0x10), 0x11111111u);
  EXPECT_EQ(rig.word(0x13), 0x44444444u);
  EXPECT_EQ(rig.mmio.read(0xa0010, 8), 0x0000000044332211u);
}

TEST_F(Planar, memory_maps_bound_the_window) {
  struct Map {
    unsigned select;
    std::uint32_t first, last;
  };
  const Map maps[] = {{0, 0xa0000, 0xbffff}, {1, 0xa0000, 0xaffff}, {2, 0xb0000, 0xb7fff}, {3, 0xb8000, 0xbffff}};
  for (const auto& map : maps) {
    SCOPED_TRACE(map.select);
    rig.gfx(6, 1 | map.select << 2);
    for (const std::uint32_t at : {0xa0000u, 0xaffffu, 0xb0000u, 0xb7fffu, 0xb8000u, 0xbffffu}) {
      const auto word = (at - map.first) & 0xffff;
      rig.set_word(word, 0);
      rig.poke(at, 0x5a);
      const bool inside = at >= map.first && at <= map.last;
      EXPECT_EQ(rig.word(word), inside ? 0x5a5a5a5au : 0u) << std::hex << at;
      EXPECT_EQ(rig.peek(at), inside ? 0x5a : 0xff) << std::hex << at;
    }
  }
}

TEST_F(Planar, disabled_memory_does_not_answer) {
  rig.out8(0x3c2, 0xe1);
  rig.poke(0xa0000, 0x5a);
  EXPECT_EQ(rig.word(0), 0u);
  EXPECT_EQ(rig.peek(0xa0000), 0xff);
}

TEST_F(Planar, is_never_mapped) {
  EXPECT_EQ(rig.mapped(0xa0000).size, 0u);
}

struct OddEven : testing::Test {
  OddEven() { tests::set_mode(rig, tests::kMode3); }
  QxlRig rig;
};

TEST_F(OddEven, even_bytes_go_to_plane_0_and_odd_ones_to_plane_1) {
  rig.mmio.write(0xb8000, 4, 0x1f421e41);
  EXPECT_EQ(rig.word(0), 0x1e41u);
  EXPECT_EQ(rig.word(1), 0x1f42u);
  EXPECT_EQ(rig.peek(0xb8003), 0x1f);
}

TEST_F(OddEven, map_mask_and_read_map_choose_the_pair) {
  rig.seq(2, 0xc);
  rig.mmio.write(0xb8000, 2, 0x6655);
  EXPECT_EQ(rig.word(0), 0x66550000u);
  EXPECT_EQ(rig.peek(0xb8000), 0);
  rig.gfx(4, 2);
  EXPECT_EQ(rig.peek(0xb8000), 0x55);
  EXPECT_EQ(rig.peek(0xb8001), 0x66);
}

TEST_F(OddEven, bios_font_load_reaches_plane_2) {
  rig.seq(2, 4);
  rig.seq(4, 7);
  rig.gfx(4, 2);
  rig.gfx(5, 0);
  rig.gfx(6, 4);
  rig.poke(0xa0000 + 65 * 32, 0x18);
  EXPECT_EQ(rig.word(65 * 32), 0x180000u);
  EXPECT_EQ(rig.peek(0xa0000 + 65 * 32), 0x18);
}

struct Chain4 : testing::Test {
  Chain4() { tests::set_mode(rig, tests::kMode13); }
  QxlRig rig;
};

TEST_F(Chain4, bytes_lie_in_order) {
  rig.mmio.write(0xa0010, 4, 0x44332211);
  EXPECT_EQ(rig.word(4), 0x44332211u);
  EXPECT_EQ(rig.peek(0xa0012), 0x33);
}

TEST_F(Chain4, is_mapped_while_the_data_path_is_plain) {
  const auto region = rig.mapped(0xa0000);
  EXPECT_EQ(region.start, core::Gpa(0xa0000));
  EXPECT_EQ(region.size, 0x10000u);
  EXPECT_EQ(region.offset, 0u);
  EXPECT_TRUE(region.writable);
  EXPECT_TRUE(region.log_dirty);
}

struct PathCase {
  const char* name;
  unsigned group, index, value;
};
class Chain4Path : public testing::TestWithParam<PathCase> {};

TEST_P(Chain4Path, is_unmapped_by_anything_the_handler_must_see) {
  QxlRig rig;
  tests::set_mode(rig, tests::kMode13);
  const auto& [name, group, index, value] = GetParam();
  const auto port = static_cast<std::uint16_t>(group);
  rig.out8(port, index);
  const auto before = rig.in8(static_cast<std::uint16_t>(port + 1));
  rig.out16(port, index | value << 8);
  EXPECT_EQ(rig.mapped(0xa0000).size, 0u);
  rig.out16(port, index | static_cast<unsigned>(before) << 8);
  EXPECT_NE(rig.mapped(0xa0000).size, 0u);
}

INSTANTIATE_TEST_SUITE_P(Registers, Chain4Path,
                         testing::Values(PathCase{"map mask", 0x3c4, 2, 0x7}, PathCase{"chain 4", 0x3c4, 4, 0x6},
                                         PathCase{"set/reset", 0x3ce, 1, 0x1}, PathCase{"function", 0x3ce, 3, 0x8},
                                         PathCase{"rotation", 0x3ce, 3, 0x1}, PathCase{"write mode", 0x3ce, 5, 0x41},
                                         PathCase{"read mode", 0x3ce, 5, 0x48}, PathCase{"bit mask", 0x3ce, 8, 0xfe}));

TEST_F(Chain4, mapping_follows_the_memory_map) {
  rig.gfx(6, 0x01);
  EXPECT_EQ(rig.mapped(0xa0000).size, 0x20000u);
  rig.gfx(6, 0x0d);
  EXPECT_EQ(rig.mapped(0xa0000).size, 0u);
  EXPECT_EQ(rig.mapped(0xb8000).size, 0x8000u);
  rig.out8(0x3c2, 0x61);
  EXPECT_EQ(rig.mapped(0xb8000).size, 0u);
}

TEST_F(Chain4, reset_unmaps) {
  {
    const std::scoped_lock guard(rig.device.lock());
    rig.device.reset();
  }
  EXPECT_EQ(rig.mapped(0xa0000).size, 0u);
}

TEST_F(Chain4, handler_obeys_map_mask_and_bit_mask) {
  rig.set_word(0, 0xffffffff);
  rig.seq(2, 0x5);
  rig.mmio.write(0xa0000, 4, 0);
  EXPECT_EQ(rig.word(0), 0xff00ff00u);
  rig.seq(2, 0xf);
  rig.gfx(8, 0xf0);
  rig.peek(0xa0000);
  rig.poke(0xa0001, 0x00);
  EXPECT_EQ(rig.word(0), 0xff000f00u);
}

struct RamMapRecorder final : core::RamMapListener {
  void region_removed(const core::RamRegion&) override { ++removed; }
  void region_added(const core::RamRegion&) override { ++added; }
  unsigned removed = 0;
  unsigned added = 0;
};

TEST_F(Chain4, bank_switch_is_one_step_for_the_accelerator) {
  rig.vbe_mode(640, 480, 8);
  RamMapRecorder recorder;
  rig.ram_map.set_listener(&recorder);
  recorder = {};
  rig.vbe(5, 1);
  EXPECT_EQ(recorder.removed, 1u);
  EXPECT_EQ(recorder.added, 1u);
  rig.vbe(5, 1);
  EXPECT_EQ(recorder.added, 1u) << "no change, no remapping";
  rig.ram_map.set_listener(nullptr);
}

TEST(VbeMemory, handler_reaches_the_bank) {
  QxlRig rig;
  rig.vbe_mode(640, 480, 8);
  rig.vbe(5, 2);
  rig.poke(0xa0004, 0x77);
  EXPECT_EQ(rig.word(0x20004 / 4), 0x77u);
  EXPECT_EQ(rig.peek(0xa0004), 0x77);
  EXPECT_EQ(rig.peek(0xb0004), 0xff);
}

TEST(VbeMemory, planar_banks_cover_four_planes) {
  QxlRig rig;
  tests::set_mode(rig, tests::kMode12);
  rig.vbe_mode(800, 600, 4);
  rig.vbe(5, 1);
  rig.poke(0xa0001, 0x3c);
  EXPECT_EQ(rig.word(0x10001), 0x3c3c3c3cu);
  rig.vbe(5, 0xffff);
  EXPECT_EQ(rig.vbe(5), 63);
  rig.poke(0xaffff, 0x3c);
  EXPECT_EQ(rig.word(0x3fffff), 0x3c3c3c3cu);
}

}  // namespace
