#include "spice/canvas/region.h"

#include <gmock/gmock.h>
#include <random>

namespace {

using core::Rect;
using spice::canvas::Region;
using spice::canvas::RegionSum;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(Region, fresh_region_is_empty) {
  const Region region;
  EXPECT_TRUE(region.empty());
  EXPECT_EQ(region.area(), 0);
  EXPECT_THAT(region.rects(), IsEmpty());
}

TEST(Region, empty_and_inverted_rectangles_add_and_remove_nothing) {
  Region region(Rect{0, 0, 10, 10});
  region.add(Rect{20, 20, 20, 30});
  region.add(Rect{20, 20, 10, 10});
  region.subtract(Rect{5, 5, 5, 9});
  EXPECT_THAT(region.rects(), ElementsAre(Rect{0, 0, 10, 10}));
}

TEST(Region, union_subtract_and_intersect_are_set_operations) {
  Region region(Rect{0, 0, 10, 10});
  region.add(Rect{10, 0, 20, 10});
  EXPECT_THAT(region.rects(), ElementsAre(Rect{0, 0, 20, 10}));
  region.subtract(Rect{5, 0, 15, 10});
  EXPECT_THAT(region.rects(), ElementsAre(Rect{0, 0, 5, 10}, Rect{15, 0, 20, 10}));
  region.intersect(Rect{4, 2, 16, 4});
  EXPECT_THAT(region.rects(), ElementsAre(Rect{4, 2, 5, 4}, Rect{15, 2, 16, 4}));
  EXPECT_EQ(region.area(), 4);
  EXPECT_EQ(region.extents(), (Rect{4, 2, 16, 4}));
  region.intersect(Rect{});
  EXPECT_TRUE(region.empty());
}

// Against the same with sets of pixels put together one by one.
TEST(Region, sums_and_questions_about_rectangles_agree_with_set_operations) {
  std::mt19937 random(7);
  const auto rect = [&random] {
    const auto number = [&random](unsigned end) { return static_cast<std::int32_t>(random() % end); };
    const Rect at{number(24), number(24), 0, 0};
    return Rect{at.left, at.top, at.left + number(9), at.top + number(9)};  // some are empty
  };
  for (int round = 0; round < 500; ++round) {
    Region expected;
    RegionSum sum;
    for (int i = 0; i < 12; ++i) {
      const auto one = rect();
      expected.add(one);
      sum.add(one);
      Region more(rect());
      more.add(rect());
      expected.add(more);
      sum.add(more);
    }
    const auto region = sum.total();
    EXPECT_EQ(region, expected);
    for (int i = 0; i < 50; ++i) {
      const auto one = rect();
      auto common = region;
      common.intersect(one);
      EXPECT_EQ(region.meets(one), !common.empty());
      EXPECT_EQ(region.holds(one), common == Region(one));
    }
  }
  EXPECT_TRUE(RegionSum().total().empty());
  EXPECT_FALSE(Region().meets({0, 0, 1, 1}));
}

TEST(Region, take_leaves_an_empty_region_behind) {
  Region region(Rect{1, 2, 3, 4});
  const Region taken = region.take();
  EXPECT_TRUE(region.empty());
  EXPECT_EQ(taken, Region(Rect{1, 2, 3, 4}));
  region.add(Rect{0, 0, 1, 1});
  EXPECT_EQ(region.area(), 1);
}

TEST(Region, copies_are_independent) {
  Region region(Rect{0, 0, 4, 4});
  Region copy(region);
  copy.add(Rect{8, 8, 9, 9});
  EXPECT_EQ(region.area(), 16);
  region = copy;
  EXPECT_EQ(region.area(), 17);
}

TEST(Region, limit_keeps_a_small_region_as_it_is) {
  Region region(Rect{0, 0, 1, 1});
  region.add(Rect{5, 5, 6, 6});
  const Region before(region);
  region.limit_rects(2);
  EXPECT_EQ(region, before);
}

TEST(Region, limit_bounds_scattered_pixels_and_loses_none) {
  std::mt19937 random(1);
  Region region;
  for (int i = 0; i < 3000; ++i) {
    const auto x = static_cast<std::int32_t>(random() % 1900);
    const auto y = static_cast<std::int32_t>(random() % 1000);
    region.add(Rect{x, y, x + 1, y + 1});
  }
  Region limited(region);
  limited.limit_rects(64);
  EXPECT_LE(limited.rect_count(), 64U);
  EXPECT_EQ(limited.extents(), region.extents());
  region.subtract(limited);
  EXPECT_TRUE(region.empty());
}

TEST(Region, limit_to_one_gives_the_extents) {
  Region region(Rect{3, 3, 4, 4});
  region.add(Rect{8000, 7, 8001, 8});
  region.limit_rects(1);
  EXPECT_THAT(region.rects(), ElementsAre(Rect{3, 3, 8001, 8}));
}

TEST(Region, covering_joins_what_is_near_and_keeps_what_is_far) {
  Region region(Rect{0, 0, 8, 16});
  region.add(Rect{10, 0, 18, 16});
  region.add(Rect{500, 0, 508, 16});
  EXPECT_THAT(region.covering_rects(64), ElementsAre(Rect{0, 0, 18, 16}, Rect{500, 0, 508, 16}));
  EXPECT_EQ(region.covering_rects(-1).size(), 3U);
}

TEST(Region, covering_holds_every_pixel) {
  std::mt19937 random(2);
  Region region;
  for (int i = 0; i < 60; ++i) {
    const auto x = static_cast<std::int32_t>(random() % 300);
    const auto y = static_cast<std::int32_t>(random() % 300);
    region.add(Rect{x, y, x + static_cast<std::int32_t>(random() % 30), y + static_cast<std::int32_t>(random() % 30)});
  }
  for (const auto& rect : region.covering_rects(256))
    region.subtract(rect);
  EXPECT_TRUE(region.empty());
}

}  // namespace
