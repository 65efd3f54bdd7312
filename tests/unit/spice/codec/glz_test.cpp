#include "spice/codec/glz.h"

#include <algorithm>
#include <array>
#include <gtest/gtest.h>

#include "tests/unit/spice/codec/pictures.h"

namespace {

using pictures::Bytes;
using pictures::Random;
using spice::codec::glz_max_bytes;
using spice::codec::glz_read_header;
using spice::codec::GlzDictionary;
using spice::codec::GlzError;
using spice::codec::GlzWindow;
using spice::codec::lz_row_bytes;
using spice::codec::LzImage;
using spice::codec::LzType;

constexpr LzType kTypes[] = {LzType::Rgb16, LzType::Rgb24, LzType::Rgb32, LzType::Rgba};

Bytes encode(GlzDictionary& dictionary, const LzImage& image) {
  Bytes out(glz_max_bytes(image.type, image.width, image.height));
  const auto encoded = dictionary.encode(image, out);
  EXPECT_TRUE(encoded.has_value());
  if (!encoded) return {};
  out.resize(encoded->size);
  const auto header = glz_read_header(out);
  EXPECT_TRUE(header.has_value());
  EXPECT_EQ(header->id, encoded->id);
  EXPECT_EQ(header->head_distance, encoded->head_distance);
  return out;
}

std::uint32_t pixel_at(const LzImage& image, std::uint32_t x, std::uint32_t y) {
  const auto* row = image.rows + std::ptrdiff_t{y} * image.stride;
  const auto byte = [row](std::size_t i) { return std::uint32_t{row[i]}; };
  const std::size_t i = x;
  switch (image.type) {
    case LzType::Rgb16: return (byte(2 * i) | byte(2 * i + 1) << 8) & 0x7fff;
    case LzType::Rgb24: return byte(3 * i) | byte(3 * i + 1) << 8 | byte(3 * i + 2) << 16;
    case LzType::Rgba: return byte(4 * i) | byte(4 * i + 1) << 8 | byte(4 * i + 2) << 16 | byte(4 * i + 3) << 24;
    default: return byte(4 * i) | byte(4 * i + 1) << 8 | byte(4 * i + 2) << 16;
  }
}

std::vector<std::uint32_t> words(const LzImage& image) {
  std::vector<std::uint32_t> result;
  for (std::uint32_t y = 0; y < image.height; ++y) {
    for (std::uint32_t x = 0; x < image.width; ++x)
      result.push_back(pixel_at(image, x, y));
  }
  return result;
}

void expect_decodes(GlzWindow& window, const Bytes& encoded, const LzImage& image, int round) {
  const auto header = window.decode(encoded);
  ASSERT_TRUE(header.has_value()) << round << " " << static_cast<int>(header.error());
  EXPECT_EQ(header->type, image.type);
  EXPECT_EQ(header->top_down, image.top_down);
  const auto pixels = window.pixels(header->id);
  EXPECT_TRUE(std::ranges::equal(pixels, words(image))) << round;
}

LzImage packed(LzType type, std::uint32_t width, std::uint32_t height, const Bytes& pixels) {
  return {type, width, height, pixels.data(), static_cast<std::ptrdiff_t>(lz_row_bytes(type, width)), true};
}

// Images of chance that repeat parts of each other, through a small window.
void send_many(std::uint32_t window_pixels, int rounds, unsigned seed) {
  Random random(seed);
  GlzDictionary dictionary(window_pixels);
  GlzWindow window(window_pixels * 2);
  std::vector<Bytes> pool;
  for (int round = 0; round < rounds; ++round) {
    const auto type = kTypes[random.below(4)];
    const auto width = 1 + random.below(60);
    const auto height = 1 + random.below(20);
    const auto stride = lz_row_bytes(type, width) + random.below(3);
    if (round < 6 || random.below(8) == 0) pool.push_back(pictures::mixture(random, 300, 30));
    auto pixels = pool[random.below(static_cast<std::uint32_t>(pool.size()))];
    for (auto changes = random.below(4); changes > 0; --changes)
      pixels[random.below(static_cast<std::uint32_t>(pixels.size()))] ^= 0x55;
    LzImage image{type, width, height, pixels.data(), static_cast<std::ptrdiff_t>(stride), random.below(2) == 0};
    if (random.below(4) == 0) {
      image.rows += stride * (height - 1);
      image.stride = -image.stride;
    }
    if (!dictionary.takes(image)) continue;
    ASSERT_NO_FATAL_FAILURE(expect_decodes(window, encode(dictionary, image), image, round));
  }
}

TEST(Glz, images_of_all_types_survive_a_small_window) {
  send_many(4000, 3000, 1);
}

TEST(Glz, images_of_all_types_survive_a_large_window) {
  send_many(1 << 20, 3000, 2);
}

TEST(Glz, same_picture_again_is_a_few_matches) {
  Random random(3);
  GlzDictionary dictionary(1 << 16);
  for (const auto type : kTypes) {
    const auto pixels = pictures::noise(random, std::size_t{100} * 100 * 4);
    const auto image = packed(type, 100, 100, pixels);
    EXPECT_GT(encode(dictionary, image).size(), 20000U);
    EXPECT_LT(encode(dictionary, image).size(), 200U) << static_cast<int>(type);
  }
}

// Lines of letters of 8 x 12 pixels.
std::vector<std::uint32_t> text(Random& random, std::uint32_t width, std::uint32_t height) {
  constexpr std::uint32_t kInk = 0x202020, kPaper = 0xf0f0f0;
  std::array<std::array<std::uint8_t, 12>, 64> alphabet{};
  for (auto& letter : alphabet)
    std::ranges::generate_n(letter.begin(), 8, [&] { return static_cast<std::uint8_t>(random.below(128)); });
  std::vector<std::uint32_t> pixels(std::size_t{width} * height, kPaper);
  for (std::uint32_t top = 0; top + 12 <= height; top += 12) {
    for (std::uint32_t left = 0; left + 8 <= width; left += 8) {
      const auto& letter = alphabet[random.below(alphabet.size())];
      for (std::uint32_t i = 0; i < 12 * 8; ++i)
        if ((letter[i / 8] >> (i % 8) & 1) != 0) pixels[std::size_t{top + i / 8} * width + left + i % 8] = kInk;
    }
  }
  return pixels;
}

// Any three pixels of it are in many other places, but where they were last it seldom goes on as it does here.
TEST(Glz, text_is_matches_of_whole_rows_of_letters) {
  constexpr std::uint32_t kWidth = 1024, kHeight = 480, kRowsOfLetters = kWidth / 8 * kHeight / 12 * 8;
  Random random(8);
  const auto pixels = text(random, kWidth, kHeight);
  const LzImage image{
      LzType::Rgb32, kWidth, kHeight, reinterpret_cast<const std::uint8_t*>(pixels.data()), std::ptrdiff_t{kWidth} * 4,
      true};
  GlzDictionary dictionary(1 << 20);
  GlzWindow window(1 << 20);
  const auto encoded = encode(dictionary, image);
  expect_decodes(window, encoded, image, 0);
  EXPECT_LT(encoded.size(), 4 * kRowsOfLetters);
}

TEST(Glz, text_that_was_scrolled_is_a_few_matches) {
  constexpr std::uint32_t kWidth = 1024, kHeight = 480, kScrolled = 12;
  Random random(9);
  const auto pixels = text(random, kWidth, kHeight + kScrolled);
  const auto picture = [&](std::uint32_t first_row) {
    const auto* rows = reinterpret_cast<const std::uint8_t*>(pixels.data() + std::size_t{first_row} * kWidth);
    return LzImage{LzType::Rgb32, kWidth, kHeight, rows, std::ptrdiff_t{kWidth} * 4, true};
  };
  GlzDictionary dictionary(1 << 20);
  GlzWindow window(1 << 20);
  const auto first = encode(dictionary, picture(0));
  const auto scrolled = encode(dictionary, picture(kScrolled));
  expect_decodes(window, first, picture(0), 0);
  expect_decodes(window, scrolled, picture(kScrolled), 1);
  EXPECT_LT(scrolled.size(), first.size() / 10);  // a fortieth is new
}

TEST(Glz, ids_and_head_follow_the_window) {
  Random random(4);
  GlzDictionary dictionary(250, 7);
  const auto pixels = pictures::noise(random, 400);
  const auto image = packed(LzType::Rgb32, 10, 10, pixels);
  Bytes out(glz_max_bytes(LzType::Rgb32, 10, 10));
  std::vector<std::uint32_t> heads;
  for (std::uint64_t id = 7; id < 12; ++id) {
    const auto encoded = dictionary.encode(image, out);
    ASSERT_TRUE(encoded.has_value());
    EXPECT_EQ(encoded->id, id);
    heads.push_back(encoded->head_distance);
  }
  EXPECT_EQ(heads, (std::vector<std::uint32_t>{0, 1, 1, 1, 1}));  // 250 pixels hold two images of 100
  dictionary.restart();
  EXPECT_EQ(dictionary.encode(image, out)->id, 0U);
}

TEST(Glz, image_fills_the_window_alone) {
  Random random(5);
  GlzDictionary dictionary(101);
  const auto pixels = pictures::noise(random, 404);
  Bytes out(4096);
  EXPECT_TRUE(dictionary.encode(packed(LzType::Rgb32, 100, 1, pixels), out).has_value());
  EXPECT_EQ(dictionary.encode(packed(LzType::Rgb32, 100, 1, pixels), out)->head_distance, 0U);
  EXPECT_FALSE(dictionary.takes(packed(LzType::Rgb32, 101, 1, pixels)));
  EXPECT_FALSE(dictionary.encode(packed(LzType::Rgb32, 101, 1, pixels), out).has_value());
  EXPECT_EQ(dictionary.next_id(), 2U);
}

TEST(Glz, small_output_and_foreign_types_use_no_id) {
  GlzDictionary dictionary(1000);
  const Bytes pixels(400);
  Bytes out(glz_max_bytes(LzType::Rgb32, 10, 10) - 1);
  EXPECT_FALSE(dictionary.encode(packed(LzType::Rgb32, 10, 10, pixels), out).has_value());
  EXPECT_FALSE(dictionary.takes(packed(LzType::Plt8, 10, 10, pixels)));
  EXPECT_FALSE(dictionary.takes(packed(LzType::A8, 10, 10, pixels)));
  EXPECT_FALSE(dictionary.takes(packed(LzType::Rgb32, 0, 10, pixels)));
  EXPECT_EQ(dictionary.next_id(), 0U);
}

TEST(Glz, noise_never_becomes_more_than_the_promised_size) {
  Random random(6);
  GlzDictionary dictionary(1 << 20);
  for (std::uint32_t width = 1; width < 70; ++width) {
    for (const auto type : kTypes) {
      const auto pixels = pictures::noise(random, lz_row_bytes(type, width) * 3);
      EXPECT_FALSE(encode(dictionary, packed(type, width, 3, pixels)).empty());
    }
  }
}

TEST(Glz, distant_images_and_positions_survive) {
  Random random(7);
  GlzDictionary dictionary(1 << 19);
  GlzWindow window(1 << 20);
  const auto large = pictures::noise(random, std::size_t{500} * 400 * 4);
  const auto image = packed(LzType::Rgb32, 500, 400, large);
  expect_decodes(window, encode(dictionary, image), image, 0);
  for (int round = 1; round <= 300; ++round) {  // so that image distances take a second byte
    const auto other = pictures::noise(random, 64);
    const auto small = packed(LzType::Rgb32, 4, 4, other);
    expect_decodes(window, encode(dictionary, small), small, round);
  }
  const Bytes end(large.end() - 4000, large.end());  // beyond position 2^17
  const auto piece = packed(LzType::Rgb32, 100, 10, end);
  const auto encoded = encode(dictionary, piece);
  EXPECT_LT(encoded.size(), 200U);
  expect_decodes(window, encoded, piece, 301);
}

// --- the window against bytes of anybody ---

Bytes stream(std::uint8_t id, std::initializer_list<std::uint8_t> body, std::uint8_t head = 0) {
  Bytes bytes = {0x20, 0x20, 0x5a, 0x4c, 0, 1, 0, 1, 0x18, 0, 0, 0,  4, 0, 0, 0,   1,
                 0,    0,    0,    16,   0, 0, 0, 0, 0,    0, 0, id, 0, 0, 0, head};
  bytes.insert(bytes.end(), body);
  return bytes;
}

GlzError error_of(GlzWindow& window, const Bytes& encoded) {
  const auto result = window.decode(encoded);
  EXPECT_FALSE(result.has_value());
  return result ? GlzError{255} : result.error();
}

TEST(GlzWindow, matches_give_the_specified_pixels) {
  GlzWindow window(100);
  ASSERT_TRUE(window.decode(stream(0, {0, 1, 2, 3, 3 << 5, 0, 0})).has_value());
  EXPECT_EQ(window.pixels(0)[3], 0x030201U);
  ASSERT_TRUE(window.decode(stream(1, {0, 9, 9, 9, 3 << 5 | 1, 0, 1}, 1)).has_value());
  EXPECT_EQ(window.pixels(1)[0], 0x090909U);
  EXPECT_EQ(window.pixels(1)[1], 0x030201U);
  ASSERT_TRUE(window.decode(stream(2, {4 << 5, 0, 1}, 1)).has_value());
  EXPECT_TRUE(window.pixels(0).empty());  // not needed by image 2
  EXPECT_EQ(window.images(), 2U);
}

TEST(GlzWindow, matches_must_stay_inside_their_images) {
  GlzWindow window(100);
  ASSERT_TRUE(window.decode(stream(0, {3, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12})).has_value());
  EXPECT_EQ(error_of(window, stream(1, {4 << 5, 0, 0})), GlzError::BadMatch);
  EXPECT_EQ(error_of(window, stream(1, {0, 1, 2, 3, 3 << 5 | 1, 0, 0})), GlzError::BadMatch);
  EXPECT_EQ(error_of(window, stream(1, {0, 1, 2, 3, 4 << 5, 0, 0})), GlzError::BadMatch);
  EXPECT_EQ(error_of(window, stream(1, {0, 1, 2, 3, 3 << 5 | 2, 0, 1})), GlzError::BadMatch);
  EXPECT_EQ(error_of(window, stream(1, {0, 1, 2, 3, 0xe0, 255, 255, 0, 0, 1})), GlzError::BadMatch);
  EXPECT_EQ(error_of(window, stream(1, {0, 1, 2, 3, 3 << 5, 0, 2})), GlzError::MissingImage);
  EXPECT_EQ(error_of(window, stream(5, {0, 1, 2, 3, 3 << 5, 0, 2})), GlzError::MissingImage);
  EXPECT_EQ(window.images(), 1U);
}

TEST(GlzWindow, missing_extra_and_repeated_are_errors) {
  GlzWindow window(5);
  const auto good = stream(0, {0, 1, 2, 3, 3 << 5, 0, 0});
  for (std::size_t size = 0; size < good.size(); ++size)
    EXPECT_EQ(error_of(window, Bytes(good.begin(), good.begin() + static_cast<std::ptrdiff_t>(size))),
              GlzError::Truncated);
  EXPECT_EQ(error_of(window, stream(0, {0, 1, 2, 3, 3 << 5, 0, 0, 0})), GlzError::TrailingData);
  EXPECT_TRUE(window.decode(good).has_value());
  EXPECT_EQ(error_of(window, good), GlzError::BadHeader);
  EXPECT_EQ(error_of(window, stream(1, {0, 1, 2, 3, 3 << 5, 0, 0})), GlzError::BadHeader);  // no room
}

}  // namespace
