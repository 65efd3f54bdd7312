#include "spice/image/lossy_areas.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace {

using core::Rect;
using spice::canvas::Region;
using spice::image::LossyAreas;
using testing::ElementsAre;
using testing::IsEmpty;

constexpr Rect kPhoto{10, 10, 50, 50};

// An effect with the region it refers to.
struct Drawing {
  Region changed;
  bool covers = false;
  std::vector<LossyAreas::Area> reads{};
  operator LossyAreas::Effect() const { return {.changed = changed, .covers = covers, .reads = reads}; }
};

Drawing opaque(const Rect& area) {
  return {.changed = Region(area), .covers = true};
}
Drawing mixing(const Rect& area) {
  return {.changed = Region(area)};
}
Drawing copying(const Rect& from, const Rect& area) {
  return {.changed = Region(area), .covers = true, .reads = {{0, from}}};
}

LossyAreas with_photo() {
  LossyAreas areas;
  areas.drawn(0, opaque(kPhoto), true);
  return areas;
}

TEST(LossyAreas, image_with_loss_is_remembered_until_something_exact_covers_it) {
  auto areas = with_photo();
  EXPECT_TRUE(areas.is_lossy(0, {49, 49, 60, 60}));
  EXPECT_FALSE(areas.is_lossy(0, {50, 50, 60, 60}));
  EXPECT_FALSE(areas.is_lossy(1, kPhoto));
  areas.drawn(0, opaque({0, 0, 30, 100}), false);
  EXPECT_FALSE(areas.is_lossy(0, {10, 10, 30, 50}));
  EXPECT_TRUE(areas.is_lossy(0, {30, 10, 31, 11}));
  areas.drawn(0, opaque({30, 0, 100, 100}), false);
  EXPECT_EQ(areas.of(0), nullptr);
}

TEST(LossyAreas, what_mixes_with_a_lossy_area_needs_it_exact) {
  auto areas = with_photo();
  EXPECT_THAT(areas.needed_by(0, mixing({0, 0, 20, 20})), ElementsAre(LossyAreas::Area{0, {10, 10, 20, 20}}));
  EXPECT_THAT(areas.needed_by(0, mixing({0, 0, 10, 10})), IsEmpty());
  EXPECT_THAT(areas.needed_by(0, opaque({0, 0, 20, 20})), IsEmpty());
  areas.healed(0, {10, 10, 20, 20});
  EXPECT_THAT(areas.needed_by(0, mixing({0, 0, 20, 20})), IsEmpty());
  EXPECT_TRUE(areas.is_lossy(0, {20, 20, 21, 21}));
}

TEST(LossyAreas, what_mixes_another_surface_in_needs_that_exact) {
  auto areas = with_photo();
  auto effect = mixing({0, 0, 5, 5});
  effect.reads = {{0, {45, 45, 60, 60}}};
  EXPECT_THAT(areas.needed_by(3, effect), ElementsAre(LossyAreas::Area{0, {45, 45, 50, 50}}));
}

TEST(LossyAreas, copy_of_a_lossy_area_is_lossy) {
  auto areas = with_photo();
  areas.drawn(2, copying({40, 40, 60, 60}, {0, 0, 20, 20}), false);
  EXPECT_TRUE(areas.is_lossy(2, {0, 0, 1, 1}));
  areas.drawn(2, copying({60, 60, 80, 80}, {0, 0, 20, 20}), false);
  EXPECT_FALSE(areas.is_lossy(2, {0, 0, 20, 20}));
}

TEST(LossyAreas, rest_can_be_healed) {
  auto areas = with_photo();
  areas.drawn(7, opaque({0, 0, 4, 4}), true);
  ASSERT_NE(areas.of(0), nullptr);
  EXPECT_EQ(*areas.of(0), spice::canvas::Region(kPhoto));
  areas.healed(0, kPhoto);
  EXPECT_EQ(areas.of(0), nullptr);
  ASSERT_NE(areas.of(7), nullptr);
  EXPECT_EQ(*areas.of(7), spice::canvas::Region(Rect{0, 0, 4, 4}));
}

TEST(LossyAreas, surface_that_is_gone_is_forgotten) {
  auto areas = with_photo();
  areas.forget(0);
  EXPECT_EQ(areas.of(0), nullptr);
}

TEST(LossyAreas, many_small_areas_are_taken_for_a_larger_one) {
  LossyAreas areas;
  for (std::int32_t at = 0; at < 3000; ++at)
    areas.drawn(0, opaque({at * 2 % 100, at * 2, at * 2 % 100 + 1, at * 2 + 1}), true);
  ASSERT_NE(areas.of(0), nullptr);
  EXPECT_LE(areas.of(0)->rect_count(), 64U);
}

}  // namespace
