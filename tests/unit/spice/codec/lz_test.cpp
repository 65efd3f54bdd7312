#include "spice/codec/lz.h"

#include <gtest/gtest.h>
#include <random>

#include "tests/unit/spice/codec/lz_vectors.h"

namespace {

using lz_vectors::Bytes;
using lz_vectors::meaningful;
using lz_vectors::Vector;
using spice::codec::lz_decode;
using spice::codec::lz_encode;
using spice::codec::LzError;
using spice::codec::LzImage;
using spice::codec::LzScratch;
using spice::codec::LzType;

const std::vector<Vector>& vectors() {
  static const auto loaded = lz_vectors::load(MINIVMM_TEST_DATA "/codec");
  return loaded;
}

Bytes encode(const LzImage& image, LzScratch& scratch) {
  Bytes out(spice::codec::lz_row_bytes(image.type, image.width) * image.height * 2 + 1024);
  const auto size = lz_encode(image, out, scratch);
  EXPECT_TRUE(size.has_value());
  out.resize(size.value_or(0));
  return out;
}

Bytes decode(const Bytes& encoded) {
  const auto header = spice::codec::lz_read_header(encoded);
  if (!header) return {};
  Bytes out(header->image_bytes());
  EXPECT_EQ(lz_decode(encoded, out), header);
  return out;
}

Bytes noise(std::size_t bytes, unsigned seed, unsigned values = 256) {
  std::mt19937 random(seed);
  Bytes result(bytes);
  for (auto& byte : result)
    byte = static_cast<std::uint8_t>(random() % values);
  return result;
}

// A 4x1 RGB32 image's header with a body put behind.
Bytes stream(std::initializer_list<std::uint8_t> body, std::uint8_t type = 8, std::uint8_t stride = 16) {
  Bytes bytes = {0x20, 0x20, 0x5a, 0x4c, 0, 1, 0, 1, 0, 0,      0, type, 0, 0,
                 0,    4,    0,    0,    0, 1, 0, 0, 0, stride, 0, 0,    0, 1};
  bytes.insert(bytes.end(), body);
  return bytes;
}

LzError error_of(const Bytes& encoded) {
  Bytes out(64);
  const auto result = lz_decode(encoded, out);
  EXPECT_FALSE(result.has_value());
  return result ? LzError{255} : result.error();
}

TEST(LzVectors, foreign_encodings_decode_bit_exact) {
  ASSERT_GE(vectors().size(), 50U);
  for (const auto& vector : vectors()) {
    for (const auto& encoded : vector.encoded) {
      SCOPED_TRACE(vector.name);
      const auto header = spice::codec::lz_read_header(encoded);
      ASSERT_TRUE(header.has_value());
      EXPECT_EQ(header->type, vector.type);
      EXPECT_EQ(header->width, vector.width);
      EXPECT_EQ(header->height, vector.height);
      EXPECT_EQ(header->stride, vector.stride);
      EXPECT_EQ(header->top_down, vector.top_down);
      EXPECT_EQ(meaningful(vector.type, decode(encoded)), meaningful(vector.type, vector.raw));
    }
  }
}

TEST(LzVectors, our_encodings_decode_to_the_same_pixels) {
  LzScratch scratch;  // one for all: what it held must not matter
  for (const auto& vector : vectors()) {
    SCOPED_TRACE(vector.name);
    const auto encoded = encode(vector.image(), scratch);
    EXPECT_EQ(meaningful(vector.type, decode(encoded)), meaningful(vector.type, vector.raw));
    LzScratch fresh;
    EXPECT_EQ(encode(vector.image(), fresh), encoded);
  }
}

TEST(LzVectors, our_encodings_are_about_as_small_as_the_foreign_ones) {
  LzScratch scratch;
  std::size_t ours = 0;
  std::size_t theirs = 0;
  for (const auto& vector : vectors()) {
    const auto size = encode(vector.image(), scratch).size();
    ours += size;
    theirs += vector.encoded.front().size();
    EXPECT_LE(size, vector.encoded.front().size() * 11 / 10 + 64) << vector.name;
  }
  EXPECT_LE(ours, theirs * 102 / 100);
}

TEST(LzEncode, sub_rectangle_of_a_surface_reads_its_rows_in_place) {
  const auto surface = noise(std::size_t{200} * 100 * 4, 1, 3);
  LzScratch scratch;
  for (std::uint32_t width = 1; width < 40; ++width) {
    const LzImage part{LzType::Rgb32, width, 70, surface.data() + (20 * 200 + 31) * 4, 200 * 4, true};
    Bytes packed;
    for (std::uint32_t y = 0; y < part.height; ++y)
      packed.insert(packed.end(), part.rows + y * 800, part.rows + y * 800 + std::size_t{width} * 4);
    const LzImage whole{LzType::Rgb32, width, 70, packed.data(), static_cast<std::ptrdiff_t>(width) * 4, true};
    EXPECT_EQ(encode(part, scratch), encode(whole, scratch)) << width;
    EXPECT_EQ(meaningful(LzType::Rgb32, decode(encode(part, scratch))), meaningful(LzType::Rgb32, packed)) << width;
  }
}

TEST(LzEncode, negative_stride_stores_the_rows_in_walking_order) {
  const Bytes rows = {1, 2, 3, 0, 4, 5, 6, 0};
  LzScratch scratch;
  const auto encoded = encode({LzType::Rgb32, 1, 2, rows.data() + 4, -4, false}, scratch);
  EXPECT_EQ(decode(encoded), (Bytes{4, 5, 6, 0, 1, 2, 3, 0}));
}

TEST(LzEncode, every_type_survives_random_images_of_any_shape) {
  std::mt19937 engine(7);
  const auto random = [&engine] { return static_cast<std::uint32_t>(engine()); };
  LzScratch scratch;
  for (int round = 0; round < 2000; ++round) {
    const auto type = static_cast<LzType>(1 + random() % 11);
    const auto width = 1 + random() % 70;
    const auto height = 1 + random() % 20;
    const auto row = spice::codec::lz_row_bytes(type, width);
    const auto gap = random() % 3 == 0 ? random() % 9 : 0;
    const auto pixels = noise((row + gap) * height, random(), 2 + random() % 5);
    Bytes packed;
    for (std::uint32_t y = 0; y < height; ++y)
      packed.insert(packed.end(), pixels.begin() + static_cast<std::ptrdiff_t>(y * (row + gap)),
                    pixels.begin() + static_cast<std::ptrdiff_t>(y * (row + gap) + row));
    const LzImage image{type, width, height, pixels.data(), static_cast<std::ptrdiff_t>(row + gap), round % 2 == 0};
    ASSERT_EQ(meaningful(type, decode(encode(image, scratch))), meaningful(type, packed)) << round;
  }
}

TEST(LzEncode, far_matches_and_long_lengths_round_trip) {
  Bytes pixels(std::size_t{300} * 300);
  const auto repeat = [&pixels](std::size_t at, std::size_t bytes, std::size_t later, unsigned seed) {
    const auto source = noise(bytes, seed);
    std::copy(source.begin(), source.end(), pixels.begin() + static_cast<std::ptrdiff_t>(at));
    std::copy(source.begin(), source.end(), pixels.begin() + static_cast<std::ptrdiff_t>(at + later));
  };
  repeat(0, 5000, 73726, 1);    // as far as it goes, with many extension bytes
  repeat(20000, 300, 8191, 2);  // the last distance of the near form
  repeat(30000, 300, 8192, 3);  // the first of the far form
  LzScratch scratch;
  const auto encoded = encode({LzType::A8, 300, 300, pixels.data(), 300, true}, scratch);
  EXPECT_LT(encoded.size(), 5600U * 33 / 32 + 500);
  EXPECT_EQ(decode(encoded), pixels);
}

TEST(LzEncode, output_too_small_gives_nothing_at_any_size) {
  const auto pixels = noise(std::size_t{16} * 16 * 4, 5, 4);
  const LzImage image{LzType::Rgb32, 16, 16, pixels.data(), 64, true};
  LzScratch scratch;
  const auto full = encode(image, scratch).size();
  for (std::size_t room = 0; room < full; ++room) {
    Bytes out(room);
    EXPECT_FALSE(lz_encode(image, out, scratch).has_value()) << room;
  }
}

TEST(LzEncode, empty_and_oversized_images_are_refused) {
  LzScratch scratch;
  Bytes out(4096);
  EXPECT_FALSE(lz_encode({LzType::Rgb32, 0, 1, out.data(), 0, true}, out, scratch).has_value());
  EXPECT_FALSE(lz_encode({LzType::Rgb32, 1, 0, out.data(), 4, true}, out, scratch).has_value());
  EXPECT_FALSE(lz_encode({LzType::Rgb32, 16384, 16384, out.data(), 65536, true}, out, scratch).has_value());
}

TEST(LzDecode, run_and_literal_give_the_specified_pixels) {
  Bytes out(16);
  ASSERT_TRUE(lz_decode(stream({0, 1, 2, 3, 3 << 5, 0}), out).has_value());
  EXPECT_EQ(out, (Bytes{1, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3, 0}));
}

TEST(LzDecode, header_must_be_consistent) {
  EXPECT_EQ(error_of({}), LzError::Truncated);
  EXPECT_EQ(error_of(stream({}, 8, 17)), LzError::BadHeader);
  EXPECT_EQ(error_of(stream({}, 0)), LzError::BadHeader);
  EXPECT_EQ(error_of(stream({}, 12)), LzError::BadHeader);
  auto huge = stream({});
  huge[14] = huge[18] = 0x80;
  huge[21] = 2;
  EXPECT_EQ(error_of(huge), LzError::BadHeader);
}

TEST(LzDecode, matches_must_stay_inside_the_image) {
  EXPECT_EQ(error_of(stream({4 << 5, 0})), LzError::BadMatch);                         // nothing behind it
  EXPECT_EQ(error_of(stream({0, 1, 2, 3, 3 << 5, 1})), LzError::BadMatch);             // starts before the first
  EXPECT_EQ(error_of(stream({0, 1, 2, 3, 4 << 5, 0})), LzError::BadMatch);             // runs past the end
  EXPECT_EQ(error_of(stream({0, 1, 2, 3, 0xe0, 255, 255, 9, 0})), LzError::BadMatch);  // by much
  EXPECT_EQ(error_of(stream({0, 1, 2, 3, 0x7f, 255, 255, 255})), LzError::BadMatch);   // far before the first
}

// CVE-2018-10893: sums of lengths and distances overflowed, and so did the image's size.
TEST(LzDecode, cve_2018_10893_lengths_and_sizes_do_not_overflow) {
  auto endless = stream({0, 1, 2, 3, 0xe0});
  endless.resize(endless.size() + (std::size_t{1} << 20), 255);
  Bytes out(64);
  EXPECT_FALSE(lz_decode(endless, out).has_value());
  for (const auto side : {0xffU, 0x80U, 0x40U}) {
    auto huge = stream({});
    huge[12] = huge[16] = static_cast<std::uint8_t>(side);
    EXPECT_EQ(error_of(huge), LzError::BadHeader);
  }
}

TEST(LzDecode, missing_and_extra_bytes_are_errors) {
  const auto good = stream({0, 1, 2, 3, 3 << 5, 0});
  for (std::size_t size = 0; size < good.size(); ++size)
    EXPECT_EQ(error_of(Bytes(good.begin(), good.begin() + static_cast<std::ptrdiff_t>(size))), LzError::Truncated);
  EXPECT_EQ(error_of(stream({0, 1, 2, 3, 3 << 5, 0, 0})), LzError::TrailingData);
  EXPECT_EQ(error_of(stream({4, 1, 2, 3, 1, 2, 3, 1, 2, 3, 1, 2, 3, 1, 2, 3})), LzError::TrailingData);
  Bytes small(15);
  EXPECT_EQ(lz_decode(good, small).error(), LzError::SmallBuffer);
}

TEST(LzDecode, flipped_bits_never_reach_outside_the_image) {
  LzScratch scratch;
  std::mt19937 random(11);
  const auto pixels = noise(std::size_t{32} * 32 * 4, 6, 3);
  const auto good = encode({LzType::Rgba, 32, 32, pixels.data(), 128, true}, scratch);
  Bytes out(pixels.size());
  for (int round = 0; round < 20000; ++round) {
    auto bad = good;
    bad[random() % bad.size()] ^= static_cast<std::uint8_t>(1U << random() % 8);
    const auto header = spice::codec::lz_read_header(bad);
    if (header && header->image_bytes() > out.size()) continue;
    (void)lz_decode(bad, out);  // the sanitizers watch
  }
}

}  // namespace
