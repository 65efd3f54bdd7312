#include "spice/video/client_streams.h"

#include <gmock/gmock.h>
#include <random>

#include "tests/unit/spice/video/drawings.h"
#include "tests/unit/spice/video/fake_encoders.h"

namespace {

using namespace spice;
using namespace std::chrono_literals;
using canvas::Region;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using tests::box;
using tests::FakeEncoders;
using video::ClientStreams;
using video::StreamMessage;
using wire::VideoCodec;

const core::Rect kPlace = box(10, 20, 160, 120);
const wire::Capabilities kClient{wire::kSizedStreamCap, wire::kStreamReportCap, wire::kMultiCodecCap, wire::kMjpegCap,
                                 wire::kVp8Cap};
const video::CodecList kCodecs{VideoCodec::Mjpeg, VideoCodec::Vp8};

video::Conditions conditions(video::Time now = 1s) {
  return {.now = now, .source_fps = 25, .latency_ms = 5};
}

class ClientStreamsTest : public testing::Test {
 protected:
  void start(video::StreamId id = 0, const core::Rect& place = kPlace) {
    streams_.start(id, *video::video_frame(tests::picture(place), video::StreamingMode::All));
  }
  bool frame(video::StreamId id = 0, const core::Rect& place = kPlace, std::optional<Region> visible = {},
             bool sized = false) {
    return streams_.frame(id,
                          {.drawing = std::make_shared<core::Drawing>(tests::picture(place)),
                           .visible = visible.value_or(Region(place)),
                           .time = 1234,
                           .sized = sized,
                           .source_fps = 25,
                           .round = ++round_},
                          conditions());
  }
  std::vector<StreamMessage> controls() {
    std::vector<StreamMessage> all;
    while (auto message = streams_.next_control())
      all.push_back(std::move(*message));
    return all;
  }
  // The kinds of all that is sent now, controls first: c r l d D S for create, report, clip, destroy, data, sized.
  std::string sent() {
    std::string kinds;
    for (const auto& message : controls())
      kinds += "dlcrDS"[message.index()];
    while (const auto message = streams_.next_frame(conditions()))
      kinds += "dlcrDS"[message->index()];
    return kinds;
  }
  void settle() {
    start();
    ASSERT_TRUE(frame());
    ASSERT_EQ(sent(), "crD");
  }
  video::MediaTime sent_time(StreamMessage message) {
    return std::get<wire::DisplayStreamData>(message).multi_media_time;
  }

  FakeEncoders encoders_;
  video::VideoStatistics statistics_;
  ClientStreams streams_{encoders_, kCodecs, kClient, statistics_};
  std::uint64_t round_ = 0;
};

TEST(FirstBitRate, best_of_what_is_known_times_share) {
  using video::first_bit_rate;
  constexpr std::uint64_t kMebibit = 1 << 20;
  EXPECT_EQ(first_bit_rate({}, 0, 100, 100), 8 * kMebibit);
  EXPECT_EQ(first_bit_rate({.is_low = true}, 0, 100, 100), 2 * kMebibit);
  EXPECT_EQ(first_bit_rate({.measured = 5'000'000}, 0, 100, 100), 4'000'000U);
  EXPECT_EQ(first_bit_rate({.measured = 5'000'000}, 10'000'000, 100, 100), 8'000'000U);
  EXPECT_EQ(first_bit_rate({.measured = 5'000'000}, 0, 100, 400), 1'000'000U);
}

TEST_F(ClientStreamsTest, nothing_is_sent_before_the_first_picture) {
  start();
  EXPECT_EQ(sent(), "");
}

TEST_F(ClientStreamsTest, first_picture_creates_the_stream_and_asks_for_reports) {
  start();
  EXPECT_TRUE(frame());
  const auto messages = controls();
  ASSERT_EQ(messages.size(), 2U);
  const auto& create = std::get<wire::DisplayStreamCreate>(messages[0]);
  EXPECT_EQ(create.codec, VideoCodec::Mjpeg);
  EXPECT_EQ(create.flags, wire::DisplayStreamCreate::kTopDown);
  EXPECT_EQ(create.stream_width, 160U);
  EXPECT_EQ(create.dest, (wire::Rect{.top = 20, .left = 10, .bottom = 140, .right = 170}));
  EXPECT_EQ(create.clip.kind, wire::Clip::Kind::Rects);
  EXPECT_EQ(create.clip.rects.size(), 1U);
  const auto& wish = std::get<wire::DisplayStreamActivateReport>(messages[1]);
  EXPECT_EQ(wish.window, 5U);
  EXPECT_EQ(wish.timeout, 1000U);
  EXPECT_EQ(sent_time(*streams_.next_frame(conditions())), 1234U);
  EXPECT_EQ(sent(), "");
}

TEST_F(ClientStreamsTest, clients_without_reports_are_not_asked) {
  ClientStreams plain(encoders_, kCodecs, {}, statistics_);
  plain.start(0, *video::video_frame(tests::picture(kPlace), video::StreamingMode::All));
  plain.frame(0, {.drawing = std::make_shared<core::Drawing>(tests::picture(kPlace)), .visible = Region(kPlace)},
              conditions());
  EXPECT_TRUE(std::holds_alternative<wire::DisplayStreamCreate>(*plain.next_control()));
  EXPECT_FALSE(plain.next_control());
}

TEST_F(ClientStreamsTest, preferred_codec_begins_streams_anew) {
  settle();
  streams_.prefer(std::vector<std::uint8_t>{2});
  EXPECT_EQ(streams_.take_healing(), Region(kPlace));
  EXPECT_EQ(sent(), "d");
  EXPECT_TRUE(frame());
  EXPECT_EQ(std::get<wire::DisplayStreamCreate>(*streams_.next_control()).codec, VideoCodec::Vp8);
  EXPECT_EQ(sent(), "rD");
}

TEST_F(ClientStreamsTest, preference_for_what_is_used_changes_nothing) {
  settle();
  streams_.prefer(std::vector<std::uint8_t>{1, 2});
  EXPECT_TRUE(frame());
  EXPECT_EQ(sent(), "D");
}

TEST_F(ClientStreamsTest, codec_that_cannot_be_made_falls_back) {
  encoders_.missing = {VideoCodec::Mjpeg};
  settle();
  EXPECT_EQ(encoders_.last_codec, VideoCodec::Vp8);
  encoders_.missing = kCodecs;
  start(1);
  EXPECT_FALSE(frame(1)) << "as a drawing";
}

TEST_F(ClientStreamsTest, newer_picture_replaces_one_that_waits_and_counts_as_dropped) {
  settle();
  frame();
  EXPECT_EQ(encoders_.log->replaced, 0);
  frame();
  EXPECT_EQ(encoders_.log->replaced, 1);
  EXPECT_EQ(sent(), "D");
  frame();
  --round_;  // the next is of the same round
  frame();
  EXPECT_EQ(encoders_.log->replaced, 1);
}

TEST_F(ClientStreamsTest, picture_that_is_left_out_is_not_sent) {
  settle();
  encoders_.log->leaves_out = true;
  frame();
  EXPECT_EQ(sent(), "");
  encoders_.log->leaves_out = false;
  EXPECT_EQ(sent(), "") << "it does not wait";
}

TEST_F(ClientStreamsTest, what_lies_on_top_is_clipped_before_it_is_drawn) {
  settle();
  streams_.covered(Region(box(0, 0, 50, 50)));
  const auto messages = controls();
  ASSERT_EQ(messages.size(), 1U);
  EXPECT_EQ(std::get<wire::DisplayStreamClip>(messages[0]).clip.rects.size(), 2U);
  EXPECT_TRUE(streams_.take_healing().empty());
  streams_.covered(Region(box(500, 500, 50, 50)));
  EXPECT_EQ(sent(), "");
}

TEST_F(ClientStreamsTest, clip_follows_the_pictures) {
  settle();
  const Region upper(box(10, 20, 160, 60));
  frame(0, kPlace, upper);
  EXPECT_EQ(sent(), "lD");
  EXPECT_EQ(streams_.take_healing(), Region(box(10, 80, 160, 60))) << "nothing is drawn there otherwise";
  frame();
  EXPECT_EQ(sent(), "lD");
  EXPECT_TRUE(streams_.take_healing().empty());
}

TEST_F(ClientStreamsTest, drawing_that_mixes_with_the_video_detaches_it_until_the_next_picture) {
  settle();
  streams_.detach(Region(box(500, 500, 10, 10)));
  EXPECT_EQ(sent(), "");
  streams_.detach(Region(box(0, 0, 50, 50)));
  const auto messages = controls();
  ASSERT_EQ(messages.size(), 1U);
  EXPECT_THAT(std::get<wire::DisplayStreamClip>(messages[0]).clip.rects, IsEmpty());
  EXPECT_EQ(streams_.take_healing(), Region(kPlace));
  frame();
  EXPECT_EQ(sent(), "lD");
}

TEST_F(ClientStreamsTest, end_heals_all_that_the_video_was_seen_in) {
  settle();
  streams_.covered(Region(box(10, 20, 160, 60)));
  sent();
  streams_.stop(0);
  EXPECT_EQ(sent(), "d");
  EXPECT_EQ(streams_.take_healing(), Region(box(10, 80, 160, 60)));
  EXPECT_FALSE(frame()) << "as a drawing";
}

TEST_F(ClientStreamsTest, end_heals_what_only_a_left_out_picture_would_have_shown) {
  settle();
  streams_.covered(Region(box(10, 20, 160, 60)));
  sent();
  encoders_.log->leaves_out = true;
  frame();
  sent();
  streams_.stop(0);
  EXPECT_EQ(streams_.take_healing(), Region(kPlace));
}

TEST_F(ClientStreamsTest, end_of_an_unknown_stream_is_not_told) {
  start();
  frame();
  streams_.stop(0);
  EXPECT_EQ(sent(), "");
  EXPECT_EQ(streams_.take_healing(), Region(kPlace));
}

TEST_F(ClientStreamsTest, number_used_again_is_destroyed_first) {
  settle();
  start();
  frame();
  EXPECT_EQ(sent(), "dcrD");
}

TEST_F(ClientStreamsTest, figures_count_pictures_that_were_sent_and_that_were_not) {
  settle();
  frame();
  frame();
  EXPECT_EQ(sent(), "D");
  const auto figures = statistics_.figures();
  EXPECT_EQ(figures.streams, 1U);
  EXPECT_EQ(figures.frames, 2U);
  EXPECT_EQ(figures.replaced, 1U);
  EXPECT_EQ(figures.left_out, 0U);
  EXPECT_GT(figures.sent_bytes, 0U);
}

TEST_F(ClientStreamsTest, sized_pictures_go_to_those_who_know_them) {
  settle();
  const auto larger = box(0, 0, 180, 150);
  EXPECT_TRUE(frame(0, larger, {}, true));
  EXPECT_EQ(sent(), "lS");

  ClientStreams plain(encoders_, kCodecs, {}, statistics_);
  plain.start(0, *video::video_frame(tests::picture(kPlace), video::StreamingMode::All));
  const auto add = [&](const core::Rect& place, bool sized) {
    return plain.frame(
        0,
        {.drawing = std::make_shared<core::Drawing>(tests::picture(place)), .visible = Region(place), .sized = sized},
        conditions());
  };
  EXPECT_TRUE(add(kPlace, false));
  EXPECT_FALSE(add(larger, true));
  EXPECT_EQ(plain.take_healing(), Region(kPlace));
  EXPECT_TRUE(add(kPlace, false)) << "the stream goes on";
}

TEST_F(ClientStreamsTest, pictures_no_encoder_takes_are_drawings) {
  settle();
  const auto indexed = tests::with_bitmap(
      tests::picture(kPlace), {.format = core::BitmapFormat::Indexed8, .width = 160, .height = 120, .stride = 160});
  EXPECT_FALSE(streams_.frame(0, {.drawing = std::make_shared<core::Drawing>(indexed), .visible = Region(kPlace)},
                              conditions()));
}

TEST_F(ClientStreamsTest, ragged_clips_are_drawn) {
  settle();
  Region holes(kPlace);
  for (int n = 0; n < 600; ++n)
    holes.subtract(box(10 + n % 40 * 4, 20 + n / 40 * 4, 2, 2));
  ASSERT_GT(holes.rect_count(), ClientStreams::kMostClipRects);
  EXPECT_FALSE(frame(0, kPlace, holes));
  EXPECT_TRUE(frame());
  sent();
  for (int n = 0; n < 600; ++n)
    streams_.covered(Region(box(10 + n % 40 * 4, 20 + n / 40 * 4, 2, 2)));
  EXPECT_EQ(sent(), "l");
  EXPECT_FALSE(streams_.take_healing().empty());
}

TEST_F(ClientStreamsTest, stream_over_another_covers_it) {
  settle();
  const auto place = box(100, 100, 200, 200);
  start(1, place);
  frame(1, place);
  EXPECT_EQ(sent(), "lcrD");
}

TEST_F(ClientStreamsTest, streams_take_turns) {
  const auto other = box(300, 0, 100, 100);
  settle();
  start(1, other);
  frame(1, other);
  frame(0);
  controls();
  const auto first = std::get<wire::DisplayStreamData>(*streams_.next_frame(conditions())).id;
  frame(first, first == 0 ? kPlace : other);
  EXPECT_NE(std::get<wire::DisplayStreamData>(*streams_.next_frame(conditions())).id, first);
}

wire::DisplayStreamReport report_of(std::uint32_t id, std::uint32_t unique, std::uint32_t frames, std::uint32_t drops) {
  return {.id = id, .unique_id = unique, .start_time = 1, .end_time = 2, .frames = frames, .drops = drops};
}

TEST_F(ClientStreamsTest, reports_reach_the_encoder_if_they_are_of_this_stream) {
  settle();
  EXPECT_TRUE(streams_.report(report_of(0, 1, 5, 0), conditions()));
  EXPECT_EQ(encoders_.log->reports, 1);
  EXPECT_TRUE(streams_.report(report_of(0, 99, 5, 0), conditions()));
  EXPECT_TRUE(streams_.report(report_of(3, 1, 5, 0), conditions()));
  EXPECT_EQ(encoders_.log->reports, 1);
  EXPECT_FALSE(streams_.report(report_of(50, 1, 5, 0), conditions()));
}

TEST_F(ClientStreamsTest, unsupported_codec_is_given_up_for_the_next) {
  settle();
  EXPECT_TRUE(streams_.report(report_of(0, 1, 0, wire::DisplayStreamReport::kUnsupported), conditions()));
  EXPECT_EQ(streams_.take_healing(), Region(kPlace));
  EXPECT_TRUE(frame());
  EXPECT_EQ(sent(), "dcrD");
  EXPECT_EQ(encoders_.last_codec, VideoCodec::Vp8);
  EXPECT_TRUE(streams_.report(report_of(0, 2, 0, wire::DisplayStreamReport::kUnsupported), conditions()));
  EXPECT_FALSE(frame()) << "there is no other codec";
  EXPECT_EQ(sent(), "d");
}

// As spice-gtk has it: for CREATE, and for each later message that names the stream, with a report that has no id.
TEST_F(ClientStreamsTest, refusal_is_told_once_for_every_message_about_the_stream) {
  settle();
  frame();
  ASSERT_EQ(sent(), "D");
  const auto refusal = report_of(0, 0, 0, wire::DisplayStreamReport::kUnsupported);
  EXPECT_TRUE(streams_.report(refusal, conditions()));
  EXPECT_TRUE(frame());
  ASSERT_EQ(sent(), "dcrD");
  for (int i = 0; i < 3; ++i)  // for ACTIVATE_REPORT and two pictures
    EXPECT_TRUE(streams_.report(refusal, conditions()));
  EXPECT_TRUE(frame());
  EXPECT_EQ(sent(), "D") << "the second codec is not what was refused";
  EXPECT_TRUE(streams_.report(refusal, conditions()));
  EXPECT_FALSE(frame()) << "there is no other codec";
}

TEST_F(ClientStreamsTest, required_delay_is_that_of_the_slowest_stream) {
  settle();
  EXPECT_EQ(streams_.required_delay_ms(), 0U);
  encoders_.log->delay_ms = 300;
  EXPECT_EQ(streams_.required_delay_ms(), 300U);
  streams_.stop(0);
  EXPECT_EQ(streams_.required_delay_ms(), 0U);
}

TEST_F(ClientStreamsTest, rate_of_an_ended_stream_is_where_the_next_begins) {
  settle();
  encoders_.log->bit_rate = 50'000'000;
  streams_.stop(0);
  start();
  frame();
  EXPECT_EQ(encoders_.last_bit_rate, 40'000'000U);
}

TEST_F(ClientStreamsTest, new_surface_ends_everything_and_heals_nothing) {
  settle();
  frame();
  streams_.stop_all();
  EXPECT_EQ(sent(), "d");
  EXPECT_TRUE(streams_.take_healing().empty());
}

TEST_F(ClientStreamsTest, dropped_pictures_are_healed_like_others) {
  settle();
  frame();
  streams_.drop_frames();
  EXPECT_EQ(sent(), "");
  streams_.stop(0);
  EXPECT_EQ(streams_.take_healing(), Region(kPlace));
}

}  // namespace
