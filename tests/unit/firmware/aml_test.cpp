#include "firmware/aml.h"

#include <gtest/gtest.h>

namespace {

namespace aml = firmware::aml;
using aml::Code;

TEST(Aml, integers_take_the_shortest_form) {
  EXPECT_EQ(aml::integer(0), Code({0x00}));
  EXPECT_EQ(aml::integer(0xff), Code({0x0a, 0xff}));
  EXPECT_EQ(aml::integer(0x1234), Code({0x0b, 0x34, 0x12}));
  EXPECT_EQ(aml::integer(0x12345678), Code({0x0c, 0x78, 0x56, 0x34, 0x12}));
}

TEST(Aml, names_are_padded_and_prefixed) {
  EXPECT_EQ(aml::name("_S5", aml::integer(0)), Code({0x08, '_', 'S', '5', '_', 0x00}));
  EXPECT_EQ(aml::name("\\_SB.PCI0", aml::integer(0)),
            Code({0x08, '\\', 0x2e, '_', 'S', 'B', '_', 'P', 'C', 'I', '0', 0x00}));
  EXPECT_EQ(aml::name("A.B.C", aml::integer(0)),
            Code({0x08, 0x2f, 3, 'A', '_', '_', '_', 'B', '_', '_', '_', 'C', '_', '_', '_', 0x00}));
}

TEST(Aml, package_length_counts_itself) {
  const auto small = aml::scope("ABCD", Code(58));  // 4 + 58 + 1 = 63
  EXPECT_EQ(small[1], 63);
  const auto medium = aml::scope("ABCD", Code(59));  // 4 + 59 + 2 = 65
  EXPECT_EQ(medium[1], 0x41);
  EXPECT_EQ(medium[2], 0x04);
  EXPECT_EQ(medium.size(), 66U);
  const auto large = aml::scope("ABCD", Code(4091));  // 4 + 4091 + 3 = 4098
  EXPECT_EQ(large[1], 0x82);
  EXPECT_EQ(large[2], 0x00);
  EXPECT_EQ(large[3], 0x01);
}

TEST(Aml, processor_has_no_block) {
  EXPECT_EQ(aml::processor("CP01", 1), Code({0x5b, 0x83, 0x0b, 'C', 'P', '0', '1', 1, 0, 0, 0, 0, 0}));
}

TEST(Aml, eisa_id_is_packed) {
  EXPECT_EQ(aml::eisa_id("PNP0A03"), Code({0x0c, 0x41, 0xd0, 0x0a, 0x03}));
}

TEST(Aml, resources_end_with_a_tag) {
  EXPECT_EQ(aml::isa_interrupt(4), Code({0x22, 0x10, 0x00}));
  EXPECT_EQ(aml::resources({aml::ports(0xcf8, 0xcff)}),
            Code({0x11, 0x0d, 0x0a, 0x0a, 0x47, 0x01, 0xf8, 0x0c, 0xf8, 0x0c, 0x01, 0x08, 0x79, 0x00}));
}

}  // namespace
