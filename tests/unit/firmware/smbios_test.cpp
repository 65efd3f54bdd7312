#include "firmware/smbios.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <map>
#include <numeric>

#include "core/base/endian.h"

namespace {

using testing::ElementsAre;

struct Structure {
  std::vector<std::uint8_t> formatted;
  std::vector<std::string> strings;
};

// [DSP0134 6.1.2] the walk every operating system does
std::multimap<unsigned, Structure> walk(std::span<const std::uint8_t> tables) {
  std::multimap<unsigned, Structure> found;
  while (!tables.empty()) {
    const std::size_t length = tables[1];
    Structure structure{.formatted = {tables.begin(), tables.begin() + static_cast<std::ptrdiff_t>(length)},
                        .strings = {}};
    tables = tables.subspan(length);
    while (tables[0] != 0) {
      structure.strings.emplace_back(reinterpret_cast<const char*>(tables.data()));
      tables = tables.subspan(structure.strings.back().size() + 1);
    }
    tables = tables.subspan(structure.strings.empty() ? 2 : 1);
    found.emplace(structure.formatted[0], std::move(structure));
  }
  return found;
}

firmware::SmbiosConfig example() {
  return {.uuid = {0x00, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88, 0x99, 0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff},
          .name = "web",
          .cpus = 3,
          .ram = {.below_4g = 0xc0000000, .above_4g = 0x500000000}};
}

TEST(Smbios, structures_are_complete_and_in_order) {
  const auto found = walk(firmware::build_smbios(example()).tables);
  std::vector<unsigned> types;
  for (const auto& [type, structure] : found)
    types.push_back(type);
  EXPECT_THAT(types, ElementsAre(1, 3, 4, 4, 4, 16, 17, 17, 19, 19, 32, 127));
  EXPECT_EQ(found.find(1)->second.formatted.size(), 27U);
  EXPECT_EQ(found.find(3)->second.formatted.size(), 22U);
  EXPECT_EQ(found.find(4)->second.formatted.size(), 42U);
  EXPECT_EQ(found.find(16)->second.formatted.size(), 23U);
  EXPECT_EQ(found.find(17)->second.formatted.size(), 40U);
  EXPECT_EQ(found.find(19)->second.formatted.size(), 31U);
  EXPECT_EQ(found.find(32)->second.formatted.size(), 11U);
}

TEST(Smbios, system_has_name_and_little_endian_uuid) {
  const auto found = walk(firmware::build_smbios(example()).tables);
  const auto& system = found.find(1)->second;
  EXPECT_THAT(system.strings, ElementsAre("minivmm", "i440FX PC", "web", "Virtual Machine"));
  EXPECT_EQ(system.formatted[7], 3);  // serial number: the third string
  const std::vector<std::uint8_t> uuid(system.formatted.begin() + 8, system.formatted.begin() + 24);
  EXPECT_THAT(uuid, ElementsAre(0x33, 0x22, 0x11, 0x00, 0x55, 0x44, 0x77, 0x66, 0x88, 0x99, 0xaa, 0xbb, 0xcc, 0xdd,
                                0xee, 0xff));
}

TEST(Smbios, memory_is_described_around_the_hole) {
  const auto found = walk(firmware::build_smbios(example()).tables);
  EXPECT_EQ(core::load_le<std::uint32_t>(found.find(16)->second.formatted.data() + 7), 23U << 20);  // KiB
  auto range = found.find(19);
  EXPECT_EQ(core::load_le<std::uint32_t>(range->second.formatted.data() + 8), 0x2fffffU);
  ++range;
  EXPECT_EQ(core::load_le<std::uint32_t>(range->second.formatted.data() + 4), 4U << 20);
  EXPECT_EQ(core::load_le<std::uint32_t>(range->second.formatted.data() + 8), (24U << 20) - 1);
}

TEST(Smbios, anchor_counts_and_sums_up) {
  const auto files = firmware::build_smbios(example());
  ASSERT_EQ(files.anchor.size(), 31U);
  EXPECT_EQ(std::accumulate(files.anchor.begin(), files.anchor.end(), 0) & 0xff, 0);
  EXPECT_EQ(std::accumulate(files.anchor.begin() + 16, files.anchor.end(), 0) & 0xff, 0);
  EXPECT_EQ(core::load_le<std::uint16_t>(files.anchor.data() + 0x16), files.tables.size());
  EXPECT_EQ(core::load_le<std::uint16_t>(files.anchor.data() + 0x1c), 12);
}

TEST(Smbios, long_name_is_cut) {
  auto config = example();
  config.name = std::string(1000, 'n');
  const auto found = walk(firmware::build_smbios(config).tables);
  EXPECT_EQ(found.find(1)->second.strings[2].size(), 64U);
}

}  // namespace
