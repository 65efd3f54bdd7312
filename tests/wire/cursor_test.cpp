#include "spice/wire/cursor.h"

#include "tests/wire/golden.h"

namespace spice::wire {
namespace {

TEST(CursorWire, init_without_a_shape) {
  const auto message = check_golden<CursorInit>(joined({
      u16(0), u16(0),  // position
      u16(0),          // trail length
      u16(0),          // trail frequency
      u8(1),           // visible
      u16(1),          // flags: NONE
  }));
  EXPECT_EQ(message.visible, 1);
  EXPECT_EQ(message.shape.flags, kCursorNone);
}

TEST(CursorWire, set_with_a_shape) {
  const auto message = check_golden<CursorSet>(joined({
                                                   u16(0xfffe), u16(7),  // position
                                                   u8(1),                // visible
                                                   u16(kCursorCacheMe),  // flags
                                                   u64(0x55),            // unique
                                                   u8(0),                // type
                                                   u16(2), u16(1),       // size
                                                   u16(1), u16(0),       // hot spot
                                                   zeros(8),             // pixels
                                               }),
                                               24);
  EXPECT_EQ(message.position, (Point16{-2, 7}));
  EXPECT_EQ(message.shape.unique, 0x55U);
  EXPECT_EQ(message.shape.width, 2);
  EXPECT_EQ(message.shape.hot_x, 1);
  EXPECT_EQ(message.shape.data.size(), 8U);
}

TEST(CursorWire, set_from_the_cache_has_no_pixels) {
  const auto message = check_golden<CursorSet>(
      joined({u16(1), u16(2), u8(1), u16(kCursorFromCache), u64(0x55), u8(0), u16(2), u16(1), u16(1), u16(0)}));
  EXPECT_EQ(message.shape.flags, kCursorFromCache);
}

TEST(CursorWire, others) {
  EXPECT_EQ(check_golden<CursorMove>(joined({u16(3), u16(4)})).position, (Point16{3, 4}));
  EXPECT_EQ(check_golden<CursorTrail>(joined({u16(3), u16(4)})).frequency, 4);
  EXPECT_EQ(check_golden<CursorInvalOne>(u64(9)).id, 9U);
  check_golden<CursorReset>({});
  check_golden<CursorHide>({});
  check_golden<CursorInvalAll>({});
}

}  // namespace
}  // namespace spice::wire
