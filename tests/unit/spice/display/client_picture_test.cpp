#include "spice/display/client_picture.h"

#include <gmock/gmock.h>
#include <random>

namespace {

using core::Rect;
using spice::canvas::Region;
using spice::display::ClientPicture;
using Kind = spice::display::ClientPicture::Kind;
using Step = spice::display::ClientPicture::Step;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr Rect kText{0, 0, 720, 400};
constexpr Rect kSmall{0, 0, 64, 48};
constexpr Rect kLarge{0, 0, 1920, 1080};
constexpr Rect kEnormous{0, 0, 8192, 8192};  // whose first picture is not one message

std::vector<Step> all_steps(ClientPicture& picture) {
  std::vector<Step> steps;
  while (const auto step = picture.next())
    steps.push_back(*step);
  return steps;
}

std::vector<Kind> kinds(const std::vector<Step>& steps) {
  std::vector<Kind> result;
  for (const auto& step : steps)
    result.push_back(step.kind);
  return result;
}

ClientPicture settled(const Rect& bounds) {
  ClientPicture picture(bounds);
  all_steps(picture);
  return picture;
}

TEST(ClientPicture, new_client_gets_surface_picture_monitors_and_mark) {
  ClientPicture picture(kSmall);
  EXPECT_THAT(all_steps(picture),
              ElementsAre(Step{Kind::InvalidatePalettes, kSmall}, Step{Kind::CreateSurface, kSmall},
                          Step{Kind::Draw, kSmall}, Step{Kind::MonitorsConfig, kSmall}, Step{Kind::Mark, kSmall}));
  EXPECT_THAT(all_steps(picture), IsEmpty());
}

TEST(ClientPicture, first_picture_is_one_drawing) {
  ClientPicture picture(kLarge);
  EXPECT_THAT(kinds(all_steps(picture)),
              ElementsAre(Kind::InvalidatePalettes, Kind::CreateSurface, Kind::Draw, Kind::MonitorsConfig, Kind::Mark));
}

TEST(ClientPicture, change_before_the_first_picture_is_part_of_it) {
  ClientPicture picture(kLarge);
  picture.next();
  picture.changed(Region(Rect{5, 5, 6, 6}));
  EXPECT_EQ(all_steps(picture).size(), 4U);
}

TEST(ClientPicture, mark_waits_for_all_bands_of_an_enormous_first_picture) {
  ClientPicture picture(kEnormous);
  const auto steps = all_steps(picture);
  ASSERT_GT(steps.size(), 100U);
  EXPECT_EQ(steps.back().kind, Kind::Mark);
  EXPECT_EQ(steps[steps.size() - 3].kind, Kind::Draw);
}

TEST(ClientPicture, change_is_one_tight_drawing) {
  auto picture = settled(kText);
  picture.changed(Region(Rect{9, 16, 18, 32}));
  EXPECT_THAT(all_steps(picture), ElementsAre(Step{Kind::Draw, {9, 16, 18, 32}}));
}

TEST(ClientPicture, repeated_changes_while_the_client_is_slow_are_sent_once) {
  auto picture = settled(kText);
  for (int i = 0; i < 1000; ++i)
    picture.changed(Region(Rect{9, 16, 18, 32}));
  EXPECT_THAT(all_steps(picture), ElementsAre(Step{Kind::Draw, {9, 16, 18, 32}}));
}

TEST(ClientPicture, changes_off_the_surface_are_dropped) {
  auto picture = settled(kSmall);
  picture.changed(Region(Rect{100, 100, 200, 200}));
  EXPECT_THAT(all_steps(picture), IsEmpty());
}

TEST(ClientPicture, mode_switch_destroys_and_creates_before_the_picture) {
  auto picture = settled(kText);
  picture.mode_set(kSmall);
  EXPECT_THAT(kinds(all_steps(picture)),
              ElementsAre(Kind::DestroySurface, Kind::InvalidatePalettes, Kind::DestroyStreams, Kind::CreateSurface,
                          Kind::MonitorsConfig, Kind::Mark, Kind::Draw));
}

TEST(ClientPicture, switch_to_the_same_size_is_a_picture_only) {
  auto picture = settled(kSmall);
  picture.mode_set(kSmall);
  EXPECT_THAT(all_steps(picture), ElementsAre(Step{Kind::Draw, kSmall}));
}

TEST(ClientPicture, switch_and_back_before_anything_was_sent_is_a_picture_only) {
  auto picture = settled(kSmall);
  picture.mode_set(kText);
  picture.mode_set(kSmall);
  EXPECT_THAT(all_steps(picture), ElementsAre(Step{Kind::Draw, kSmall}));
}

TEST(ClientPicture, several_switches_while_the_client_is_slow_become_one) {
  auto picture = settled(kText);
  picture.mode_set(Rect{0, 0, 320, 200});
  picture.mode_set(Rect{0, 0, 640, 480});
  picture.mode_set(kSmall);
  const auto steps = all_steps(picture);
  ASSERT_EQ(steps.size(), 7U);
  EXPECT_EQ(steps[3], (Step{Kind::CreateSurface, kSmall}));
  EXPECT_EQ(steps[6], (Step{Kind::Draw, kSmall}));
}

TEST(ClientPicture, switch_in_the_middle_of_a_switch_creates_one_surface) {
  auto picture = settled(kText);
  picture.mode_set(Rect{0, 0, 320, 200});
  EXPECT_EQ(picture.next()->kind, Kind::DestroySurface);
  picture.mode_set(kSmall);
  EXPECT_THAT(kinds(all_steps(picture)),
              ElementsAre(Kind::InvalidatePalettes, Kind::DestroyStreams, Kind::CreateSurface, Kind::MonitorsConfig,
                          Kind::Mark, Kind::Draw));
}

TEST(ClientPicture, switch_before_the_first_message_changes_the_first_surface) {
  ClientPicture picture(kText);
  picture.mode_set(kSmall);
  EXPECT_THAT(kinds(all_steps(picture)),
              ElementsAre(Kind::InvalidatePalettes, Kind::CreateSurface, Kind::Draw, Kind::MonitorsConfig, Kind::Mark));
}

TEST(ClientPicture, switch_during_the_first_picture_still_ends_in_one_mark) {
  ClientPicture picture(kEnormous);
  for (int i = 0; i < 4; ++i)
    picture.next();
  picture.mode_set(kSmall);
  EXPECT_THAT(kinds(all_steps(picture)),
              ElementsAre(Kind::DestroySurface, Kind::InvalidatePalettes, Kind::DestroyStreams, Kind::CreateSurface,
                          Kind::MonitorsConfig, Kind::Mark, Kind::Draw));
}

TEST(ClientPicture, same_size_switch_during_the_first_picture_marks_after_a_whole_picture) {
  ClientPicture picture(kEnormous);
  for (int i = 0; i < 4; ++i)
    picture.next();
  picture.mode_set(kEnormous);
  Region left(kEnormous);
  const auto steps = all_steps(picture);
  for (const auto& step : steps) {
    if (step.kind == Kind::Draw) left.subtract(step.area);
  }
  EXPECT_TRUE(left.empty());
  EXPECT_EQ(steps.back().kind, Kind::Mark);
}

TEST(ClientPicture, same_size_switch_never_loses_the_mark) {
  for (int sent = 0; sent < 6; ++sent) {
    auto picture = settled(kText);
    picture.mode_set(kSmall);
    std::vector<Step> steps;
    for (int i = 0; i < sent; ++i)
      steps.push_back(*picture.next());
    picture.mode_set(kSmall);
    for (const auto& step : all_steps(picture))
      steps.push_back(step);
    EXPECT_EQ(std::ranges::count(steps, Step{Kind::Mark, kSmall}), 1) << sent;
    EXPECT_EQ(steps.back(), (Step{Kind::Draw, kSmall})) << sent;
  }
  ClientPicture picture(kSmall);
  for (int i = 0; i < 3; ++i)
    picture.next();  // the mark is the next but one
  picture.mode_set(kSmall);
  EXPECT_THAT(kinds(all_steps(picture)), ElementsAre(Kind::MonitorsConfig, Kind::Mark, Kind::Draw));
}

TEST(ClientPicture, busy_top_does_not_starve_the_bottom) {
  auto picture = settled(kLarge);
  Region bottom(Rect{0, 1000, 1920, 1080});
  picture.changed(Region(kLarge));
  for (int i = 0; i < 40 && !bottom.empty(); ++i) {
    picture.changed(Region(Rect{0, 0, 1920, 500}));
    bottom.subtract(picture.next()->area);
  }
  EXPECT_TRUE(bottom.empty());
}

TEST(ClientPicture, whatever_changed_is_drawn_after_it_changed) {
  std::mt19937 random(5);
  auto picture = settled(kText);
  Region owed;
  for (int i = 0; i < 2000; ++i) {
    const auto x = static_cast<std::int32_t>(random() % 720);
    const auto y = static_cast<std::int32_t>(random() % 400);
    Region change(
        Rect{x, y, x + static_cast<std::int32_t>(random() % 40), y + static_cast<std::int32_t>(random() % 40)});
    change.intersect(kText);
    owed.add(change);
    picture.changed(change);
    if (const auto step = random() % 3 == 0 ? picture.next() : std::nullopt) owed.subtract(step->area);
  }
  for (const auto& step : all_steps(picture))
    owed.subtract(step.area);
  EXPECT_TRUE(owed.empty());
}

}  // namespace
