// Which encoding an image gets, and the measure behind that.
#include <gtest/gtest.h>
#include <random>

#include "spice/image/graduality.h"
#include "spice/image/method.h"

namespace {

using spice::image::Choice;
using spice::image::choose_method;
using spice::image::Graduality;
using spice::image::graduality;
using spice::image::Method;
using spice::image::StoredPixels;
using spice::wire::BitmapFormat;
using spice::wire::ImageCompression;
using Bytes = std::vector<std::uint8_t>;

struct Sample {
  Bytes bytes;
  StoredPixels pixels;

  Sample(BitmapFormat format, std::uint32_t width, std::uint32_t height, auto value) {
    pixels = {.format = format, .width = width, .height = height};
    const auto row = pixels.row_bytes();
    bytes.resize(row * height);
    for (std::size_t at = 0; at < bytes.size(); ++at)
      bytes[at] = static_cast<std::uint8_t>(value(at % row, at / row));
    pixels.rows = bytes.data();
    pixels.stride = static_cast<std::ptrdiff_t>(row);
  }
};

constexpr auto kSlope = [](std::size_t x, std::size_t y) { return x / 4 + y; };
constexpr auto kPlain = [](std::size_t, std::size_t) { return 7; };
constexpr auto kChecks = [](std::size_t x, std::size_t y) { return (x / 4 + y) % 2 == 0 ? 0 : 200; };

TEST(Graduality, slope_is_high_plain_is_medium_checks_are_low) {
  EXPECT_EQ(graduality(Sample(BitmapFormat::Rgb32, 100, 50, kSlope).pixels), Graduality::High);
  EXPECT_EQ(graduality(Sample(BitmapFormat::Rgb32, 100, 50, kPlain).pixels), Graduality::Medium);
  EXPECT_EQ(graduality(Sample(BitmapFormat::Rgb32, 100, 50, kChecks).pixels), Graduality::Low);
}

TEST(Graduality, unused_byte_does_not_count) {
  const Sample sample(BitmapFormat::Rgb32, 100, 50,
                      [](std::size_t x, std::size_t y) { return x % 4 == 3 ? x + y : 0; });
  EXPECT_EQ(graduality(sample.pixels), Graduality::Medium);
}

TEST(Graduality, one_column_or_row_is_low) {
  EXPECT_EQ(graduality(Sample(BitmapFormat::Rgb32, 1, 100, kSlope).pixels), Graduality::Low);
  EXPECT_EQ(graduality(Sample(BitmapFormat::Rgb32, 100, 1, kSlope).pixels), Graduality::Low);
}

// 3 x 2 pixels: the step of 14 meets pixel 1 only, whose neighbours are 2, 4 and 5.
TEST(Graduality, weights_are_those_of_the_reference) {
  const auto of = [](int right, int below, int both) {
    const Sample sample(BitmapFormat::Rgb24, 3, 2, [=](std::size_t x, std::size_t y) {
      if (x % 3 != 0 || x == 0) return 0;
      return y == 0 ? (x == 6 ? right : 0) : (x == 3 ? below : both);
    });
    return graduality(sample.pixels);
  };
  EXPECT_EQ(of(0, 0, 0), Graduality::Medium);    // a flat square weighs nothing
  EXPECT_EQ(of(59, 59, 59), Graduality::High);   // three near ones
  EXPECT_EQ(of(60, 59, 59), Graduality::Low);    // 1 - 1/4 - 1/4
  EXPECT_EQ(of(0, 59, 59), Graduality::Medium);  // 1/2 - 1/4 - 1/4
  EXPECT_EQ(of(0, 0, 59), Graduality::Low);
}

TEST(Graduality, five_bits_a_colour_have_limits_of_their_own) {
  const auto word = [](auto color) {
    return [color](std::size_t x, std::size_t y) {
      const unsigned pixel = color(x / 2, y);
      return x % 2 == 0 ? pixel & 255 : pixel >> 8;
    };
  };
  const auto near = word([](std::size_t x, std::size_t y) { return static_cast<unsigned>((x + y) % 2 * 7); });
  const auto far = word([](std::size_t x, std::size_t y) { return static_cast<unsigned>((x + y) % 2 * 8); });
  const auto unused = word([](std::size_t x, std::size_t) { return static_cast<unsigned>(x % 2 * 0x8000); });
  // Below and beside differ, the diagonal is equal: 1/2 - 1/4 - 1/4 is not below 0.
  EXPECT_EQ(graduality(Sample(BitmapFormat::Rgb16, 64, 64, near).pixels), Graduality::Medium);
  EXPECT_EQ(graduality(Sample(BitmapFormat::Rgb16, 64, 64, far).pixels), Graduality::Low);
  EXPECT_EQ(graduality(Sample(BitmapFormat::Rgb16, 64, 64, unused).pixels), Graduality::Medium);
}

TEST(Graduality, rows_are_followed_either_way) {
  Sample sample(BitmapFormat::Rgb32, 60, 64,
                [](std::size_t x, std::size_t y) { return x < 240 ? x / 4 + 2 * y : y * 99; });
  sample.pixels.rows = sample.pixels.row(63);
  sample.pixels.stride = -sample.pixels.stride;
  EXPECT_EQ(graduality(sample.pixels), Graduality::High);
}

Method choose(const StoredPixels& pixels, ImageCompression compression, Choice choice = {}) {
  choice.compression = compression;
  return choose_method(pixels, choice);
}

TEST(Choice, automatic_sends_photos_as_quic_and_the_rest_as_its_name_says) {
  const Sample photo(BitmapFormat::Rgb32, 64, 64, kSlope), text(BitmapFormat::Rgb32, 64, 64, kChecks);
  EXPECT_EQ(choose(photo.pixels, ImageCompression::AutoGlz), Method::Quic);
  EXPECT_EQ(choose(photo.pixels, ImageCompression::AutoLz), Method::Quic);
  EXPECT_EQ(choose(text.pixels, ImageCompression::AutoGlz), Method::Glz);
  EXPECT_EQ(choose(text.pixels, ImageCompression::AutoLz), Method::Lz);
}

TEST(Choice, named_method_takes_everything_it_can) {
  const Sample photo(BitmapFormat::Rgb32, 64, 64, kSlope), text(BitmapFormat::Rgb32, 64, 64, kChecks);
  for (const auto* sample : {&photo, &text}) {
    EXPECT_EQ(choose(sample->pixels, ImageCompression::Off), Method::Raw);
    EXPECT_EQ(choose(sample->pixels, ImageCompression::Quic), Method::Quic);
    EXPECT_EQ(choose(sample->pixels, ImageCompression::Glz), Method::Glz);
    EXPECT_EQ(choose(sample->pixels, ImageCompression::Lz), Method::Lz);
    EXPECT_EQ(choose(sample->pixels, ImageCompression::Lz4, {.takes_lz4 = true}), Method::Lz4);
    EXPECT_EQ(choose(sample->pixels, ImageCompression::Lz4), Method::Lz);
  }
}

TEST(Choice, less_than_54_bytes_are_raw) {
  EXPECT_EQ(choose(Sample(BitmapFormat::Rgb24, 53, 1, kPlain).pixels, ImageCompression::Lz), Method::Lz);
  EXPECT_EQ(choose(Sample(BitmapFormat::Alpha8, 53, 1, kPlain).pixels, ImageCompression::Lz), Method::Raw);
  EXPECT_EQ(choose(Sample(BitmapFormat::Alpha8, 54, 1, kPlain).pixels, ImageCompression::Lz), Method::Lz);
}

TEST(Choice, quic_needs_three_pixels_each_way) {
  const Sample narrow(BitmapFormat::Rgb32, 2, 100, kSlope), low(BitmapFormat::Rgb32, 100, 2, kSlope);
  EXPECT_EQ(choose(narrow.pixels, ImageCompression::Quic), Method::Raw);
  EXPECT_EQ(choose(low.pixels, ImageCompression::Quic), Method::Raw);
  EXPECT_EQ(choose(low.pixels, ImageCompression::AutoLz), Method::Lz);
}

TEST(Choice, palettes_and_alpha_maps_are_lz_or_raw) {
  for (const auto format : {BitmapFormat::Le1, BitmapFormat::Be4, BitmapFormat::Indexed8, BitmapFormat::Alpha8}) {
    const Sample sample(format, 64, 64, kSlope);
    EXPECT_EQ(choose(sample.pixels, ImageCompression::AutoGlz), Method::Lz);
    EXPECT_EQ(choose(sample.pixels, ImageCompression::Glz), Method::Lz);
    EXPECT_EQ(choose(sample.pixels, ImageCompression::Lz4, {.takes_lz4 = true}), Method::Lz);
    EXPECT_EQ(choose(sample.pixels, ImageCompression::Quic), Method::Raw);
  }
}

TEST(Choice, whole_surfaces_and_what_does_not_fit_stay_out_of_the_dictionary) {
  const Sample text(BitmapFormat::Rgb32, 64, 64, kChecks);
  EXPECT_EQ(choose(text.pixels, ImageCompression::AutoGlz, {.is_drawing = false}), Method::Lz);
  EXPECT_EQ(choose(text.pixels, ImageCompression::Glz, {.takes_dictionary = false}), Method::Lz);
}

TEST(Choice, jpeg_takes_the_place_of_quic) {
  const Sample photo(BitmapFormat::Rgb32, 64, 64, kSlope), text(BitmapFormat::Rgb32, 64, 64, kChecks);
  EXPECT_EQ(choose(photo.pixels, ImageCompression::AutoGlz, {.takes_jpeg = true}), Method::Jpeg);
  EXPECT_EQ(choose(text.pixels, ImageCompression::AutoGlz, {.takes_jpeg = true}), Method::Glz);
  EXPECT_EQ(choose(text.pixels, ImageCompression::Quic, {.takes_jpeg = true}), Method::Jpeg);
}

// The reference has no LZ for them.
TEST(Choice, padded_rows_are_quic_where_that_is_possible) {
  Sample text(BitmapFormat::Rgb32, 64, 64, kChecks), alpha(BitmapFormat::Alpha8, 64, 64, kChecks);
  text.pixels.is_padded = alpha.pixels.is_padded = true;
  EXPECT_EQ(choose(text.pixels, ImageCompression::AutoGlz), Method::Quic);
  EXPECT_EQ(choose(alpha.pixels, ImageCompression::AutoGlz), Method::Lz);
}

}  // namespace
