#include "spice/video/rate_control.h"

#include <algorithm>
#include <deque>
#include <gmock/gmock.h>
#include <random>
#include <vector>

#include "spice/video/bit_rate_control.h"

namespace {

using namespace spice::video;
using namespace std::chrono_literals;

constexpr std::uint64_t kMegabit = 1'000'000;

Conditions at(Time now, std::uint32_t fps = 25) {
  return {.now = now, .source_fps = fps, .latency_ms = 20};
}
MediaTime media(Time now) {
  return static_cast<MediaTime>(now / 1ms);
}

// Pictures of a source, each of the size it has at a quality.
class Stream {
 public:
  explicit Stream(std::uint64_t bit_rate, std::size_t bytes_at_best = 40'000)
      : control_(bit_rate), best_bytes_(bytes_at_best) {}

  // Bytes, 0 if it was left out.
  std::size_t picture() {
    now_ += 40ms;
    const auto quality = control_.begin_frame(media(now_), at(now_));
    if (!quality) return 0;
    const auto bytes = best_bytes_ * static_cast<std::size_t>(*quality) / 80;
    control_.end_frame(bytes);
    ++frames_;
    return bytes;
  }
  void run(Time length) {
    for (const auto end = now_ + length; now_ < end;)
      picture();
  }
  void report(std::int32_t delay_ms, std::uint32_t drops = 0) {
    control_.report({.start = media(now_) - 200, .end = media(now_), .frames = 5, .drops = drops, .delay_ms = delay_ms},
                    at(now_));
  }
  RateControl& control() { return control_; }
  Time now() const { return now_; }
  int take_frames() { return std::exchange(frames_, 0); }
  void set_bytes(std::size_t bytes_at_best) { best_bytes_ = bytes_at_best; }

 private:
  RateControl control_;
  std::size_t best_bytes_;
  Time now_ = 10s;
  int frames_ = 0;
};

TEST(RateControl, takes_every_picture_while_it_looks_for_a_quality) {
  Stream stream(40 * kMegabit);
  for (int n = 0; n < 4; ++n)
    EXPECT_NE(stream.picture(), 0U);
  EXPECT_TRUE(stream.control().searching());
  stream.picture();
  EXPECT_FALSE(stream.control().searching());
}

TEST(RateControl, fast_line_gets_every_picture_at_the_best_quality) {
  Stream stream(40 * kMegabit);
  stream.run(2s);
  stream.take_frames();
  stream.run(4s);
  EXPECT_EQ(stream.control().quality(), 6U);
  EXPECT_EQ(stream.control().fps(), 25U);
  EXPECT_EQ(stream.take_frames(), 100);
}

TEST(RateControl, slow_line_keeps_to_its_rate) {
  Stream stream(3 * kMegabit);
  stream.run(5s);
  std::size_t bytes = 0;
  for (int n = 0; n < 250; ++n)
    bytes += stream.picture();
  EXPECT_LE(bytes, 10U * 375'000 * 11 / 10);
  EXPECT_GE(bytes, 10U * 375'000 / 2);
}

TEST(RateControl, larger_pictures_start_a_new_search) {
  Stream stream(8 * kMegabit, 30'000);
  stream.run(3s);
  const auto before = stream.control().quality();
  stream.set_bytes(200'000);
  stream.run(3s);
  EXPECT_LT(stream.control().quality(), before);
  stream.set_bytes(10'000);
  stream.run(5s);
  EXPECT_EQ(stream.control().quality(), 6U);
  EXPECT_EQ(stream.control().fps(), 25U);
}

TEST(RateControl, bad_reports_of_the_first_seconds_change_nothing) {
  Stream stream(8 * kMegabit);
  stream.run(2s);
  stream.report(-100);
  EXPECT_EQ(stream.control().bit_rate(), 8 * kMegabit);
}

TEST(RateControl, bad_report_lowers_the_rate_by_a_frame_and_searches_downward) {
  Stream stream(8 * kMegabit);
  stream.run(5s);
  stream.report(-100);
  EXPECT_LT(stream.control().bit_rate(), 8 * kMegabit);
  EXPECT_TRUE(stream.control().searching());
  const auto once = stream.control().bit_rate();
  stream.report(-100);  // not while it searches
  EXPECT_EQ(stream.control().bit_rate(), once);
}

TEST(RateControl, bad_report_of_the_time_before_a_decrease_is_ignored) {
  Stream stream(8 * kMegabit);
  stream.run(5s);
  const auto old = media(stream.now());
  stream.report(-100);
  stream.run(1s);
  ASSERT_FALSE(stream.control().searching());
  const auto once = stream.control().bit_rate();
  stream.control().report({.end = old, .frames = 5, .delay_ms = -100}, at(stream.now()));
  EXPECT_EQ(stream.control().bit_rate(), once);
  stream.report(-100);
  EXPECT_LT(stream.control().bit_rate(), once);
}

TEST(RateControl, good_reports_raise_the_rate_after_two_seconds) {
  Stream stream(3 * kMegabit);
  stream.run(1s);
  const auto before = stream.control().bit_rate();
  stream.report(300);
  EXPECT_EQ(stream.control().bit_rate(), before);
  EXPECT_FALSE(stream.control().searching());
  stream.run(4s);
  stream.report(300);
  EXPECT_TRUE(stream.control().searching());
}

TEST(RateControl, report_after_an_increase_may_take_it_back_at_once) {
  Stream stream(3 * kMegabit);
  stream.run(5s);
  stream.report(300);
  const auto raised = stream.control().bit_rate();
  stream.control().report({.end = media(stream.now()) - 500, .frames = 5, .delay_ms = -100}, at(stream.now()));
  EXPECT_LT(stream.control().bit_rate(), raised);
}

TEST(RateControl, pictures_with_drops_but_in_time_change_nothing) {
  Stream stream(3 * kMegabit);
  stream.run(5s);
  const auto before = stream.control().bit_rate();
  stream.report(300, 2);
  EXPECT_EQ(stream.control().bit_rate(), before);
  EXPECT_FALSE(stream.control().searching());
}

TEST(RateControl, pictures_replaced_on_our_side_lower_the_rate) {
  Stream stream(8 * kMegabit);
  stream.run(5s);
  stream.control().picture_replaced(at(stream.now()));  // one of more than 100
  EXPECT_EQ(stream.control().bit_rate(), 8 * kMegabit);
  for (int n = 0; n < 30; ++n) {
    stream.picture();
    stream.control().picture_replaced(at(stream.now()));
  }
  EXPECT_LT(stream.control().bit_rate(), 8 * kMegabit);
}

TEST(RateControl, required_delay_is_two_frames_and_the_way) {
  Stream stream(40 * kMegabit, 50'000);
  stream.run(2s);
  EXPECT_EQ(stream.control().required_delay_ms(), 2 * 10 + 20U);
  Stream slow(8000, 500'000);
  slow.run(10s);
  EXPECT_EQ(slow.control().required_delay_ms(), RateControl::kMostDelayMs);
}

// A line of one rate and one delay behind a socket that takes what fits into the line and 128 KiB more, and a client
// that plays 400 ms late.
template <class Control>
class Line {
 public:
  Line(Control& control, double bytes_per_second) : control_(control), rate_(bytes_per_second) {}

  bool writable(Time now) const {
    constexpr double kSocketBytes = 128 * 1024;
    return std::chrono::duration<double>(free_at_ - now).count() * rate_ < kSocketBytes && waiting() < kAckedMessages;
  }
  void send(Time now, std::size_t bytes) {
    const auto start = std::max(now, free_at_);
    free_at_ =
        start + std::chrono::duration_cast<Time>(std::chrono::duration<double>(static_cast<double>(bytes) / rate_));
    under_way_.push_back({media(now), free_at_ + 20ms});
    longest_backlog_ = std::max(longest_backlog_, free_at_ - now);
  }
  void receive(Time now) {
    for (; !under_way_.empty() && under_way_.front().arrival <= now; under_way_.pop_front()) {
      const auto frame = under_way_.front();
      const auto delay = static_cast<std::int32_t>(frame.time + 400) - static_cast<std::int32_t>(media(frame.arrival));
      if (frames_++ == 0) first_ = frame.time;
      if (delay < 0) ++drops_;
      ++received_;
      if (frames_ < 5) continue;
      control_.report({.start = first_,
                       .end = frame.time,
                       .frames = frames_,
                       .drops = drops_,
                       .delay_ms = delay,
                       .audio_delay_ms = ClientReport::kNoAudio},
                      at(now));
      frames_ = drops_ = 0;
    }
  }
  Time longest_backlog() const { return longest_backlog_; }
  int take_received() { return std::exchange(received_, 0); }
  std::size_t waiting() const { return under_way_.size(); }

 private:
  static constexpr std::size_t kAckedMessages = 40;
  struct Frame {
    MediaTime time;
    Time arrival;
  };
  Control& control_;
  double rate_;
  Time free_at_{};
  std::deque<Frame> under_way_;
  MediaTime first_ = 0;
  std::uint32_t frames_ = 0;
  std::uint32_t drops_ = 0;
  int received_ = 0;
  Time longest_backlog_{};
};

// A minute of video over such a line. The frames of the last 40 seconds.
template <class Control, class Encode>
int play(Control& control, Line<Control>& line, Encode encode) {
  bool is_pending = false;
  auto now = Time(100s);
  for (int n = 0; n < 25 * 60; ++n) {
    now += 40ms;
    line.receive(now);
    if (n == 25 * 20) line.take_received();
    if (std::exchange(is_pending, true)) control.picture_replaced(at(now));
    if (!line.writable(now)) continue;
    is_pending = false;
    if (const auto bytes = encode(now)) line.send(now, bytes);
  }
  return line.take_received();
}

TEST(RateControl, line_of_three_megabits_gets_ten_frames_a_second_and_no_backlog) {
  RateControl control(10 * 1024 * 1024 * 8 / 10);  // what is assumed of an unknown line
  Line line(control, 3e6 / 8);
  const auto received = play(control, line, [&](Time now) -> std::size_t {
    const auto quality = control.begin_frame(media(now), at(now));
    if (!quality) return 0;
    const auto bytes = static_cast<std::size_t>(600 * *quality);  // 48 kB at 80
    control.end_frame(bytes);
    return bytes;
  });
  EXPECT_GE(received, 40 * 10);
  EXPECT_LT(line.longest_backlog(), 1s);
}

TEST(BitRateControl, line_of_three_megabits_keeps_the_frame_rate_and_has_no_backlog) {
  BitRateControl control(10 * 1024 * 1024 * 8 / 10);
  Line line(control, 3e6 / 8);
  const auto received = play(control, line, [&](Time now) -> std::size_t {
    if (!control.begin_frame(media(now), at(now))) return 0;
    const auto bytes = static_cast<std::size_t>(control.bit_rate() / 8 / 25);  // a codec that keeps to its rate
    control.end_frame(bytes, at(now));
    return bytes;
  });
  EXPECT_GE(received, 40 * 20);
  EXPECT_LT(line.longest_backlog(), 1s);
}

TEST(BitRateControl, rises_only_when_the_rate_is_used) {
  BitRateControl control(1'000'000);
  auto now = Time(0s);
  const auto run = [&](std::size_t bytes) {
    for (int n = 0; n < 100; ++n) {
      now += 40ms;
      if (control.begin_frame(media(now), at(now))) control.end_frame(bytes, at(now));
    }
    control.report({.end = media(now), .frames = 5, .delay_ms = 300}, at(now));
    return control.bit_rate();
  };
  EXPECT_EQ(run(100), 1'000'000U);
  EXPECT_GT(run(40'000), 1'000'000U);
}

class Random {
 public:
  explicit Random(std::uint32_t seed) : engine_(seed) {}
  std::uint32_t operator()() { return static_cast<std::uint32_t>(engine_()); }

 private:
  std::mt19937 engine_;
};

// Whatever happens, rates stay positive and bounded, and settings are on the ladder.
template <class Step>
void expect_bounds(std::uint32_t seed, Step step) {
  Random random(seed);
  Time now = 1s;
  for (int n = 0; n < 3000; ++n) {
    now += Time(random() % 100'000'000);
    step(random, now);
  }
}

ClientReport any_report(Random& random, Time now) {
  const auto number = [&random] { return random() % 4 == 0 ? random() : random() % 1000; };
  return {.start = number(),
          .end = random() % 2 == 0 ? number() : media(now),
          .frames = number(),
          .drops = random() % 2 == 0 ? 0 : number(),
          .delay_ms = static_cast<std::int32_t>(number()),
          .audio_delay_ms = number()};
}

TEST(RateControl, any_course_of_events_stays_in_bounds) {
  for (std::uint32_t seed = 0; seed < 20; ++seed) {
    RateControl control(seed % 3 == 0 ? ~std::uint64_t{0} : seed * 1'000'000);
    expect_bounds(seed, [&](Random& random, Time now) {
      const Conditions conditions{.now = now, .source_fps = random() % 60 + 1, .latency_ms = random() % 3000};
      const auto event = random() % 8;
      if (event == 0) control.report(any_report(random, now), conditions);
      if (event == 1) control.picture_replaced(conditions);
      if (event > 1) {
        const auto quality = control.begin_frame(media(now), conditions);
        if (quality && random() % 20 != 0) control.end_frame(random() % 10 == 0 ? random() : random() % 100'000);
        ASSERT_TRUE(!quality || std::ranges::find(kJpegQualities, *quality) != kJpegQualities.end());
      }
      ASSERT_GE(control.bit_rate(), RateControl::kLeastByteRate * 8);
      ASSERT_LE(control.bit_rate(), RateControl::kMostByteRate * 8);
      ASSERT_GE(control.fps(), 1U);
      ASSERT_LE(control.fps(), 25U);
      ASSERT_LE(control.required_delay_ms(), RateControl::kMostDelayMs);
    });
  }
}

TEST(BitRateControl, any_course_of_events_stays_in_bounds) {
  for (std::uint32_t seed = 0; seed < 20; ++seed) {
    BitRateControl control(seed % 3 == 0 ? ~std::uint64_t{0} : seed * 1'000'000);
    expect_bounds(seed, [&](Random& random, Time now) {
      const auto conditions = at(now, random() % 60 + 1);
      const auto event = random() % 8;
      if (event == 0) control.report(any_report(random, now), conditions);
      if (event == 1) control.picture_replaced(conditions);
      if (event > 1 && control.begin_frame(media(now), conditions)) control.end_frame(random() % 100'000, conditions);
      ASSERT_GE(control.bit_rate(), BitRateControl::kLeastByteRate * 8);
      ASSERT_LE(control.bit_rate(), BitRateControl::kMostByteRate * 8);
      ASSERT_LE(control.required_delay_ms(), BitRateControl::kMostDelayMs);
    });
  }
}

}  // namespace
