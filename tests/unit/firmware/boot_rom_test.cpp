#include "firmware/boot_rom.h"

#include <gtest/gtest.h>
#include <numeric>

#include "core/base/endian.h"
#include "firmware/embedded.h"

namespace {

using firmware::FwCfgKey;

firmware::BootPlan example() {
  return {.loads = {{.key = FwCfgKey::KernelData, .offset = 0, .length = 0x1234, .address = 0x100000},
                    {.key = FwCfgKey::KernelData, .offset = 0x2000, .length = 0x10, .address = 0x200000}},
          .entry = {.protected_mode = true, .address = 0x100010, .eax = 1, .ebx = 2, .esi = 3},
          .map = {}};
}

std::uint32_t be32_at(const std::vector<std::uint8_t>& rom, std::size_t at) {
  return std::byteswap(core::load_le<std::uint32_t>(rom.data() + at));
}

TEST(BootRom, option_rom_is_valid_to_a_bios) {
  const auto rom = firmware::boot_option_rom(example());
  EXPECT_EQ(rom[0], 0x55);
  EXPECT_EQ(rom[1], 0xaa);
  EXPECT_EQ(rom[2] * 512U, rom.size());
  EXPECT_EQ(std::accumulate(rom.begin(), rom.end(), 0) & 0xff, 0);
  const auto pnp = core::load_le<std::uint16_t>(rom.data() + 0x1a);
  EXPECT_EQ(std::string(rom.begin() + pnp, rom.begin() + pnp + 4), "$PnP");
  EXPECT_EQ(std::accumulate(rom.begin() + pnp, rom.begin() + pnp + 32, 0) & 0xff, 0);
  EXPECT_NE(core::load_le<std::uint16_t>(rom.data() + pnp + 0x1a), 0);  // boot entry
}

TEST(BootRom, plan_follows_the_code) {
  const auto rom = firmware::boot_option_rom(example());
  const auto plan = firmware::embedded::boot_rom().size();
  EXPECT_EQ(rom[plan], 3);  // one load, and a skip with its load
  EXPECT_EQ(rom[plan + 2], 1);
  EXPECT_EQ(core::load_le<std::uint32_t>(rom.data() + plan + 4), 0x100010U);
  const auto first = plan + 36;
  EXPECT_EQ(be32_at(rom, first), 0x0011000aU);  // select 11h, read
  EXPECT_EQ(be32_at(rom, first + 4), 0x1234U);
  EXPECT_EQ(be32_at(rom, first + 12), 0x100000U);
  EXPECT_EQ(be32_at(rom, first + 16), 0x0011000cU);  // select 11h, skip
  EXPECT_EQ(be32_at(rom, first + 20), 0x2000U);
  EXPECT_EQ(be32_at(rom, first + 32), 2U);  // read
  EXPECT_EQ(be32_at(rom, first + 44), 0x200000U);
}

TEST(BootRom, bios_starts_at_the_reset_vector) {
  const auto bios = firmware::boot_bios(example());
  ASSERT_EQ(bios.size(), 0x10000U);
  const std::uint8_t jump[] = {0xea, 0x40, 0x00, 0x00, 0xf0};
  EXPECT_TRUE(std::equal(std::begin(jump), std::end(jump), bios.begin() + 0xfff0));
  EXPECT_EQ(bios[0x40], 0xfa);  // cli
}

}  // namespace
