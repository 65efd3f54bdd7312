// Where pictures may be among pixels that have changed.
#include "spice/display/painted_pictures.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace {

using core::Rect;
using spice::canvas::Region;
using spice::display::kMostPicturePlaces;
using spice::display::picture_places;
using testing::ElementsAre;
using testing::IsEmpty;

constexpr Rect kScreen{0, 0, 640, 400};

TEST(PicturePlaces, are_the_same_though_an_edge_stands_still) {
  const Rect place{64, 48, 256, 192};
  EXPECT_THAT(picture_places(Region({65, 50, 250, 190}), {}, kScreen), ElementsAre(place));
  EXPECT_THAT(picture_places(Region({70, 52, 225, 178}), {}, kScreen), ElementsAre(place));
  EXPECT_THAT(picture_places(Region(), {}, kScreen), IsEmpty());
}

TEST(PicturePlaces, end_with_the_screen) {
  EXPECT_THAT(picture_places(Region({601, 301, 641, 411}), {}, {0, 0, 639, 410}),
              ElementsAre(Rect{576, 288, 639, 410}));
}

TEST(PicturePlaces, of_a_video_are_whole_if_half_of_it_has_changed) {
  const Rect video[] = {{100, 100, 300, 200}};
  EXPECT_THAT(picture_places(Region({110, 120, 290, 190}), video, kScreen), ElementsAre(video[0]));
  const auto other = picture_places(Region({110, 120, 130, 140}), video, kScreen);
  EXPECT_THAT(other, ElementsAre(Rect{96, 112, 160, 144}));
}

TEST(PicturePlaces, beside_a_video_leave_it_out) {
  const Rect video[] = {{100, 100, 300, 200}};
  Region changed({100, 100, 300, 200});
  changed.add({290, 100, 310, 200});
  const auto places = picture_places(changed, video, kScreen);
  ASSERT_FALSE(places.empty());
  EXPECT_EQ(places[0], video[0]);
  EXPECT_THAT(places, testing::Contains(Rect{300, 100, 320, 200}));
  Region others;
  for (const auto& place : std::span(places).subspan(1))
    others.add(place);
  others.intersect(video[0]);
  EXPECT_TRUE(others.empty());
}

TEST(PicturePlaces, are_few_and_on_the_screen) {
  Region changed;
  for (std::int32_t n = 0; n < 20; ++n)
    changed.add({n % 2 * 64, n * 32 % 400, n % 2 * 64 + 1, n * 32 % 400 + 1});
  const auto places = picture_places(changed, {}, kScreen);
  EXPECT_LE(places.size(), kMostPicturePlaces);
  Region all;
  for (const auto& place : places)
    all.add(place);
  auto outside = changed;
  outside.subtract(all);
  EXPECT_TRUE(outside.empty());
  all.subtract(kScreen);
  EXPECT_TRUE(all.empty());
}

}  // namespace
