#include "spice/display/refresh_pace.h"

#include <gtest/gtest.h>

namespace {

using spice::display::RefreshPace;
using Seen = RefreshPace::Seen;

RefreshPace idle_pace() {
  RefreshPace pace;
  for (int i = 0; i < 100; ++i)
    pace.after_refresh(Seen::Nothing);
  return pace;
}

TEST(RefreshPace, changing_picture_is_refreshed_at_the_shortest_interval) {
  auto pace = idle_pace();
  EXPECT_EQ(pace.after_refresh(Seen::Change), RefreshPace::kShortest);
}

TEST(RefreshPace, idle_picture_slackens_to_the_longest_interval) {
  EXPECT_EQ(idle_pace().interval(), RefreshPace::kLongest);
}

TEST(RefreshPace, a_few_quiet_refreshes_do_not_slacken_it) {
  RefreshPace pace;
  for (unsigned i = 0; i < RefreshPace::kQuietBeforeSlack; ++i)
    EXPECT_EQ(pace.after_refresh(Seen::Nothing), RefreshPace::kShortest);
  EXPECT_GT(pace.after_refresh(Seen::Nothing), RefreshPace::kShortest);
}

TEST(RefreshPace, blinking_cursor_is_no_reason_to_hurry) {
  auto pace = idle_pace();
  EXPECT_EQ(pace.after_refresh(Seen::Blink), RefreshPace::kBlinking);
  EXPECT_GT(pace.after_refresh(Seen::Nothing), RefreshPace::kBlinking);
}

TEST(RefreshPace, input_brings_the_shortest_interval_back) {
  auto pace = idle_pace();
  pace.expect_change();
  EXPECT_EQ(pace.interval(), RefreshPace::kShortest);
}

}  // namespace
