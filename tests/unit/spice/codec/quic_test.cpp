#include "spice/codec/quic.h"

#include <gtest/gtest.h>

#include "tests/unit/spice/codec/pictures.h"

namespace {

using pictures::Bytes;
using pictures::Random;
using spice::codec::quic_decode;
using spice::codec::quic_encode;
using spice::codec::quic_pixel_bytes;
using spice::codec::quic_read_header;
using spice::codec::QuicError;
using spice::codec::QuicImage;
using spice::codec::QuicScratch;
using spice::codec::QuicType;

Bytes encode(const QuicImage& image, QuicScratch& scratch) {
  Bytes out(std::size_t{image.width} * image.height * 14 + 64);
  const auto size = quic_encode(image, out, scratch);
  EXPECT_TRUE(size.has_value());
  out.resize(size.value_or(0));
  return out;
}

// What decoding has to give.
Bytes decoded_form(const QuicImage& image) {
  Bytes result;
  const auto bytes = quic_pixel_bytes(image.type);
  for (std::uint32_t y = 0; y < image.height; ++y) {
    for (std::uint32_t x = 0; x < image.width; ++x) {
      const auto* pixel = image.rows + std::ptrdiff_t{y} * image.stride + x * bytes;
      if (image.type == QuicType::Gray) {
        result.push_back(*pixel);
        continue;
      }
      if (image.type == QuicType::Rgb16) {
        const unsigned value = pixel[0] | unsigned{pixel[1]} << 8;
        for (const unsigned shift : {0U, 5U, 10U}) {
          const auto five = value >> shift & 31;
          result.push_back(static_cast<std::uint8_t>(five << 3 | five >> 2));
        }
      } else {
        result.insert(result.end(), pixel, pixel + 3);
      }
      result.push_back(image.type == QuicType::Rgba ? pixel[3] : 0);
    }
  }
  return result;
}

Bytes decode(const Bytes& encoded, QuicScratch& scratch) {
  const auto header = quic_read_header(encoded);
  if (!header) return {};
  Bytes out(header->image_bytes());
  EXPECT_EQ(quic_decode(encoded, out, scratch), header);
  return out;
}

QuicError error_of(const Bytes& encoded) {
  Bytes out(4096);
  QuicScratch scratch;
  const auto result = quic_decode(encoded, out, scratch);
  EXPECT_FALSE(result.has_value());
  return result ? QuicError{255} : result.error();
}

TEST(Quic, every_type_survives_random_images_of_any_shape) {
  Random random(1);
  QuicScratch scratch;  // one for all: what it held must not matter
  for (int round = 0; round < 1500; ++round) {
    const auto type = static_cast<QuicType>(1 + random.below(5));
    const auto width = 1 + random.below(random.below(4) == 0 ? 300 : 20);
    const auto height = 1 + random.below(20);
    const auto stride = width * quic_pixel_bytes(type) + random.below(5);
    const auto pixels = pictures::mixture(random, stride, height);
    QuicImage image{type, width, height, pixels.data(), static_cast<std::ptrdiff_t>(stride)};
    if (random.below(2) == 0) {
      image.rows += stride * (height - 1);
      image.stride = -image.stride;
    }
    ASSERT_EQ(decode(encode(image, scratch), scratch), decoded_form(image)) << round;
  }
}

TEST(Quic, all_levels_of_the_rhythm_survive) {
  Random random(2);
  QuicScratch scratch;
  const auto pixels = pictures::mixture(random, std::size_t{3000} * 4, 10);  // segments are 2048 pixels
  const QuicImage image{QuicType::Rgba, 3000, 10, pixels.data(), 12000};
  EXPECT_EQ(decode(encode(image, scratch), scratch), decoded_form(image));
}

TEST(Quic, long_runs_survive) {
  QuicScratch scratch;
  const Bytes pixels(std::size_t{200000} * 4, 9);  // longer than the longest step of run lengths
  const QuicImage image{QuicType::Rgb32, 50000, 4, pixels.data(), 200000};
  EXPECT_EQ(decode(encode(image, scratch), scratch), decoded_form(image));
}

TEST(Quic, decodes_into_rows_with_gaps_and_upwards) {
  Random random(3);
  const auto pixels = pictures::mixture(random, 40, 6);
  const QuicImage image{QuicType::Rgb32, 10, 6, pixels.data(), 40};
  QuicScratch scratch;
  const auto encoded = encode(image, scratch);
  const auto packed = decode(encoded, scratch);
  Bytes target(std::size_t{6} * 50, 0xee);
  ASSERT_TRUE(quic_decode(encoded, spice::codec::QuicTarget{target.data() + 5 * 50, -50}, scratch).has_value());
  for (std::size_t y = 0; y < 6; ++y) {
    const auto row = target.begin() + static_cast<std::ptrdiff_t>((5 - y) * 50);
    EXPECT_TRUE(std::equal(row, row + 40, packed.begin() + static_cast<std::ptrdiff_t>(y * 40)));
    EXPECT_EQ(Bytes(row + 40, row + 50), Bytes(10, 0xee));
  }
}

TEST(Quic, output_too_small_gives_nothing_at_any_size) {
  Random random(4);
  const auto pixels = pictures::noise(random, std::size_t{24} * 24 * 4);
  const QuicImage image{QuicType::Rgb32, 24, 24, pixels.data(), 96};
  QuicScratch scratch;
  const auto full = encode(image, scratch);
  for (std::size_t room = 0; room < full.size(); ++room) {
    Bytes out(room);
    ASSERT_FALSE(quic_encode(image, out, scratch).has_value()) << room;
  }
  Bytes exact(full.size());
  EXPECT_EQ(quic_encode(image, exact, scratch), full.size());
  EXPECT_EQ(exact, full);
}

TEST(Quic, empty_and_oversized_images_are_refused) {
  QuicScratch scratch;
  Bytes out(4096);
  EXPECT_FALSE(quic_encode({QuicType::Rgb32, 0, 1, out.data(), 0}, out, scratch).has_value());
  EXPECT_FALSE(quic_encode({QuicType::Rgb32, 1, 0, out.data(), 4}, out, scratch).has_value());
  EXPECT_FALSE(quic_encode({QuicType::Rgb32, 1U << 15, 1U << 14, out.data(), 4}, out, scratch).has_value());
  EXPECT_FALSE(quic_encode({QuicType::Rgb32, (1U << 20) + 1, 1, out.data(), 4}, out, scratch).has_value());
}

TEST(QuicDecode, header_is_checked) {
  QuicScratch scratch;
  const Bytes pixels(64, 3);
  const auto good = encode({QuicType::Rgb32, 4, 4, pixels.data(), 16}, scratch);
  const auto with = [&good](std::size_t at, std::uint8_t value) {
    auto bad = good;
    bad[at] = value;
    return error_of(bad);
  };
  EXPECT_EQ(with(0, 'q'), QuicError::BadHeader);
  EXPECT_EQ(with(4, 1), QuicError::BadHeader);
  EXPECT_EQ(with(8, 0), QuicError::BadHeader);
  EXPECT_EQ(with(8, 6), QuicError::BadHeader);
  EXPECT_EQ(with(12, 0), QuicError::BadHeader);
  EXPECT_EQ(with(15, 0xff), QuicError::BadHeader);
  EXPECT_EQ(with(13, 0xff), QuicError::SmallBuffer);
  EXPECT_EQ(error_of(Bytes(good.begin(), good.begin() + 19)), QuicError::Truncated);
}

// CVE-2020-14355: decoders wrote more pixels than there was room for, and took codes for lengths that no row has.
TEST(QuicDecode, cve_2020_14355_sizes_and_codes_stay_within_the_image) {
  QuicScratch scratch;
  const Bytes pixels(4096, 3);
  for (const auto type : {QuicType::Gray, QuicType::Rgb16, QuicType::Rgb24, QuicType::Rgb32, QuicType::Rgba}) {
    const auto good = encode({type, 8, 8, pixels.data(), 32}, scratch);
    for (const std::size_t at : {std::size_t{12}, std::size_t{16}}) {
      for (std::size_t byte = 0; byte < 4; ++byte) {
        auto bad = good;
        bad[at + byte] = 0xff;
        Bytes small(std::size_t{8} * 8 * 4 - 1);
        EXPECT_FALSE(quic_decode(bad, small, scratch).has_value());
      }
    }
    // Every code that begins with ones, or with zeros, to its end.
    for (const unsigned bits : {0x00U, 0xffU, 0x80U, 0x7fU, 0x01U, 0xfeU}) {
      Bytes bad(good.begin(), good.begin() + 20);
      bad.resize(4096, static_cast<std::uint8_t>(bits));
      Bytes out(std::size_t{8} * 8 * 4);
      (void)quic_decode(bad, out, scratch);  // the sanitizers watch
    }
  }
}

TEST(QuicDecode, missing_bits_are_an_error) {
  Random random(5);
  const auto pixels = pictures::noise(random, std::size_t{16} * 16 * 4);
  QuicScratch scratch;
  const auto good = encode({QuicType::Rgba, 16, 16, pixels.data(), 64}, scratch);
  for (std::size_t size = 20; size + 8 < good.size(); size += 4)
    ASSERT_EQ(error_of(Bytes(good.begin(), good.begin() + static_cast<std::ptrdiff_t>(size))), QuicError::Truncated);
}

TEST(QuicDecode, flipped_bits_never_reach_outside_the_image) {
  Random random(6);
  QuicScratch scratch;
  const auto pixels = pictures::mixture(random, 128, 32);
  const auto good = encode({QuicType::Rgba, 32, 32, pixels.data(), 128}, scratch);
  Bytes out(4096);
  for (int round = 0; round < 3000; ++round) {
    auto bad = good;
    bad[20 + random.below(static_cast<std::uint32_t>(bad.size() - 20))] ^=
        static_cast<std::uint8_t>(1U << random.below(8));
    (void)quic_decode(bad, out, scratch);  // the sanitizers watch
  }
}

}  // namespace
