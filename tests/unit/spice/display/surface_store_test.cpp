#include "spice/display/surface_store.h"

#include <algorithm>
#include <functional>
#include <gtest/gtest.h>
#include <memory>
#include <utility>

namespace {

using core::Rect;
using spice::display::SurfaceStore;

constexpr Rect kAll{0, 0, 100, 100};

core::DrawingPtr drawing(decltype(core::Drawing::operation) operation) {
  return std::make_shared<core::Drawing>(core::Drawing{.box = kAll, .operation = std::move(operation)});
}

core::DrawingPtr line(std::int32_t pixels) {
  core::DrawStroke stroke{.brush = core::SolidBrush{1}};
  stroke.path.push_back({.flags = core::PathSegment::kBegin, .points = {{0, 0}, {pixels * 16, 0}, {0, 16}}});
  return drawing(std::move(stroke));
}

class Store : public testing::Test {
 protected:
  Store() { EXPECT_TRUE(store.create(0, {100, 100})); }
  // The most drawings that waited while so many were added.
  std::size_t most_waiting(int count, const std::function<core::DrawingPtr()>& make) {
    std::size_t most = 0;
    for (int i = 0; i < count; ++i) {
      EXPECT_NE(store.add(make()), nullptr);
      most = std::max(most, store.waiting());
    }
    return most;
  }
  SurfaceStore store{{.nanoseconds = 1'000'000}};
};

TEST_F(Store, drawings_wait_that_take_no_long_time_together) {
  EXPECT_EQ(most_waiting(5, [] { return line(10); }), 5U);
  // 10,000 pixels of 20 ns each.
  EXPECT_LE(most_waiting(100,
                         [x = 0]() mutable {
                           auto copy =
                               std::make_shared<core::Drawing>(*drawing(core::DrawCopyBits{{.x = 1, .y = ++x % 7}}));
                           return copy;
                         }),
            10U);
}

TEST_F(Store, lines_count_as_long_as_they_are) {
  EXPECT_LE(most_waiting(20, [] { return line(800); }), 3U);
}

}  // namespace
