#include "spice/canvas/surface.h"

#include <algorithm>
#include <gtest/gtest.h>
#include <utility>
#include <vector>

namespace {

using core::Rect;
using spice::canvas::clipped;
using spice::canvas::Surface;

Surface numbered(std::int32_t width, std::int32_t height) {
  Surface surface(width, height);
  for (std::int32_t y = 0; y < height; ++y) {
    for (std::int32_t x = 0; x < width; ++x)
      surface.view().row(y)[static_cast<std::size_t>(x)] = static_cast<std::uint32_t>(y * 256 + x);
  }
  return surface;
}

TEST(Surface, fresh_surface_is_black) {
  Surface surface(3, 2);
  EXPECT_EQ(surface.bounds(), (Rect{0, 0, 3, 2}));
  EXPECT_EQ(*surface.at(2, 1), 0U);
  EXPECT_TRUE(Surface().empty());
}

TEST(Surface, resident_rows_keep_their_pixels) {
  Surface surface(1000, 50);
  surface.row(20)[0] = 7;
  const std::vector<std::pair<std::int32_t, std::int32_t>> rows{{10, 12}, {12, 20}, {5, 30},
                                                                {40, 50}, {0, 50},  {30, 30}};
  for (const auto& [top, bottom] : rows)
    surface.make_resident(top, bottom);
  Surface().make_resident(0, 0);
  EXPECT_EQ(surface.row(20)[0], 7);
  surface.row(20)[0] = 0;
  for (std::int32_t y = 0; y < 50; ++y)
    EXPECT_EQ(std::count(surface.row(y), surface.row(y) + surface.stride_bytes(), 0), surface.stride_bytes());
}

TEST(Surface, clipping_keeps_what_lies_on_it) {
  EXPECT_EQ(clipped({-5, -5, 3, 3}, 10, 10), (Rect{0, 0, 3, 3}));
  EXPECT_EQ(clipped({8, 8, 30, 30}, 10, 10), (Rect{8, 8, 10, 10}));
  EXPECT_TRUE(clipped({20, 20, 30, 30}, 10, 10).empty());
}

TEST(Surface, copied_area_lands_where_it_should) {
  const auto from = numbered(8, 8);
  Surface to(4, 4);
  copy_pixels(from, {2, 3, 4, 5}, to.view(), 1, 2);
  EXPECT_EQ(*to.at(0, 2), 0U);
  EXPECT_EQ(*to.at(1, 2), 3U * 256 + 2);
  EXPECT_EQ(*to.at(2, 3), 4U * 256 + 3);
}

TEST(Surface, packed_area_has_no_gaps) {
  const auto from = numbered(8, 8);
  std::vector<std::uint8_t> bytes(2 * 2 * 4);
  pack_pixels(from, {6, 1, 8, 3}, bytes);
  EXPECT_EQ(bytes, (std::vector<std::uint8_t>{6, 1, 0, 0, 7, 1, 0, 0, 6, 2, 0, 0, 7, 2, 0, 0}));
}

}  // namespace
