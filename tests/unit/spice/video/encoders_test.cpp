// Real frames of every codec, decoded again.
#include <cmath>
#include <cstdlib>
#include <gmock/gmock.h>
#include <vpx/vp8dx.h>
#include <vpx/vpx_decoder.h>

#include "spice/codec/jpeg.h"
#include "spice/video/codecs.h"
#include "spice/video/i420.h"

namespace {

using namespace spice;
using namespace std::chrono_literals;
using spice::video::Picture;
using spice::video::PixelLayout;
using spice::wire::VideoCodec;

// A gradient that moves.
std::vector<std::uint32_t> scene(std::uint32_t width, std::uint32_t height, std::uint32_t n) {
  std::vector<std::uint32_t> pixels;
  for (std::uint32_t y = 0; y < height; ++y) {
    for (std::uint32_t x = 0; x < width; ++x)
      pixels.push_back((x + n) * 200 / width << 16 | y * 200 / height << 8 | 64);
  }
  return pixels;
}

Picture picture_of(const std::vector<std::uint32_t>& pixels, std::uint32_t width) {
  return {.layout = PixelLayout::Rgb32,
          .width = width,
          .height = static_cast<std::uint32_t>(pixels.size()) / width,
          .rows = reinterpret_cast<const std::uint8_t*>(pixels.data()),
          .stride = std::ptrdiff_t{width} * 4};
}

video::Conditions at(std::uint32_t n) {
  return {.now = n * 40ms, .source_fps = 25, .latency_ms = 10};
}

TEST(I420, primary_colours) {
  const std::vector<std::uint32_t> pixels{0xffffff, 0xffffff, 0x000000, 0x000000, 0xff0000, 0xff0000,
                                          0x0000ff, 0x0000ff, 0xffffff, 0xffffff, 0x000000, 0x000000,
                                          0xff0000, 0xff0000, 0x0000ff, 0x0000ff};
  video::I420 planes;
  planes.convert(picture_of(pixels, 8));
  EXPECT_THAT(std::vector(planes.luma(), planes.luma() + 8), testing::ElementsAre(235, 235, 16, 16, 82, 82, 41, 41));
  EXPECT_THAT(std::vector(planes.blue(), planes.blue() + 4), testing::ElementsAre(128, 128, 90, 240));
  EXPECT_THAT(std::vector(planes.red(), planes.red() + 4), testing::ElementsAre(128, 128, 240, 110));
}

TEST(I420, odd_sides_and_other_layouts) {
  const std::vector<std::uint32_t> wide{0xff0000, 0xff0000, 0x0000ff};
  video::I420 planes;
  planes.convert(picture_of(wide, 3));
  EXPECT_EQ(planes.chroma_width(), 2U);
  EXPECT_EQ(planes.chroma_height(), 1U);
  EXPECT_EQ(planes.blue()[1], 240);
  const std::vector<std::uint8_t> narrow{0, 0, 255, 0, 0, 255, 255, 0, 0};
  planes.convert({.layout = PixelLayout::Rgb24, .width = 3, .height = 1, .rows = narrow.data(), .stride = 9});
  EXPECT_EQ(planes.luma()[0], 82);
  EXPECT_EQ(planes.blue()[1], 240);
  const std::vector<std::uint16_t> rgb555{0x7c00, 0x001f};
  planes.convert({.layout = PixelLayout::Rgb16,
                  .width = 2,
                  .height = 1,
                  .rows = reinterpret_cast<const std::uint8_t*>(rgb555.data()),
                  .stride = 4});
  EXPECT_EQ(planes.luma()[0], 82);
  EXPECT_EQ(planes.luma()[1], 41);
}

TEST(MjpegEncoder, frames_are_jpegs_of_the_picture) {
  video::Encoders encoders(std::vector{VideoCodec::Mjpeg});
  const auto encoder = encoders.make(VideoCodec::Mjpeg, 64, 48, 20'000'000);
  const auto pixels = scene(64, 48, 0);
  const auto frame = encoder->encode(picture_of(pixels, 64), 1000, at(1));
  ASSERT_TRUE(frame);
  codec::JpegScratch scratch;
  std::vector<std::uint32_t> decoded(64 * 48);
  const auto header = codec::jpeg_decode(
      frame->bytes(), {reinterpret_cast<std::uint8_t*>(decoded.data()), decoded.size() * 4}, scratch);
  ASSERT_TRUE(header);
  EXPECT_EQ(header->width, 64U);
  for (std::size_t n = 0; n < pixels.size(); ++n) {
    for (const unsigned shift : {0U, 8U, 16U})
      ASSERT_NEAR(decoded[n] >> shift & 0xff, pixels[n] >> shift & 0xff, 30);
  }
}

TEST(MjpegEncoder, noise_of_the_least_size_fits) {
  video::Encoders encoders(std::vector{VideoCodec::Mjpeg});
  std::vector<std::uint32_t> noise(64 * 64);
  for (std::uint32_t seed = 1; auto& pixel : noise)
    pixel = (seed = seed * 1'664'525 + 1'013'904'223) >> 8;
  for (const std::uint32_t side : {1U, 17U, 64U}) {
    const auto encoder = encoders.make(VideoCodec::Mjpeg, side, side, 1'000'000'000);
    for (std::uint32_t n = 0; n < 5; ++n) {  // up to the best quality
      const Picture picture{
          .width = side, .height = side, .rows = reinterpret_cast<const std::uint8_t*>(noise.data()), .stride = 256};
      EXPECT_TRUE(encoder->encode(picture, n, at(n))) << side;
    }
  }
}

class Decoder {
 public:
  explicit Decoder(VideoCodec codec) {
    auto* interface = codec == VideoCodec::Vp8 ? vpx_codec_vp8_dx() : vpx_codec_vp9_dx();
    EXPECT_EQ(vpx_codec_dec_init(&context_, interface, nullptr, 0), VPX_CODEC_OK);
  }
  ~Decoder() { vpx_codec_destroy(&context_); }
  Decoder(const Decoder&) = delete;
  Decoder& operator=(const Decoder&) = delete;

  const vpx_image_t* decode(const wire::Payload& frame) {
    const auto size = static_cast<unsigned>(frame.size());
    if (vpx_codec_decode(&context_, frame.bytes().data(), size, nullptr, 0) != VPX_CODEC_OK) return nullptr;
    vpx_codec_iter_t iterator = nullptr;
    return vpx_codec_get_frame(&context_, &iterator);
  }

 private:
  vpx_codec_ctx_t context_{};
};

class VpxEncoderTest : public testing::TestWithParam<VideoCodec> {
 protected:
  std::unique_ptr<video::VideoEncoder> make(std::uint64_t bit_rate) {
    return encoders_.make(GetParam(), 160, 120, bit_rate);
  }
  video::Encoders encoders_{std::vector{VideoCodec::Vp8, VideoCodec::Vp9}};
};

double luma_error(const vpx_image_t& image, std::uint8_t* expected) {
  double sum = 0;
  for (unsigned y = 0; y < image.d_h; ++y) {
    for (unsigned x = 0; x < image.d_w; ++x) {
      const auto seen = image.planes[VPX_PLANE_Y][static_cast<std::ptrdiff_t>(y) * image.stride[VPX_PLANE_Y] + x];
      sum += std::abs(seen - expected[y * image.d_w + x]);
    }
  }
  return sum / (image.d_w * image.d_h);
}

TEST_P(VpxEncoderTest, frames_show_the_pictures) {
  const auto encoder = make(4'000'000);
  ASSERT_NE(encoder, nullptr);
  Decoder decoder(GetParam());
  video::I420 planes;
  int frames = 0;
  for (std::uint32_t n = 0; n < 30; ++n) {
    const auto pixels = scene(160, 120, n);
    const auto frame = encoder->encode(picture_of(pixels, 160), n * 40, at(n));
    if (!frame) continue;
    const auto* image = decoder.decode(*frame);
    ASSERT_NE(image, nullptr);
    planes.convert(picture_of(pixels, 160));
    EXPECT_LT(luma_error(*image, planes.luma()), 4);
    ++frames;
  }
  EXPECT_GE(frames, 25);
}

TEST_P(VpxEncoderTest, other_sizes_and_rates_on_the_way) {
  const auto encoder = make(1'000'000);
  Decoder decoder(GetParam());
  std::uint32_t n = 0;
  for (const std::uint32_t width : {160U, 161U, 33U, 320U}) {
    for (int count = 0; count < 5; ++count) {
      const auto pixels = scene(width, 90, ++n);
      const auto frame = encoder->encode(picture_of(pixels, width), n * 40, at(n));
      if (!frame) continue;
      const auto* image = decoder.decode(*frame);
      ASSERT_NE(image, nullptr);
      EXPECT_EQ(image->d_w, width);
    }
    for (int drops = 0; drops < 60; ++drops)
      encoder->picture_replaced(at(n + 200));
  }
}

// Noise takes all bits that there are: in each of these seconds there are as many.
TEST_P(VpxEncoderTest, slow_source_may_use_the_whole_rate) {
  constexpr std::uint64_t kBitRate = 1'000'000;
  const auto encoder = make(kBitRate);
  std::uint32_t seed = 1;
  std::size_t bytes = 0;
  for (std::uint32_t n = 0; n < 40; ++n) {
    std::vector<std::uint32_t> pixels(std::size_t{160} * 120);
    for (auto& pixel : pixels)
      pixel = (seed = seed * 1'664'525 + 1'013'904'223) >> 8;
    auto when = at(n);
    when.now = std::chrono::milliseconds(100) * n;
    when.source_fps = 10;
    const auto frame = encoder->encode(picture_of(pixels, 160), n * 100, when);
    if (frame && n >= 10) bytes += frame->size();
  }
  EXPECT_GT(bytes * 8, 3 * kBitRate * 7 / 10);
  EXPECT_LT(bytes * 8, 3 * kBitRate * 13 / 10);
}

TEST_P(VpxEncoderTest, pictures_without_pixels_or_beyond_the_codec_are_left_out) {
  const auto encoder = make(1'000'000);
  EXPECT_FALSE(encoder->encode({}, 0, at(1)));
  EXPECT_EQ(encoders_.make(GetParam(), 20'000, 10, 1'000'000), nullptr);
}

INSTANTIATE_TEST_SUITE_P(Codecs, VpxEncoderTest, testing::Values(VideoCodec::Vp8, VideoCodec::Vp9),
                         [](const auto& codec) { return codec.param == VideoCodec::Vp8 ? "vp8" : "vp9"; });

}  // namespace
