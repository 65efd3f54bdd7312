#include "spice/display/cursor.h"

#include <gtest/gtest.h>

namespace {

using core::CursorType;
using spice::display::Cursor;
using spice::display::cursor_bytes;

core::CursorShapePtr shape_of(CursorType type, std::uint16_t width, std::uint16_t height, std::size_t bytes) {
  core::CursorShape shape{.type = type, .width = width, .height = height};
  shape.data.resize(bytes);
  return std::make_shared<const core::CursorShape>(std::move(shape));
}

TEST(Cursor, data_of_each_type_has_its_size) {
  EXPECT_EQ(cursor_bytes(CursorType::Alpha, 9, 3), 108U);
  EXPECT_EQ(cursor_bytes(CursorType::Mono, 9, 3), 12U);
  EXPECT_EQ(cursor_bytes(CursorType::Color4, 9, 3), 15U + 64 + 6);
  EXPECT_EQ(cursor_bytes(CursorType::Color8, 9, 3), 27U + 1024 + 6);
  EXPECT_EQ(cursor_bytes(CursorType::Color16, 9, 3), 54U + 6);
  EXPECT_EQ(cursor_bytes(CursorType::Color24, 9, 3), 81U + 6);
  EXPECT_EQ(cursor_bytes(CursorType::Color32, 9, 3), 108U + 6);
}

TEST(Cursor, unknown_types_and_empty_shapes_have_no_size) {
  EXPECT_EQ(cursor_bytes(static_cast<CursorType>(7), 9, 3), std::nullopt);
  EXPECT_EQ(cursor_bytes(CursorType::Alpha, 0, 3), std::nullopt);
  EXPECT_EQ(cursor_bytes(CursorType::Alpha, 9, 0), std::nullopt);
}

TEST(Cursor, largest_shape_has_a_size) {
  EXPECT_EQ(cursor_bytes(CursorType::Alpha, 65535, 65535), std::size_t{65535} * 65535 * 4);
}

TEST(Cursor, shape_that_lacks_data_counts_as_none) {
  Cursor cursor;
  cursor.set(shape_of(CursorType::Alpha, 2, 2, 15), {1, 2}, true);
  EXPECT_EQ(cursor.state().shape, nullptr);
  cursor.set(shape_of(static_cast<CursorType>(9), 2, 2, 1000), {1, 2}, true);
  EXPECT_EQ(cursor.state().shape, nullptr);
  cursor.set(shape_of(CursorType::Alpha, 2, 2, 16), {1, 2}, true);
  EXPECT_NE(cursor.state().shape, nullptr);
}

// CVE-2021-4206: the bytes of a cursor were computed in 32 bits, and a cursor with less than its pixels was drawn.
TEST(Cursor, cve_2021_4206_size_does_not_overflow) {
  Cursor cursor;
  for (const auto& [width, height] :
       {std::pair{0x8000, 0x8000}, std::pair{0xffff, 0xffff}, std::pair{0x4000, 0xffff}}) {
    const auto shape =
        shape_of(CursorType::Alpha, static_cast<std::uint16_t>(width), static_cast<std::uint16_t>(height), 64);
    cursor.set(shape, {}, true);
    EXPECT_EQ(cursor.state().shape, nullptr) << width;
  }
}

TEST(Cursor, move_shows_it) {
  Cursor cursor;
  cursor.hide();
  cursor.move({3, 4});
  EXPECT_TRUE(cursor.state().visible);
  EXPECT_EQ(cursor.state().position, (core::Point{3, 4}));
}

TEST(Cursor, reset_forgets_all_but_who_places_it) {
  Cursor cursor;
  cursor.set_client_mouse(true);
  cursor.set(shape_of(CursorType::Alpha, 1, 1, 4), {1, 2}, true);
  cursor.set_trail(3, 4);
  cursor.reset();
  const auto& state = cursor.state();
  EXPECT_EQ(state.shape, nullptr);
  EXPECT_FALSE(state.visible);
  EXPECT_EQ(state.position, core::Point{});
  EXPECT_EQ(state.trail_length, 0);
  EXPECT_EQ(state.resets, 1U);
  EXPECT_TRUE(state.client_mouse);
}

}  // namespace
