#include "vmm/window/placement.h"

#include <gtest/gtest.h>

namespace {

using core::Point;
using core::Rect;
using vmm::window::picture_point;
using vmm::window::placed;
using vmm::window::scaled;
using vmm::window::Size;

TEST(Placement, picture_of_the_window_s_size_fills_it) {
  EXPECT_EQ(placed({640, 480}, {640, 480}), (Rect{0, 0, 640, 480}));
  EXPECT_EQ(placed({640, 480}, {320, 240}), (Rect{0, 0, 320, 240}));
}

TEST(Placement, bars_are_where_the_shapes_differ) {
  EXPECT_EQ(placed({640, 480}, {1920, 1080}), (Rect{240, 0, 1680, 1080}));
  EXPECT_EQ(placed({640, 480}, {640, 1000}), (Rect{0, 260, 640, 740}));
  EXPECT_EQ(placed({8192, 1}, {100, 100}), (Rect{0, 49, 100, 50}));  // never without pixels
}

TEST(Placement, area_covers_each_pixel_that_it_touches) {
  const Rect place{10, 20, 10 + 300, 20 + 150};
  EXPECT_EQ(scaled({0, 0, 200, 100}, {200, 100}, place), place);
  EXPECT_EQ(scaled({1, 1, 2, 2}, {200, 100}, place), (Rect{11, 21, 13, 23}));
}

TEST(Placement, corners_of_the_window_are_corners_of_the_picture) {
  const Size picture{1024, 768};
  for (const Size window : {Size{1024, 768}, Size{300, 200}, Size{1920, 1080}}) {
    const auto place = placed(picture, window);
    EXPECT_EQ(picture_point({0, 0}, picture, place), (Point{0, 0}));
    EXPECT_EQ(picture_point({place.left, place.top}, picture, place), (Point{0, 0}));
    const auto last = picture_point({window.width - 1, window.height - 1}, picture, place);
    if (place.width() >= picture.width) {
      EXPECT_EQ(last, (Point{1023, 767}));
    }
  }
}

TEST(Placement, every_pixel_is_met_at_the_picture_s_size) {
  const Size picture{37, 21};
  const auto place = placed(picture, {37, 100});
  for (std::int32_t x = 0; x < picture.width; ++x)
    EXPECT_EQ(picture_point({x, place.top}, picture, place).x, x);
}

}  // namespace
