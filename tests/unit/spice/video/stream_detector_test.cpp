#include "spice/video/stream_detector.h"

#include <gmock/gmock.h>
#include <random>

#include "tests/unit/spice/video/drawings.h"

namespace {

using namespace spice::video;
using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using tests::box;
using tests::picture;

const core::Rect kPlace = box(10, 20, 160, 120);

StreamDetector detector(StreamingMode mode = StreamingMode::Filter) {
  return {mode, [](const core::Drawing&) { return true; }};
}

// Until the stream starts; the number of pictures that took, 0 if it does not.
int pictures_to_start(StreamDetector& detector, Time gap, int most = 200, const core::Rect& place = kPlace) {
  for (int n = 1; n <= most; ++n) {
    if (detector.add(picture(place), n * gap).started) return n;
  }
  return 0;
}

TEST(StreamDetector, the_21st_picture_starts_a_stream) {
  auto found = detector();
  EXPECT_EQ(pictures_to_start(found, 40ms), 21);
  EXPECT_THAT(found.running(), ElementsAre(0));
  EXPECT_EQ(found.find(0)->input.fps(), 25U);
  EXPECT_EQ(found.find(0)->shape.dest, kPlace);
  EXPECT_EQ(found.find(1), nullptr);
}

TEST(StreamDetector, off_finds_nothing) {
  auto found = detector(StreamingMode::Off);
  EXPECT_EQ(pictures_to_start(found, 40ms), 0);
}

TEST(StreamDetector, mode_counts_from_the_next_picture_on) {
  auto found = detector(StreamingMode::Off);
  EXPECT_EQ(pictures_to_start(found, 40ms, 30), 0);
  found.set_mode(StreamingMode::Filter);
  EXPECT_EQ(pictures_to_start(found, 40ms), 21);
  EXPECT_EQ(pictures_to_start(found, 40ms, 30, box(200, 0, 10, 10)), 0);
  found.set_mode(StreamingMode::All);
  EXPECT_THAT(found.running(), ElementsAre(0));
  EXPECT_EQ(pictures_to_start(found, 40ms, 30, box(200, 0, 10, 10)), 21);
}

TEST(StreamDetector, pictures_further_apart_than_200_ms_are_no_video) {
  auto found = detector();
  EXPECT_EQ(pictures_to_start(found, 200ms), 0);
  auto other = detector();
  EXPECT_EQ(pictures_to_start(other, 199ms), 21);
}

TEST(StreamDetector, filter_leaves_small_pictures_out_and_all_does_not) {
  auto filter = detector();
  EXPECT_EQ(pictures_to_start(filter, 40ms, 50, box(0, 0, 96, 95)), 0);
  EXPECT_EQ(pictures_to_start(filter, 40ms, 50, box(0, 0, 96, 96)), 21);
  auto all = detector(StreamingMode::All);
  EXPECT_EQ(pictures_to_start(all, 40ms, 50, box(0, 0, 4, 4)), 21);
}

TEST(StreamDetector, only_opaque_plain_copies_of_bitmaps_to_the_primary_surface) {
  const auto as_frame = [](const core::Drawing& drawing) {
    return video_frame(drawing, StreamingMode::All).has_value();
  };
  auto drawing = picture(kPlace);
  EXPECT_TRUE(as_frame(drawing));
  drawing.surface = 1;
  EXPECT_FALSE(as_frame(drawing));
  drawing = picture(kPlace);
  drawing.effect = core::Effect::Blend;
  EXPECT_FALSE(as_frame(drawing));
  drawing = picture(kPlace);
  std::get<core::DrawCopy>(drawing.operation).rop = core::kRopXor;
  EXPECT_FALSE(as_frame(drawing));
  drawing = picture(kPlace);
  std::get<core::DrawCopy>(drawing.operation).mask.image = std::make_shared<core::Image>();
  EXPECT_FALSE(as_frame(drawing));
  drawing = picture(kPlace);
  std::get<core::DrawCopy>(drawing.operation).source.image =
      std::make_shared<core::Image>(core::Image{.content = core::SurfacePixels{1}});
  EXPECT_FALSE(as_frame(drawing));
  drawing.operation = core::DrawFill{};
  EXPECT_FALSE(as_frame(drawing));
}

TEST(StreamDetector, rectangles_whose_sides_overflow_are_no_frames) {
  auto drawing = picture(kPlace);
  drawing.box = {INT32_MIN, 0, INT32_MAX, 10};
  EXPECT_FALSE(video_frame(drawing, StreamingMode::All));
  drawing.box = {10, 10, 10, 20};
  EXPECT_FALSE(video_frame(drawing, StreamingMode::All));
}

TEST(StreamDetector, sharp_pictures_are_no_video_unless_all_is_wanted) {
  StreamDetector filter(StreamingMode::Filter, [](const core::Drawing&) { return false; });
  EXPECT_EQ(pictures_to_start(filter, 40ms), 0);
  StreamDetector all(StreamingMode::All, [](const core::Drawing&) { return false; });
  EXPECT_EQ(pictures_to_start(all, 40ms), 21);
}

TEST(StreamDetector, a_fifth_of_the_pictures_must_be_gradual) {
  int n = 0;
  StreamDetector some(StreamingMode::Filter, [&n](const core::Drawing&) { return ++n > 16; });
  // 17th to 20th successor: 4 of 20.
  EXPECT_EQ(pictures_to_start(some, 40ms), 21);
  n = 0;
  StreamDetector less(StreamingMode::Filter, [&n](const core::Drawing&) { return ++n > 17; });
  EXPECT_EQ(pictures_to_start(less, 40ms), 23);  // 5 of 22
}

TEST(StreamDetector, counting_starts_again_after_100_pictures_without_a_gradual_one) {
  int n = 0;
  StreamDetector late(StreamingMode::Filter, [&n](const core::Drawing&) { return ++n > 100; });
  // The 101st successor is counted as the first.
  EXPECT_EQ(pictures_to_start(late, 40ms), 1 + 100 + 20);
}

TEST(StreamDetector, several_videos_start_at_once) {
  auto found = detector();
  int started = 0;
  for (int n = 0; n < 21 * 8; ++n) {
    const auto place = box(n % 8 * 100, 0, 100, 100);
    started += found.add(picture(place), n * 5ms).started ? 1 : 0;
  }
  EXPECT_EQ(started, 8);
}

TEST(StreamDetector, single_pictures_do_not_drive_out_a_video) {
  auto found = detector();
  bool has_started = false;
  for (int n = 0; n < 21 * 10; ++n) {
    const auto place = n % 10 == 0 ? kPlace : box(n, 300, 100, 100);
    has_started = found.add(picture(place), n * 4ms).started || has_started;
  }
  EXPECT_TRUE(has_started);
}

TEST(StreamDetector, stream_goes_on_with_other_sizes_up_to_twice_its_area) {
  auto found = detector();
  ASSERT_EQ(pictures_to_start(found, 40ms), 21);
  Time now = 21 * 40ms;
  const auto add = [&](const core::Rect& place) { return found.add(picture(place), now += 40ms); };
  EXPECT_EQ(add(kPlace).stream, 0U);
  EXPECT_FALSE(add(kPlace).sized);
  const auto larger = add(box(0, 0, 170, 140));
  EXPECT_EQ(larger.stream, 0U);
  EXPECT_TRUE(larger.sized);
  EXPECT_FALSE(add(box(0, 0, 320, 240)).stream) << "more than twice the area";
  EXPECT_FALSE(add(box(11, 20, 160, 120)).stream) << "does not hold the stream's place";
}

TEST(StreamDetector, same_place_from_another_size_is_sized) {
  auto found = detector(StreamingMode::All);
  ASSERT_EQ(pictures_to_start(found, 40ms), 21);
  auto drawing = tests::with_bitmap(
      picture(kPlace), {.width = 80, .height = 60, .stride = 320, .data = std::vector<std::uint8_t>(320 * 60)});
  std::get<core::DrawCopy>(drawing.operation).source.area = {0, 0, 80, 60};
  EXPECT_TRUE(found.add(drawing, 900ms).sized);
}

TEST(StreamDetector, row_order_belongs_to_a_stream) {
  auto found = detector();
  ASSERT_EQ(pictures_to_start(found, 40ms), 21);
  EXPECT_FALSE(found.add(picture(kPlace, 0, false), 880ms).stream);
}

TEST(StreamDetector, stream_ends_after_a_second_and_its_number_is_used_again) {
  auto found = detector();
  EXPECT_FALSE(found.next_timeout());
  ASSERT_EQ(pictures_to_start(found, 40ms), 21);
  EXPECT_EQ(found.next_timeout(), 1840ms);
  EXPECT_THAT(found.time_out(1839ms), IsEmpty());
  EXPECT_FALSE(found.add(picture(kPlace), 1840ms).stream) << "too late for it";
  EXPECT_THAT(found.time_out(1840ms), ElementsAre(0));
  EXPECT_THAT(found.running(), IsEmpty());
  Time now = 10s;
  StreamDetector::Verdict verdict;
  for (int n = 0; n < 21; ++n)
    verdict = found.add(picture(kPlace), now += 40ms);
  EXPECT_EQ(verdict.stream, 0U);
}

TEST(StreamDetector, there_are_at_most_fifty_streams) {
  auto found = detector(StreamingMode::All);
  for (int n = 0; n < 25 * 60; ++n)
    found.add(picture(box(n % 60 * 10, 0, 4, 4)), n * 1ms);
  EXPECT_THAT(found.running(), SizeIs(kMostStreams));
  found.clear();
  EXPECT_THAT(found.running(), IsEmpty());
}

TEST(StreamDetector, any_drawings_at_any_time_leave_it_sound) {
  std::mt19937 random(7);
  auto found = detector(StreamingMode::All);
  Time now = 0s;
  for (int n = 0; n < 20'000; ++n) {
    now += Time(random() % 30'000'000);
    const auto side = static_cast<std::int32_t>(random() % 3 + 1);
    const auto verdict = found.add(picture(box(static_cast<std::int32_t>(random() % 60) * 4, 0, side, side)), now);
    if (verdict.stream) {
      ASSERT_NE(found.find(*verdict.stream), nullptr);
      ASSERT_GE(found.find(*verdict.stream)->input.fps(), 1U);
    }
    for (const auto id : found.time_out(now))
      ASSERT_EQ(found.find(id), nullptr);
    ASSERT_LE(found.running().size(), kMostStreams);
  }
}

TEST(PictureOf, rows_begin_at_the_top_whatever_the_order) {
  auto drawing = picture(box(0, 0, 2, 3));
  core::Bitmap bitmap{.top_down = false, .width = 4, .height = 3, .stride = 16};
  for (std::uint8_t n = 0; n < 48; ++n)
    bitmap.data.push_back(n);
  std::get<core::DrawCopy>(drawing.operation).source.area = {1, 1, 3, 3};
  drawing = tests::with_bitmap(std::move(drawing), bitmap);
  auto seen = picture_of(drawing);
  ASSERT_TRUE(seen);
  EXPECT_EQ(seen->width, 2U);
  EXPECT_EQ(seen->height, 2U);
  EXPECT_EQ(*seen->rows, 16 + 4);
  EXPECT_EQ(*(seen->rows + seen->stride), 4);
  bitmap.top_down = true;
  drawing = tests::with_bitmap(std::move(drawing), bitmap);
  seen = picture_of(drawing);
  EXPECT_EQ(*seen->rows, 16 + 4);
  EXPECT_EQ(*(seen->rows + seen->stride), 32 + 4);
}

TEST(PictureOf, impossible_bitmaps_have_none) {
  const auto of = [](core::Bitmap bitmap, core::Rect area = {0, 0, 4, 4}) {
    bitmap.data.resize(64);
    auto drawing = tests::with_bitmap(picture(box(0, 0, 4, 4)), std::move(bitmap));
    std::get<core::DrawCopy>(drawing.operation).source.area = area;
    return picture_of(drawing).has_value();
  };
  EXPECT_TRUE(of({.width = 4, .height = 4, .stride = 16}));
  EXPECT_FALSE(of({.width = 4, .height = 5, .stride = 16}));
  EXPECT_FALSE(of({.width = 5, .height = 4, .stride = 16}));
  EXPECT_FALSE(of({.width = 4, .height = 4, .stride = 0}));
  EXPECT_FALSE(of({.width = 4, .height = 4, .stride = 16}, {0, 0, 5, 4}));
  EXPECT_FALSE(of({.width = 4, .height = 4, .stride = 16}, {-1, 0, 4, 4}));
  EXPECT_FALSE(of({.format = core::BitmapFormat::Indexed8, .width = 4, .height = 4, .stride = 4}));
}

}  // namespace
