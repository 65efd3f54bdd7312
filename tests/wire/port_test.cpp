#include "spice/wire/port.h"

#include "tests/wire/golden.h"

namespace spice::wire {
namespace {

TEST(PortWire, init_points_to_the_name) {
  const auto bytes = joined({u32(5), u32(9), u8(1), text("port"), u8(0)});
  const auto message = check_golden<PortInit>(bytes);
  EXPECT_EQ(message.is_open, 1);
  EXPECT_EQ(encode(PortInit::of("port", true)).flatten(), bytes);
  EXPECT_FALSE(decode<PortInit>(joined({u32(0xffff'ffff), u32(9), u8(1)})).has_value());
  EXPECT_FALSE(decode<PortInit>(joined({u32(0), u32(3), u8(1)})).has_value());
}

TEST(PortWire, events) {
  EXPECT_EQ(check_golden<PortEvent>(u8(1)).change, PortChange::Closed);
  EXPECT_EQ(check_golden<PortClientEvent>(u8(2)).change, PortChange::Break);
}

TEST(PortWire, data) {
  EXPECT_EQ(check_golden<PortData>({1, 2, 3}, 0).data.size(), 3U);
  const auto packed = check_golden<PortCompressedData>(joined({u8(1), u32(1001), text("packed")}), 5);
  EXPECT_EQ(packed.compression, Compression::Lz4);
  EXPECT_EQ(packed.size, 1001U);
  const auto plain = check_golden<PortCompressedData>(joined({u8(0), text("as it is")}), 1);
  EXPECT_EQ(plain.data.size(), 8U);
}

}  // namespace
}  // namespace spice::wire
