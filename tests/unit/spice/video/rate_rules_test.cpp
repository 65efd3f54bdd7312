// The parts of rate control, rule by rule.
#include <gmock/gmock.h>

#include "spice/video/client_reports.h"
#include "spice/video/frame_pace.h"
#include "spice/video/input_rate.h"
#include "spice/video/quality_search.h"
#include "spice/video/rate_meter.h"

namespace {

using namespace spice::video;
using namespace std::chrono_literals;
using Cause = QualitySearch::Cause;
using Verdict = ClientReports::Verdict;

// At this rate a frame of n bytes fits 1'000'000 / n times a second.
constexpr QualitySearch::Line kLine{.byte_rate = 1'000'000, .source_fps = 25};
constexpr std::uint64_t bytes_at(std::uint64_t fps) {
  return 1'000'000 / fps;
}

TEST(FramesPerSecond, unknown_size_is_the_most) {
  EXPECT_EQ(frames_per_second(1000, 0), 25U);
  EXPECT_EQ(frames_per_second(1000, 100), 10U);
  EXPECT_EQ(frames_per_second(1000, 1001), 0U);
}

TEST(QualitySearch, starts_in_the_middle_and_climbs_while_frames_fit) {
  auto search = QualitySearch::start();
  EXPECT_EQ(search.quality(), 3U);
  EXPECT_FALSE(search.step(bytes_at(100), kLine));
  EXPECT_EQ(search.quality(), 4U);
  EXPECT_FALSE(search.step(bytes_at(90), kLine));
  EXPECT_FALSE(search.step(bytes_at(80), kLine));
  const auto found = search.step(bytes_at(70), kLine);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->setting.quality, 6U);
  EXPECT_EQ(found->setting.fps, 25U);
  EXPECT_EQ(found->frame_bytes, bytes_at(70));
}

TEST(QualitySearch, goes_down_to_the_bottom_when_nothing_fits) {
  auto search = QualitySearch::start();
  for (int step = 0; step < 3; ++step)
    EXPECT_FALSE(search.step(bytes_at(2), kLine));
  const auto found = search.step(bytes_at(3), kLine);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->setting.quality, 0U);
  EXPECT_EQ(found->setting.fps, 3U);
}

TEST(QualitySearch, frame_rate_is_at_least_one) {
  auto search = QualitySearch::downward(Cause::Rate, {0, 5});
  const auto found = search.step(5'000'000, kLine);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->setting.fps, 1U);
}

TEST(QualitySearch, upper_half_below_ten_frames_steps_down_and_stops_where_it_was) {
  auto search = QualitySearch::start();
  EXPECT_FALSE(search.step(bytes_at(12), kLine));
  EXPECT_EQ(search.quality(), 4U);
  const auto found = search.step(bytes_at(9), kLine);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->setting.quality, 3U);
  EXPECT_EQ(found->setting.fps, 12U);
}

TEST(QualitySearch, middle_below_ten_frames_goes_no_further_up) {
  auto search = QualitySearch::start();
  const auto found = search.step(bytes_at(8), kLine);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->setting.quality, 3U);
  EXPECT_EQ(found->setting.fps, 8U);
}

TEST(QualitySearch, slow_source_is_full_at_its_own_rate) {
  auto search = QualitySearch::start();
  constexpr QualitySearch::Line kSlow{.byte_rate = 1'000'000, .source_fps = 4};
  EXPECT_FALSE(search.step(bytes_at(4), kSlow));
  EXPECT_EQ(search.quality(), 4U);
}

TEST(QualitySearch, upward_keeps_two_thirds_of_the_frame_rate) {
  auto search = QualitySearch::upward(Cause::Size, {1, 18});
  EXPECT_FALSE(search.step(bytes_at(20), kLine));
  EXPECT_EQ(search.quality(), 2U);
  const auto found = search.step(bytes_at(11), kLine);  // less than 0.66 x 18
  ASSERT_TRUE(found);
  EXPECT_EQ(found->setting.quality, 1U);
  EXPECT_EQ(found->setting.fps, 20U);
}

TEST(QualitySearch, upward_is_not_below_its_floor) {
  auto search = QualitySearch::upward(Cause::Rate, {2, 7});
  const auto found = search.step(bytes_at(4), kLine);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->setting.quality, 2U);
  EXPECT_EQ(found->setting.fps, 7U);
}

TEST(QualitySearch, downward_is_not_above_its_ceiling) {
  auto search = QualitySearch::downward(Cause::Rate, {2, 7});
  const auto found = search.step(bytes_at(20), kLine);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->setting.quality, 2U);
  EXPECT_EQ(found->setting.fps, 7U);
  EXPECT_EQ(search.origin().fps, 7U);
}

TEST(QualitySearch, best_quality_of_equal_frame_rates_wins) {
  auto search = QualitySearch::downward(Cause::Size, {2, 20});
  EXPECT_FALSE(search.step(bytes_at(4), kLine));
  EXPECT_FALSE(search.step(bytes_at(4), kLine));
  const auto found = search.step(bytes_at(4), kLine);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->setting.quality, 2U);
}

TEST(FramePace, begins_above_the_rate_and_drops_what_follows_too_closely) {
  FramePace pace(10);
  EXPECT_TRUE(pace.too_close(60ms));
  EXPECT_FALSE(pace.too_close(67ms));
  pace.set_fps(20);
  EXPECT_DOUBLE_EQ(pace.pace(), 30);
}

void run(FramePace& pace, int frames, Time length) {
  for (int n = 0; n < frames; ++n)
    pace.frame_sent();
  pace.correct(length, 25);
}

TEST(FramePace, rises_when_too_little_came_out) {
  FramePace pace(10);
  pace.correct(0s, 25);
  run(pace, 8, 1s);
  EXPECT_NEAR(pace.pace(), 15.0 * 10 / 8, 1e-9);
}

TEST(FramePace, rises_to_twice_the_rate_at_most) {
  FramePace pace(10);
  pace.correct(0s, 25);
  run(pace, 0, 1s);
  EXPECT_DOUBLE_EQ(pace.pace(), 20);
}

TEST(FramePace, stays_when_the_source_gives_no_more) {
  FramePace pace(10);
  pace.correct(0s, 5);
  for (int n = 0; n < 5; ++n)
    pace.frame_sent();
  pace.correct(1s, 5);
  EXPECT_DOUBLE_EQ(pace.pace(), 15);
}

TEST(FramePace, falls_to_the_rate_at_least) {
  FramePace pace(10);
  pace.correct(0s, 25);
  run(pace, 12, 1s);
  EXPECT_DOUBLE_EQ(pace.pace(), 12.5);
  pace.correct(1s, 25);
  run(pace, 40, 2s);
  EXPECT_DOUBLE_EQ(pace.pace(), 10);
}

TEST(FramePace, half_a_second_must_pass) {
  FramePace pace(10);
  pace.correct(0s, 25);
  run(pace, 0, 500ms);
  EXPECT_DOUBLE_EQ(pace.pace(), 15);
}

TEST(ClientReports, without_drops_and_in_time_is_good) {
  ClientReports reports;
  EXPECT_EQ(reports.judge({.delay_ms = 300}, false), Verdict::Good);
  EXPECT_EQ(reports.judge({.drops = 1, .delay_ms = 300}, false), Verdict::Neutral);
}

TEST(ClientReports, late_frames_are_bad) {
  ClientReports reports;
  EXPECT_EQ(reports.judge({.delay_ms = -16}, false), Verdict::Bad);
  EXPECT_EQ(reports.judge({.delay_ms = -15}, false), Verdict::Bad);  // less than a quarter of nothing
  EXPECT_EQ(reports.judge({.delay_ms = 0}, false), Verdict::Good);
}

TEST(ClientReports, shrinking_delay_is_bad_below_a_quarter_or_a_half_if_short) {
  ClientReports reports;
  reports.judge({.delay_ms = 400}, false);
  EXPECT_EQ(reports.judge({.delay_ms = 199}, false), Verdict::Good);
  EXPECT_EQ(reports.judge({.delay_ms = 199}, true), Verdict::Bad);
  EXPECT_EQ(reports.judge({.delay_ms = 200}, true), Verdict::Good);
  EXPECT_EQ(reports.judge({.delay_ms = 99}, false), Verdict::Bad);
  reports.forget();
  EXPECT_EQ(reports.judge({.delay_ms = 99}, false), Verdict::Good);
}

TEST(ClientReports, sound_that_runs_out_before_video_is_bad) {
  ClientReports reports;
  reports.judge({.delay_ms = 300, .audio_delay_ms = 300}, false);
  EXPECT_EQ(reports.judge({.delay_ms = 300, .audio_delay_ms = 150}, false), Verdict::Good);
  EXPECT_EQ(reports.judge({.delay_ms = 300, .audio_delay_ms = 149}, false), Verdict::Bad);
  EXPECT_EQ(reports.judge({.delay_ms = 186, .audio_delay_ms = 149}, false), Verdict::Good);
}

TEST(ClientReports, no_sound_is_no_long_delay_of_sound) {
  ClientReports reports;
  reports.judge({.delay_ms = 300, .audio_delay_ms = ClientReport::kNoAudio}, false);
  EXPECT_EQ(reports.judge({.delay_ms = 300, .audio_delay_ms = 100}, false), Verdict::Good);
}

TEST(RateMeter, measures_from_first_to_last_frame) {
  RateMeter meter;
  EXPECT_FALSE(meter.running());
  meter.frame_begins(1s, 77);
  meter.frame_ends(500);
  EXPECT_FALSE(meter.byte_rate());
  meter.frame_begins(2s, 99);
  meter.frame_ends(300);
  EXPECT_EQ(meter.byte_rate(), 800U);
  EXPECT_EQ(meter.frame_bytes(), 400U);
  EXPECT_EQ(meter.start_media(), 77U);
  meter.restart();
  EXPECT_FALSE(meter.last());
}

TEST(InputRate, first_estimate_is_bounded_and_then_averaged) {
  EXPECT_EQ(InputRate(0s, 40ms).fps(), 25U);
  EXPECT_EQ(InputRate(0s, 1ms).fps(), 30U);
  EXPECT_EQ(InputRate(0s, 0s).fps(), 30U);
  EXPECT_EQ(InputRate(0s, 10s).fps(), 1U);
  InputRate rate(0s, 40ms);
  for (int n = 1; n <= 50; ++n)
    rate.picture(n * 100ms);
  EXPECT_EQ(rate.fps(), 10U);
}

}  // namespace
