#include "spice/video/codecs.h"

#include <gmock/gmock.h>

namespace {

using namespace spice;
using spice::wire::VideoCodec;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using video::parse_codecs;
using video::usable_codecs;

const video::CodecList kAll{VideoCodec::Mjpeg, VideoCodec::Vp8, VideoCodec::Vp9};

TEST(ParseCodecs, order_is_kept_and_nothing_is_twice) {
  EXPECT_THAT(*parse_codecs("gstreamer:vp8;spice:mjpeg;gstreamer:mjpeg;libvpx:vp9;"),
              ElementsAre(VideoCodec::Vp8, VideoCodec::Mjpeg, VideoCodec::Vp9));
  EXPECT_EQ(*parse_codecs("auto"), video::default_codecs());
}

TEST(ParseCodecs, what_nobody_encodes_is_left_out) {
  EXPECT_THAT(*parse_codecs("gstreamer:h264;spice:mjpeg"), ElementsAre(VideoCodec::Mjpeg));
  EXPECT_THAT(parse_codecs("gstreamer:h264;gstreamer:h265").error().message, HasSubstr("can be encoded"));
  EXPECT_FALSE(parse_codecs(""));
}

TEST(ParseCodecs, errors_name_the_item) {
  EXPECT_THAT(parse_codecs("mjpeg").error().message, HasSubstr("'mjpeg'"));
  EXPECT_THAT(parse_codecs("ffmpeg:vp8").error().message, HasSubstr("'ffmpeg:vp8'"));
  EXPECT_THAT(parse_codecs("gstreamer:av1").error().message, HasSubstr("'av1'"));
  EXPECT_THAT(parse_codecs("spice:vp8").error().message, HasSubstr("vp8"));
}

TEST(UsableCodecs, old_clients_show_mjpeg) {
  EXPECT_THAT(usable_codecs(kAll, {}, {}), ElementsAre(VideoCodec::Mjpeg));
  EXPECT_THAT(usable_codecs(video::CodecList{VideoCodec::Vp8}, {}, {}), IsEmpty());
}

TEST(UsableCodecs, clients_show_what_they_say) {
  const wire::Capabilities client{wire::kMultiCodecCap, wire::kVp8Cap, wire::kMjpegCap};
  EXPECT_THAT(usable_codecs(kAll, client, {}), ElementsAre(VideoCodec::Mjpeg, VideoCodec::Vp8));
  EXPECT_THAT(usable_codecs(kAll, {wire::kMultiCodecCap}, {}), IsEmpty());
}

TEST(UsableCodecs, preference_goes_first) {
  const wire::Capabilities client{wire::kMultiCodecCap, wire::kVp8Cap, wire::kVp9Cap, wire::kMjpegCap};
  const std::vector<std::uint8_t> preferred{4, 200, 2};
  EXPECT_THAT(usable_codecs(kAll, client, preferred), ElementsAre(VideoCodec::Vp9, VideoCodec::Vp8, VideoCodec::Mjpeg));
}

TEST(Encoders, libvpx_is_only_loaded_when_it_is_named) {
  video::Encoders encoders(std::vector{VideoCodec::Mjpeg});
  EXPECT_TRUE(encoders.has(VideoCodec::Mjpeg));
  EXPECT_FALSE(encoders.has(VideoCodec::Vp8));
  EXPECT_EQ(encoders.make(VideoCodec::Vp8, 16, 16, 1000), nullptr);
  EXPECT_EQ(encoders.make(VideoCodec::Mjpeg, 70'000, 16, 1000), nullptr);
  EXPECT_NE(encoders.make(VideoCodec::Mjpeg, 16, 16, 1000), nullptr);
}

TEST(Encoders, without_h264_and_h265) {
  video::Encoders encoders(kAll);
  EXPECT_TRUE(encoders.has(VideoCodec::Vp9));
  EXPECT_FALSE(encoders.has(VideoCodec::H264));
  EXPECT_FALSE(encoders.has(VideoCodec::H265));
}

}  // namespace
