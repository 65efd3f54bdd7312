// The codecs that are somebody else's inside: LZ4, JPEG, zlib.
#include <gtest/gtest.h>

#include "spice/codec/jpeg.h"
#include "spice/codec/lz4.h"
#include "spice/codec/zlib_stream.h"
#include "tests/unit/spice/codec/pictures.h"

namespace {

using namespace spice::codec;
using pictures::Bytes;
using pictures::Random;

Bytes rows_of(const Lz4Image& image) {
  Bytes result;
  for (std::uint32_t y = 0; y < image.height; ++y) {
    const auto* row = image.rows + std::ptrdiff_t{y} * image.stride;
    result.insert(result.end(), row, row + image.width * lz4_pixel_bytes(image.format));
  }
  return result;
}

TEST(Lz4, every_format_survives_random_images_of_any_shape) {
  Random random(1);
  Lz4Scratch scratch;
  for (int round = 0; round < 500; ++round) {
    const auto format = static_cast<Lz4Format>(6 + random.below(4));
    const auto width = 1 + random.below(random.below(8) == 0 ? 2000 : 50);
    const auto height = 1 + random.below(60);
    const auto stride = width * lz4_pixel_bytes(format) + (random.below(2) == 0 ? 0 : 1 + random.below(9));
    const auto pixels = pictures::mixture(random, stride, height);
    Lz4Image image{format, width, height, pixels.data(), static_cast<std::ptrdiff_t>(stride), random.below(2) == 0};
    if (random.below(4) == 0) {
      image.rows += stride * (height - 1);
      image.stride = -image.stride;
    }
    const auto expected = rows_of(image);
    Bytes encoded(expected.size() * 2 + 4096);
    const auto size = lz4_encode(image, encoded, scratch);
    ASSERT_TRUE(size.has_value());
    encoded.resize(*size);
    Bytes out(expected.size());
    const auto header = lz4_decode(encoded, width, height, out);
    ASSERT_TRUE(header.has_value()) << round;
    EXPECT_EQ(*header, (Lz4Header{format, image.top_down}));
    ASSERT_EQ(out, expected) << round;
  }
}

TEST(Lz4, output_too_small_gives_nothing_at_any_size) {
  Random random(2);
  const auto pixels = pictures::mixture(random, 64, 16);
  const Lz4Image image{Lz4Format::Rgb32, 15, 16, pixels.data(), 64, true};
  Lz4Scratch scratch;
  Bytes out(4096);
  const auto full = lz4_encode(image, out, scratch).value();
  for (std::size_t room = 0; room < full; ++room)
    EXPECT_FALSE(lz4_encode(image, std::span(out).first(room), scratch).has_value()) << room;
}

TEST(Lz4, damaged_images_are_refused) {
  Random random(3);
  const auto pixels = pictures::mixture(random, 64, 16);
  Lz4Scratch scratch;
  Bytes good(4096);
  good.resize(lz4_encode({Lz4Format::Rgb32, 16, 16, pixels.data(), 64, true}, good, scratch).value());
  Bytes out(1024);
  const auto error = [&out](const Bytes& data) { return lz4_decode(data, 16, 16, out).error(); };
  EXPECT_EQ(error({}), Lz4Error::Truncated);
  EXPECT_EQ(error({2, 8}), Lz4Error::BadHeader);
  EXPECT_EQ(error({1, 5}), Lz4Error::BadHeader);
  EXPECT_EQ(error({1, 8}), Lz4Error::Truncated);
  EXPECT_EQ(error({1, 8, 0, 0, 0, 0}), Lz4Error::BadBlock);  // an endless row of empty blocks is none
  EXPECT_EQ(error({1, 8, 255, 255, 255, 255, 0}), Lz4Error::Truncated);
  auto longer = good;
  longer.push_back(0);
  EXPECT_EQ(error(longer), Lz4Error::BadBlock);
  EXPECT_EQ(lz4_decode(good, 16, 15, out).error(), Lz4Error::BadBlock);
  EXPECT_EQ(lz4_decode(good, 16, 17, out).error(), Lz4Error::SmallBuffer);
  EXPECT_EQ(lz4_decode(good, ~0U, ~0U, out).error(), Lz4Error::SmallBuffer);
}

// --- JPEG ---

Bytes slope(std::uint32_t width, std::uint32_t height) {
  Bytes pixels;
  for (std::uint32_t y = 0; y < height; ++y) {
    for (std::uint32_t x = 0; x < width; ++x) {
      for (const auto value : {x * 2, y * 2, 100U, (x + y) % 256})
        pixels.push_back(static_cast<std::uint8_t>(value));
    }
  }
  return pixels;
}

// The largest difference of a colour.
int difference(const Bytes& one, const Bytes& other) {
  int most = 0;
  for (std::size_t i = 0; i < one.size(); ++i) {
    if (i % 4 != 3) most = std::max(most, std::abs(one[i] - other[i]));
  }
  return most;
}

TEST(Jpeg, pictures_come_back_about_the_same_from_either_direction) {
  const auto pixels = slope(61, 43);
  JpegScratch scratch;
  for (const bool upwards : {false, true}) {
    const JpegImage image{JpegFormat::Rgb32, 61, 43, pixels.data() + (upwards ? 42 * 61 * 4 : 0),
                          upwards ? -61 * 4 : 61 * 4};
    Bytes encoded(65536);
    const auto size = jpeg_encode(image, kJpegQuality, encoded, scratch);
    ASSERT_TRUE(size.has_value());
    Bytes out(pixels.size());
    ASSERT_TRUE(jpeg_decode(std::span(encoded).first(*size), out, scratch).has_value());
    Bytes expected;
    for (int y = 0; y < 43; ++y)
      expected.insert(expected.end(), image.rows + y * image.stride, image.rows + y * image.stride + 61 * 4);
    EXPECT_LT(difference(out, expected), 30);
    EXPECT_FALSE(jpeg_encode(image, kJpegQuality, std::span(encoded).first(*size - 1), scratch).has_value());
  }
}

TEST(Jpeg, sixteen_and_24_bits_are_taken) {
  const Bytes white16(std::size_t{17} * 9 * 2, 0xff);
  const Bytes white24(std::size_t{17} * 9 * 3, 0xff);
  JpegScratch scratch;
  for (const auto& image : {JpegImage{JpegFormat::Rgb16, 17, 9, white16.data(), 34},
                            JpegImage{JpegFormat::Rgb24, 17, 9, white24.data(), 51}}) {
    Bytes encoded(4096);
    const auto size = jpeg_encode(image, 85, encoded, scratch, JpegSpeed::Fast);
    ASSERT_TRUE(size.has_value());
    Bytes out(std::size_t{17} * 9 * 4);
    ASSERT_TRUE(jpeg_decode(std::span(encoded).first(*size), out, scratch).has_value());
    EXPECT_EQ(out, Bytes(out.size(), 0xff));
  }
}

TEST(Jpeg, alpha_comes_back_exactly_in_either_order) {
  const auto pixels = slope(30, 20);
  JpegScratch scratch;
  LzScratch lz_scratch;
  for (const bool top_down : {false, true}) {
    Bytes encoded(65536);
    const auto size =
        jpeg_alpha_encode({JpegFormat::Rgb32, 30, 20, pixels.data(), 120}, 85, top_down, encoded, scratch, lz_scratch);
    ASSERT_TRUE(size.has_value());
    Bytes out(pixels.size());
    ASSERT_TRUE(jpeg_alpha_decode(std::span(encoded).first(size->total), size->jpeg, out, scratch).has_value());
    for (std::size_t i = 3; i < out.size(); i += 4)
      ASSERT_EQ(out[i], pixels[i]) << i;
    EXPECT_EQ(jpeg_alpha_decode(std::span(encoded).first(size->total - 1), size->jpeg, out, scratch).error(),
              JpegError::BadAlpha);
    EXPECT_EQ(jpeg_alpha_decode(encoded, encoded.size() + 1, out, scratch).error(), JpegError::BadData);
  }
}

TEST(Jpeg, damaged_files_are_refused) {
  const auto pixels = slope(64, 64);
  JpegScratch scratch;
  Bytes good(65536);
  good.resize(jpeg_encode({JpegFormat::Rgb32, 64, 64, pixels.data(), 256}, 85, good, scratch).value());
  Bytes out(pixels.size());
  EXPECT_EQ(jpeg_decode({}, out, scratch).error(), JpegError::BadHeader);
  EXPECT_EQ(jpeg_decode(std::span(good).first(good.size() - 20), out, scratch).error(), JpegError::BadData);
  EXPECT_EQ(jpeg_decode(std::span(good).first(300), out, scratch).error(), JpegError::BadHeader);
  EXPECT_EQ(jpeg_decode(good, std::span(out).first(out.size() - 1), scratch).error(), JpegError::SmallBuffer);
  EXPECT_TRUE(jpeg_decode(good, out, scratch).has_value());  // the scratch is as good as before
  EXPECT_FALSE(jpeg_encode({JpegFormat::Rgb32, 65501, 1, pixels.data(), 0}, 85, good, scratch).has_value());
  EXPECT_FALSE(jpeg_encode({JpegFormat::Rgb32, 0, 1, pixels.data(), 0}, 85, good, scratch).has_value());
  EXPECT_FALSE(jpeg_encode({JpegFormat::Rgb32, 8, 8, pixels.data(), 256}, 0, good, scratch).has_value());
}

// --- zlib ---

TEST(ZlibStream, data_survive_and_must_fit_exactly) {
  Random random(4);
  ZlibEncoder encoder;
  for (int round = 0; round < 50; ++round) {
    const auto data = pictures::mixture(random, 1 + random.below(200), 1 + random.below(50));
    Bytes encoded(data.size() * 2 + 100);
    encoded.resize(encoder.encode(data, encoded).value());
    Bytes out(data.size());
    ASSERT_TRUE(zlib_decode(encoded, out));
    EXPECT_EQ(out, data);
    Bytes larger(data.size() + 1);
    EXPECT_FALSE(zlib_decode(encoded, larger));
    EXPECT_FALSE(zlib_decode(encoded, std::span(out).first(out.size() - 1)));
    EXPECT_FALSE(zlib_decode(std::span(encoded).first(encoded.size() - 1), out));
    EXPECT_FALSE(encoder.encode(data, std::span(encoded).first(encoded.size() - 1)).has_value());
  }
}

}  // namespace
