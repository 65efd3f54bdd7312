#include "spice/display/update_plan.h"

#include <gmock/gmock.h>

namespace {

using core::Rect;
using spice::canvas::Region;
using spice::display::kMaxUpdatePixels;
using spice::display::plan_updates;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(UpdatePlan, nothing_changed_is_nothing_sent) {
  EXPECT_THAT(plan_updates(Region()), IsEmpty());
}

TEST(UpdatePlan, small_area_is_one_tight_rectangle) {
  EXPECT_THAT(plan_updates(Region(Rect{9, 16, 18, 32})), ElementsAre(Rect{9, 16, 18, 32}));
}

TEST(UpdatePlan, far_apart_areas_stay_apart) {
  Region region(Rect{0, 0, 9, 16});
  region.add(Rect{700, 380, 709, 396});
  EXPECT_THAT(plan_updates(region), ElementsAre(Rect{0, 0, 9, 16}, Rect{700, 380, 709, 396}));
}

TEST(UpdatePlan, whole_screen_is_cut_in_bands_that_cover_it) {
  Region left(Rect{0, 0, 1920, 1080});
  for (const auto& rect : plan_updates(left)) {
    EXPECT_LE(std::int64_t{rect.width()} * rect.height(), kMaxUpdatePixels);
    left.subtract(rect);
  }
  EXPECT_TRUE(left.empty());
}

TEST(UpdatePlan, widest_possible_row_is_one_message) {
  EXPECT_EQ(plan_updates(Region(Rect{0, 0, 8192, 16})).size(), 1U);
}

TEST(UpdatePlan, scattered_pixels_are_few_messages) {
  Region region;
  for (std::int32_t i = 0; i < 1000; ++i)
    region.add(Rect{i * 37 % 1900, i * 101 % 1000, i * 37 % 1900 + 1, i * 101 % 1000 + 1});
  EXPECT_LE(plan_updates(region).size(), 64U + 16U);
}

}  // namespace
