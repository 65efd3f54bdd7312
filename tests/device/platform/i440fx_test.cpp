#include "devices/platform/i440fx.h"

#include <gtest/gtest.h>

#include "devices/platform/i440fx_abi.h"
#include "tests/device/fake_wiring.h"
#include "tests/state/state_law.h"

namespace {

using namespace devices::platform::i440fx_abi;

constexpr std::uint64_t kMib = 1 << 20;
constexpr std::uint64_t kFourGib = std::uint64_t{4} << 30;

struct I440fxRig {
  core::RamMap map;
  std::unique_ptr<core::GuestMemory> ram;
  std::unique_ptr<core::MemoryBlock> bios = *core::MemoryBlock::create("bios", 0x40000);
  core::AddressSpace mmio{"mmio", 0};
  devices::platform::I440fx device;

  explicit I440fxRig(std::uint64_t memory = 16 * kMib, std::uint64_t below = 16 * kMib)
      : ram(*core::GuestMemory::create(memory, below)), device({map, *ram, *bios}) {
    EXPECT_TRUE(device.attach(mmio));
  }

  std::uint32_t read(std::uint32_t offset, unsigned width) {
    const std::scoped_lock guard(device.lock());
    return device.config_read(offset, width);
  }
  void write(std::uint32_t offset, unsigned width, std::uint32_t value) {
    const std::scoped_lock guard(device.lock());
    device.config_write(offset, width, value);
  }
  // What the CPUs see: "ram", "ram ro", "rom", or "" for nothing.
  std::string at(std::uint64_t address) const {
    const auto region = map.find(core::Gpa(address));
    if (!region) return "";
    if (region->block == bios.get()) return region->writable ? "rom rw" : "rom";
    return region->writable ? "ram" : "ram ro";
  }
  std::uint64_t offset_at(std::uint64_t address) const {
    const auto region = map.find(core::Gpa(address));
    return region ? region->offset + (address - region->start.value()) : ~std::uint64_t{0};
  }
  void scribble() {
    write(PAM0, 4, 0x33133033);
    write(0x5d, 1, 0x21);
    write(SMRAM, 1, 0x4a);
    write(0x50, 2, 0x1234);
    mmio.write(0xc8000, 4, 0xdeadbeef);
  }
};

class I440fx : public testing::Test, protected I440fxRig {};

TEST_F(I440fx, identifies_itself_as_firmware_expects) {
  EXPECT_EQ(read(0x00, 4), 0x12378086u);
  EXPECT_EQ(read(0x08, 4), 0x06000002u);
  EXPECT_EQ(read(0x2c, 4), 0x1100'1af4u);
}

TEST_F(I440fx, map_after_reset) {
  EXPECT_EQ(at(0), "ram");
  EXPECT_EQ(at(0x9ffff), "ram");
  EXPECT_EQ(at(0xa0000), "") << "the VGA window is the display's";
  EXPECT_EQ(at(0xbffff), "");
  EXPECT_EQ(at(0xc0000), "");
  EXPECT_EQ(at(0xdffff), "");
  EXPECT_EQ(at(0xe0000), "rom");
  EXPECT_EQ(at(0xfffff), "rom");
  EXPECT_EQ(at(kMib), "ram");
  EXPECT_EQ(at(16 * kMib - 1), "ram");
  EXPECT_EQ(at(16 * kMib), "");
  EXPECT_EQ(at(kFourGib - 0x40001), "");
  EXPECT_EQ(at(kFourGib - 0x40000), "rom");
  EXPECT_EQ(at(kFourGib - 1), "rom");
  EXPECT_EQ(offset_at(0xffff0), 0x3fff0u);
  EXPECT_EQ(offset_at(kFourGib - 16), 0x3fff0u);
  EXPECT_EQ(offset_at(kMib), kMib);
}

TEST(I440fxMemory, rest_of_the_ram_lies_above_4_gib) {
  I440fxRig rig(24 * kMib, 16 * kMib);
  EXPECT_EQ(rig.at(16 * kMib), "");
  EXPECT_EQ(rig.at(kFourGib), "ram");
  EXPECT_EQ(rig.offset_at(kFourGib), 16 * kMib);
  EXPECT_EQ(rig.at(kFourGib + 8 * kMib), "");
}

TEST(I440fxMemory, less_than_a_mebibyte_is_clipped) {
  I440fxRig rig(0xc8000, 0xc8000);
  rig.write(0x5a, 4, 0x33333333);
  EXPECT_EQ(rig.at(0xc7fff), "ram");
  EXPECT_EQ(rig.at(0xc8000), "");
  EXPECT_EQ(rig.at(kMib), "");
}

TEST_F(I440fx, pam_nibble_covers_its_section) {
  write(0x5a, 1, 0x30);
  EXPECT_EQ(at(0xc3fff), "");
  EXPECT_EQ(at(0xc4000), "ram");
  EXPECT_EQ(at(0xc7fff), "ram");
  EXPECT_EQ(at(0xc8000), "");
  write(0x5f, 1, 0x03);
  EXPECT_EQ(at(0xe8000), "ram");
  EXPECT_EQ(at(0xebfff), "ram");
  EXPECT_EQ(at(0xec000), "rom");
}

TEST_F(I440fx, pam0_covers_64_kib) {
  write(PAM0, 1, 0x30);
  EXPECT_EQ(at(0xeffff), "rom");
  EXPECT_EQ(at(0xf0000), "ram");
  EXPECT_EQ(at(0xfffff), "ram");
  EXPECT_EQ(offset_at(0xf0000), 0xf0000u);
  EXPECT_EQ(at(kFourGib - 1), "rom");
}

TEST_F(I440fx, read_only_shadow) {
  write(PAM0, 1, 0x10);
  EXPECT_EQ(at(0xf0000), "ram ro");
  mmio.write(0xf0000, 4, 0x1);
  EXPECT_EQ(ram->read<std::uint32_t>(core::Gpa(0xf0000)), 0u);
}

TEST_F(I440fx, write_only_shadow_reads_rom_and_stores_into_ram) {
  write(PAM0, 1, 0x20);
  EXPECT_EQ(at(0xf0000), "rom");
  mmio.write(0xf0002, 4, 0x44332211);
  EXPECT_EQ(ram->read<std::uint32_t>(core::Gpa(0xf0002)), 0x44332211u);
  write(PAM0, 1, 0x10);
  EXPECT_EQ(at(0xf0000), "ram ro");
}

TEST_F(I440fx, write_only_shadow_ends_with_its_section) {
  write(0x5a, 1, 0x02);
  mmio.write(0xc3ffe, 4, 0x44332211);
  EXPECT_EQ(ram->read<std::uint32_t>(core::Gpa(0xc3ffe)), 0x2211u);
}

TEST_F(I440fx, nothing_answers_loads_without_ram_or_rom) {
  EXPECT_EQ(mmio.read(0xc0000, 4), 0xffff'ffffu);
}

TEST_F(I440fx, all_shadowed_is_one_region_with_the_ram_above) {
  write(PAM0, 1, 0x30);
  write(0x5a, 4, 0x33333333);
  write(0x5e, 2, 0x3333);
  const auto regions = map.regions();
  ASSERT_EQ(regions.size(), 3u);
  EXPECT_EQ(regions[1].start, core::Gpa(0xc0000));
  EXPECT_EQ(regions[1].size, 16 * kMib - 0xc0000);
}

// Counts what the accelerator is told.
class Listener final : public core::RamMapListener {
 public:
  void region_removed(const core::RamRegion&) override { ++removed; }
  void region_added(const core::RamRegion&) override { ++added; }
  unsigned removed = 0;
  unsigned added = 0;
};

TEST_F(I440fx, unchanged_pam_is_no_change_of_the_map) {
  Listener listener;
  map.set_listener(&listener);
  listener = {};
  write(0x5a, 4, 0);
  write(PAM0, 1, 0x40);  // the cache bit has no effect
  EXPECT_EQ(listener.added + listener.removed, 0u);
  map.set_listener(nullptr);
}

TEST_F(I440fx, one_write_is_one_step_for_the_accelerator) {
  Listener listener;
  map.set_listener(&listener);
  listener = {};
  write(0x5a, 4, 0x33333333);
  EXPECT_EQ(listener.added, 1u);
  EXPECT_EQ(listener.removed, 0u);
  map.set_listener(nullptr);
}

TEST_F(I440fx, open_smram_shows_ram_in_the_vga_window) {
  write(SMRAM, 1, D_OPEN);
  EXPECT_EQ(at(0xa0000), "") << "there is no SMRAM without G_SMRAME";
  write(SMRAM, 1, G_SMRAME | D_OPEN);
  EXPECT_EQ(at(0xa0000), "ram");
  EXPECT_EQ(offset_at(0xbf000), 0xbf000u);
  write(SMRAM, 1, G_SMRAME);
  EXPECT_EQ(at(0xa0000), "");
}

TEST_F(I440fx, locked_smram_closes_until_reset) {
  write(SMRAM, 1, G_SMRAME | D_OPEN | D_LCK);
  EXPECT_EQ(at(0xa0000), "");
  write(SMRAM, 1, G_SMRAME | D_OPEN);
  EXPECT_EQ(at(0xa0000), "");
  EXPECT_EQ(read(SMRAM, 1), unsigned{G_SMRAME | D_LCK} | 2u);
  tests::reset_rig(static_cast<I440fxRig&>(*this));
  write(SMRAM, 1, G_SMRAME | D_OPEN);
  EXPECT_EQ(at(0xa0000), "ram");
}

TEST_F(I440fx, reset_shows_the_rom_again) {
  write(PAM0, 1, 0x30);
  tests::reset_rig(static_cast<I440fxRig&>(*this));
  EXPECT_EQ(at(0xf0000), "rom");
}

TEST_F(I440fx, load_restores_the_map) {
  write(PAM0, 1, 0x30);
  write(0x5a, 1, 0x11);
  I440fxRig copy;
  ASSERT_TRUE(tests::load_rig(copy, tests::save_rig(static_cast<I440fxRig&>(*this))));
  EXPECT_EQ(copy.at(0xf0000), "ram");
  EXPECT_EQ(copy.at(0xc0000), "ram ro");
}

TEST(I440fxState, obeys_the_state_law) {
  tests::check_state_law<I440fxRig>();
}

}  // namespace
