// The QXL function as a driver meets it: PCI header, BARs, ROM, RAM header, ports, interrupt.
#include <algorithm>
#include <cstring>
#include <fstream>
#include <iterator>

#include "tests/device/qxl/qxl_rig.h"
#include "tests/state/state_law.h"

namespace {

using devices::qxl::layout_of;
using devices::qxl::QxlFunction;
using devices::qxl::QxlSizes;
using tests::QxlRig;

constexpr std::uint64_t kMib = 1 << 20;
constexpr std::uint8_t kIoCmd = 4;
constexpr std::uint8_t kError = 8;

std::uint32_t config_read(QxlRig& rig, std::uint32_t offset, unsigned width) {
  return rig.bus.config_read(0, QxlRig::kSlot, offset, width);
}

// What firmware learns by writing ones.
std::uint32_t bar_size_bits(QxlRig& rig, std::uint32_t offset) {
  rig.bus.config_write(0, QxlRig::kSlot, offset, 4, 0xffffffff);
  return config_read(rig, offset, 4);
}

QxlFunction::Config with_sizes(const QxlSizes& sizes) {
  QxlFunction::Config config;
  config.sizes = sizes;
  return config;
}

std::vector<std::uint8_t> bytes_of(core::MemoryBlock& block) {
  std::vector<std::uint8_t> bytes(block.size());
  block.all().read(0, bytes);
  return bytes;
}

TEST(QxlFunction, header_names_the_device) {
  QxlRig rig;
  EXPECT_EQ(config_read(rig, 0x00, 4), 0x01001b36u);
  EXPECT_EQ(config_read(rig, 0x08, 4), 0x03000005u);
  EXPECT_EQ(config_read(rig, 0x2c, 4), 0x11001af4u);
  EXPECT_EQ(config_read(rig, 0x3d, 1), 1u);
}

TEST(QxlFunction, default_bars_have_their_sizes) {
  QxlFunction::Config config;
  config.vga_bios.assign(39936, 0x55);
  QxlRig rig(config);
  EXPECT_EQ(bar_size_bits(rig, 0x10), 0xfc000000u);
  EXPECT_EQ(bar_size_bits(rig, 0x14), 0xfc000000u);
  EXPECT_EQ(bar_size_bits(rig, 0x18), 0xffffe000u);
  EXPECT_EQ(bar_size_bits(rig, 0x1c), 0xffffffe1u);
  EXPECT_EQ(bar_size_bits(rig, 0x20), 0u);
  EXPECT_EQ(bar_size_bits(rig, 0x24), 0u);
  EXPECT_EQ(bar_size_bits(rig, 0x30), 0xffff0001u);
}

TEST(QxlFunction, every_revision_has_its_port_bar) {
  const std::uint32_t expected[] = {0xfffffff9, 0xfffffff1, 0xffffffe1, 0xffffffe1, 0xffffffe1};
  for (unsigned revision = 1; revision <= 5; ++revision) {
    SCOPED_TRACE(revision);
    QxlRig rig(with_sizes({.revision = revision}));
    EXPECT_EQ(config_read(rig, 0x08, 1), revision);
    EXPECT_EQ(bar_size_bits(rig, 0x1c), expected[revision - 1]);
    EXPECT_EQ(bar_size_bits(rig, 0x14), revision == 1 ? 0xfffff000u : 0xfc000000u);
  }
}

TEST(QxlFunction, large_vram_gets_a_64_bit_bar_that_bar1_shows_the_start_of) {
  QxlRig rig(with_sizes({.vram64_size_mb = 256}));
  EXPECT_EQ(bar_size_bits(rig, 0x20), 0xf000000cu);
  EXPECT_EQ(bar_size_bits(rig, 0x24), 0xffffffffu);
  rig.place_bars();
  rig.bus.config_write(0, QxlRig::kSlot, 0x20, 4, 0);
  rig.bus.config_write(0, QxlRig::kSlot, 0x24, 4, 1);
  const auto low = rig.mapped(QxlRig::kVram);
  const auto high = rig.mapped(std::uint64_t{1} << 32);
  EXPECT_EQ(low.block, high.block);
  EXPECT_EQ(low.size, 64 * kMib);
  EXPECT_EQ(high.size, 256 * kMib);
}

struct SizeCase {
  QxlSizes sizes;
  std::uint64_t ram, vram, vram64, vgamem;
};

class QxlSizeRules : public testing::TestWithParam<SizeCase> {};

TEST_P(QxlSizeRules, give_the_layout) {
  const auto& wanted = GetParam();
  const auto layout = layout_of(wanted.sizes).value_or(devices::qxl::QxlLayout{});
  EXPECT_EQ(layout.ram_bytes, wanted.ram);
  EXPECT_EQ(layout.vram_bytes, wanted.vram);
  EXPECT_EQ(layout.vram64_bytes, wanted.vram64);
  EXPECT_EQ(layout.vgamem_bytes, wanted.vgamem);
}

INSTANTIATE_TEST_SUITE_P(
    Combinations, QxlSizeRules,
    testing::Values(SizeCase{{}, 64 * kMib, 64 * kMib, 64 * kMib, 16 * kMib},
                    SizeCase{{.ram_size_mb = 100}, 128 * kMib, 64 * kMib, 64 * kMib, 16 * kMib},
                    SizeCase{{.ram_size = 1 * kMib}, 32 * kMib, 64 * kMib, 64 * kMib, 16 * kMib},
                    SizeCase{{.ram_size = 1 * kMib, .ram_size_mb = 48}, 64 * kMib, 64 * kMib, 64 * kMib, 16 * kMib},
                    SizeCase{{.vgamem_mb = 1}, 64 * kMib, 64 * kMib, 64 * kMib, 8 * kMib},
                    SizeCase{{.vgamem_mb = 9}, 64 * kMib, 64 * kMib, 64 * kMib, 16 * kMib},
                    SizeCase{{.vgamem_mb = 64}, 128 * kMib, 64 * kMib, 64 * kMib, 64 * kMib},
                    SizeCase{{.vgamem_mb = 1000}, 512 * kMib, 64 * kMib, 64 * kMib, 256 * kMib},
                    SizeCase{{.vram_size = 0}, 64 * kMib, 4096, 4096, 16 * kMib},
                    SizeCase{{.vram_size_mb = 20}, 64 * kMib, 32 * kMib, 32 * kMib, 16 * kMib},
                    SizeCase{{.vram64_size_mb = 32}, 64 * kMib, 64 * kMib, 64 * kMib, 16 * kMib},
                    SizeCase{{.vram_size_mb = 8, .vram64_size_mb = 1000}, 64 * kMib, 8 * kMib, 1024 * kMib, 16 * kMib},
                    SizeCase{{.revision = 1, .vram64_size_mb = 512}, 64 * kMib, 4096, 4096, 16 * kMib}));

TEST(QxlLayout, refuses_what_no_pc_maps) {
  EXPECT_FALSE(layout_of({.revision = 0}));
  EXPECT_FALSE(layout_of({.revision = 6}));
  EXPECT_FALSE(layout_of({.ram_size_mb = 4096}));
  EXPECT_FALSE(layout_of({.vram_size_mb = 2048}));
  EXPECT_FALSE(layout_of({.vram64_size_mb = 1 << 20}));
}

// tests/data/qxl/rom.bin: the ROM of QEMU 7.2's qxl-vga with its default options, read through BAR2.
TEST(QxlRom, equals_the_golden_bytes) {
  std::ifstream file(MINIVMM_TEST_DATA "/qxl/rom.bin", std::ios::binary);
  const std::vector<char> golden((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  ASSERT_FALSE(golden.empty());
  QxlRig rig;
  auto bytes = bytes_of(rig.rom());
  ASSERT_EQ(bytes.size(), 8192u);
  const auto beyond = std::ranges::find_if(bytes.begin() + static_cast<std::ptrdiff_t>(golden.size()), bytes.end(),
                                           [](std::uint8_t byte) { return byte != 0; });
  EXPECT_EQ(beyond, bytes.end());
  for (std::size_t i = 0; i < golden.size(); ++i)
    ASSERT_EQ(bytes[i], static_cast<std::uint8_t>(golden[i])) << "at " << i;
}

TEST(QxlRom, larger_surfaces_list_more_modes) {
  QxlRig small(with_sizes({.vgamem_mb = 8}));
  QxlRig large(with_sizes({.vgamem_mb = 256}));
  EXPECT_LT(small.rom().all().read<std::uint32_t>(1160), 128u);
  EXPECT_EQ(large.rom().all().read<std::uint32_t>(1160), 148u);
  EXPECT_EQ(large.rom().all().read<std::uint32_t>(1164 + 32 * 147), 147u);
}

TEST(QxlRom, first_monitor_has_its_checksum) {
  QxlFunction::Config config;
  config.rom.xres = 1600;
  config.rom.yres = 900;
  QxlRig rig(config);
  const auto rom = rig.rom().all();
  EXPECT_EQ(rom.read<std::uint16_t>(132), 1);
  EXPECT_EQ(rom.read<std::uint32_t>(136), 0u);
  EXPECT_EQ(rom.read<std::uint32_t>(144), 900u);
  EXPECT_EQ(rom.read<std::uint32_t>(148), 1600u);
  EXPECT_EQ(rom.read<std::uint32_t>(128), 0xd61c52f7u);
}

TEST(QxlRom, compression_level_outlives_a_reset_and_the_log_level_is_set_up) {
  QxlRig rig({.rom = {.log_level = 3}});
  rig.device.source().set_compression_level(1);
  rig.place_bars();
  rig.out8(QxlRig::kIo + 5, 0);
  rig.pull();
  EXPECT_EQ(rig.rom().all().read<std::uint32_t>(12), 1u);
  EXPECT_EQ(rig.rom().all().read<std::uint32_t>(16), 3u);
  rig.device.source().set_compression_level(0);
  EXPECT_EQ(rig.rom().all().read<std::uint32_t>(12), 0u);
}

TEST(QxlRom, is_mapped_read_only) {
  QxlRig rig;
  rig.place_bars();
  const auto region = rig.mapped(QxlRig::kRom);
  EXPECT_FALSE(region.writable);
  EXPECT_EQ(region.size, 8192u);
}

TEST(QxlRamHeader, is_initialised_by_reset) {
  QxlRig rig;
  EXPECT_EQ(rig.device.layout().ram_header_offset(), 0x03ffe000u);
  EXPECT_EQ(rig.header<std::uint32_t>(0), 0x41525851u);
  EXPECT_EQ(rig.header<std::uint32_t>(0x100c), 32u);  // command ring: items, then prod
  EXPECT_EQ(rig.header<std::uint32_t>(0x1014), 1u);   // notify_on_prod
  EXPECT_EQ(rig.header<std::uint32_t>(0x1220), 32u);
  EXPECT_EQ(rig.header<std::uint32_t>(0x1228), 1u);
  EXPECT_EQ(rig.header<std::uint32_t>(0x1434), 8u);
  EXPECT_EQ(rig.header<std::uint32_t>(0x143c), 1u);
  EXPECT_EQ(rig.header<std::uint32_t>(0x1448), 0u);
}

TEST(QxlPorts, reads_are_all_ones) {
  QxlRig rig;
  rig.place_bars();
  EXPECT_EQ(rig.io.read(QxlRig::kIo, 1), 0xffu);
  EXPECT_EQ(rig.io.read(QxlRig::kIo + 31, 1), 0xffu);
  EXPECT_EQ(rig.io.read(QxlRig::kIo + 4, 4), 0xffffffffu);
}

TEST(QxlPorts, update_irq_follows_pending_and_mask) {
  QxlRig rig;
  rig.place_bars();
  rig.set_header(4, 1);
  rig.out8(QxlRig::kIo + 3, 0);
  EXPECT_EQ(rig.pirq.rises(1), 0u);
  rig.set_header(8, 1);
  rig.out8(QxlRig::kIo + 3, 0);
  EXPECT_TRUE(rig.pirq.level(1));  // device 2, pin A: PIRQB
  rig.set_header(4, 0);
  rig.out8(QxlRig::kIo + 3, 0);
  EXPECT_FALSE(rig.pirq.level(1));
}

TEST(QxlPorts, vga_mode_completes_asynchronous_ports_only) {
  for (unsigned port = 0; port < 32; ++port) {
    const bool native = port == 6 || port == 8 || port == 9 || port == 12 || port == 17 || port == 18;
    if (native) continue;
    SCOPED_TRACE(port);
    QxlRig rig;
    rig.place_bars();
    rig.out8(static_cast<std::uint16_t>(QxlRig::kIo + port), 0);
    EXPECT_EQ(rig.header<std::uint32_t>(4), port >= 16 && port <= 24 ? kIoCmd : 0u);
  }
}

TEST(QxlPorts, port_24_is_a_guest_bug_before_revision_4) {
  QxlRig old(with_sizes({.revision = 3}));
  old.place_bars();
  old.out8(QxlRig::kIo + 24, 0);
  EXPECT_EQ(old.header<std::uint32_t>(4), kError);
}

TEST(QxlPorts, wide_writes_are_dropped) {
  QxlRig rig;
  rig.place_bars();
  rig.out16(QxlRig::kIo + 16, 0);
  rig.io.write(QxlRig::kIo + 20, 4, 0);
  EXPECT_EQ(rig.header<std::uint32_t>(4), 0u);
}

TEST(QxlPorts, log_survives_a_buffer_without_end) {
  QxlFunction::Config config;
  config.guest_log = true;
  QxlRig rig(config);
  rig.place_bars();
  const std::vector<std::uint8_t> noise(4096, 'x');
  rig.ram().all().write(rig.device.layout().ram_header_offset() + 12, noise);
  rig.out8(QxlRig::kIo + 7, 0);
  EXPECT_EQ(rig.header<std::uint32_t>(4), 0u);
}

TEST(QxlPorts, reset_port_restores_rom_and_header_but_keeps_the_vga) {
  QxlRig rig;
  rig.place_bars();
  rig.out8(0x3c2, 1);
  rig.crtc(0x0c, 0x12);
  rig.rom().all().write(20, core::le32(7));
  rig.set_header(4, 0xff);
  rig.set_header(8, 0xff);
  rig.out8(QxlRig::kIo + 5, 0);
  EXPECT_EQ(rig.rom().all().read<std::uint32_t>(20), 0u);
  EXPECT_EQ(rig.header<std::uint32_t>(4), 0u);
  EXPECT_EQ(rig.header<std::uint32_t>(8), 0u);
  EXPECT_EQ(rig.in8(0x3d5), 0x12);
}

TEST(QxlPorts, pending_interrupt_is_not_raised_again) {
  QxlRig rig;
  rig.place_bars();
  rig.set_header(8, kIoCmd);
  rig.out8(QxlRig::kIo + 16, 0);
  rig.out8(QxlRig::kIo + 16, 0);
  EXPECT_EQ(rig.pirq.rises(1), 1u);
}

// Small memories: the law makes thousands of rigs.
struct SmallRig : QxlRig {
  SmallRig() : QxlRig(with_sizes({.ram_size = 16 << 20, .vram_size = 4096, .vgamem_mb = 8})) {}
};

TEST(QxlFunction, obeys_the_state_law) {
  tests::check_state_law<SmallRig>();
}

}  // namespace
