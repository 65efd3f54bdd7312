#include "spice/wire/stream.h"

#include "tests/wire/golden.h"

namespace spice::wire {
namespace {

Golden rect(std::uint32_t top, std::uint32_t left, std::uint32_t bottom, std::uint32_t right) {
  return joined({u32(top), u32(left), u32(bottom), u32(right)});
}

TEST(StreamWire, create) {
  const auto message = check_golden<DisplayStreamCreate>(joined({
      u32(0),                  // surface
      u32(7),                  // stream
      u8(1),                   // flags: top-down
      u8(2),                   // codec: VP8
      u64(0),                  // stamp
      u32(640),                // stream width
      u32(480),                // stream height
      u32(320),                // source width
      u32(240),                // source height
      rect(10, 20, 490, 660),  // dest
      u8(1),                   // clip: rects
      u32(1),                  // one of them
      rect(10, 20, 100, 660),  // the upper part
  }));
  EXPECT_EQ(message.id, 7U);
  EXPECT_EQ(message.flags, DisplayStreamCreate::kTopDown);
  EXPECT_EQ(message.codec, VideoCodec::Vp8);
  EXPECT_EQ(message.stream_width, 640U);
  EXPECT_EQ(message.source_height, 240U);
  EXPECT_EQ(message.dest, (Rect{10, 20, 490, 660}));
  EXPECT_EQ(message.clip.rects, std::vector({Rect{10, 20, 100, 660}}));
}

TEST(StreamWire, data) {
  const auto message = check_golden<DisplayStreamData>(joined({u32(7), u32(123'456), u32(4), text("jpeg")}));
  EXPECT_EQ(message.multi_media_time, 123'456U);
  EXPECT_EQ(message.data.size(), 4U);
}

TEST(StreamWire, sized_data) {
  const auto message = check_golden<DisplayStreamDataSized>(
      joined({u32(7), u32(1), u32(800), u32(600), rect(0, 0, 600, 800), u32(4), text("jpeg")}));
  EXPECT_EQ(message.width, 800U);
  EXPECT_EQ(message.dest, (Rect{0, 0, 600, 800}));
  EXPECT_EQ(message.data.size(), 4U);
}

TEST(StreamWire, clip_and_destroy) {
  const auto message = check_golden<DisplayStreamClip>(joined({u32(3), u8(1), u32(0)}));
  EXPECT_EQ(message.id, 3U);
  EXPECT_EQ(message.clip.kind, Clip::Kind::Rects);
  EXPECT_THAT(message.clip.rects, testing::IsEmpty());
  EXPECT_EQ(check_golden<DisplayStreamClip>(joined({u32(3), u8(0)})).clip.kind, Clip::Kind::None);
  EXPECT_EQ(check_golden<DisplayStreamDestroy>(u32(3)).id, 3U);
}

TEST(StreamWire, reports) {
  const auto wish = check_golden<DisplayStreamActivateReport>(joined({u32(3), u32(99), u32(5), u32(1000)}));
  EXPECT_EQ(wish.unique_id, 99U);
  EXPECT_EQ(wish.timeout, 1000U);
  const auto report = check_golden<DisplayStreamReport>(
      joined({u32(3), u32(99), u32(1000), u32(1200), u32(5), u32(1), u32(0xffff'fff6), u32(0xffff'ffff)}));
  EXPECT_EQ(report.end_time, 1200U);
  EXPECT_EQ(report.drops, 1U);
  EXPECT_EQ(report.last_frame_delay, -10);
}

}  // namespace
}  // namespace spice::wire
