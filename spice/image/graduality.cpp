#include "spice/image/graduality.h"

#include <array>
#include <cstring>
#include <emmintrin.h>

namespace spice::image {
namespace {

// Sums are counted in quarters: all weights are multiples of one.
constexpr std::int64_t kQuarters = 4;
constexpr std::int64_t kEqual = 2, kFarApart = 4, kNear = -1;
constexpr unsigned kNeighbours = 3;  // right, below, and both

using Color = std::uint32_t;  // a byte a channel

constexpr Color color_of(unsigned first, unsigned second, unsigned third) {
  return first | second << 8 | third << 16;
}

template <wire::BitmapFormat Format>
Color color_at(const std::uint8_t* row, std::uint32_t x) {
  if constexpr (Format == wire::BitmapFormat::Rgb16) {
    std::uint16_t word = 0;
    std::memcpy(&word, row + std::size_t{x} * 2, sizeof word);
    return color_of(word >> 10 & 31U, word >> 5 & 31U, word & 31U);
  } else if constexpr (Format == wire::BitmapFormat::Rgb32) {
    std::uint32_t pixel = 0;
    std::memcpy(&pixel, row + std::size_t{x} * 4, sizeof pixel);
    return pixel & 0xff'ffff;
  } else {
    const auto* pixel = row + std::size_t{x} * bits_per_pixel(Format) / 8;
    return color_of(pixel[0], pixel[1], pixel[2]);
  }
}

// What each set of three neighbours adds up to, by which of them are equal to the pixel (the lower bits) and which are
// not far from it.
constexpr auto kWeights = [] {
  std::array<std::int8_t, 64> sums{};
  for (unsigned set = 0; set < sums.size(); ++set) {
    int sum = 0;
    for (unsigned neighbour = 0; neighbour < kNeighbours; ++neighbour) {
      const bool is_equal = (set >> neighbour & 1) != 0, is_close = (set >> (kNeighbours + neighbour) & 1) != 0;
      sum += static_cast<int>(is_equal ? kEqual : is_close ? kNear : kFarApart);
    }
    sums[set] = static_cast<std::int8_t>(set == sums.size() - 1 ? 0 : sum);  // flat
  }
  return sums;
}();

// Of a pixel and its neighbours, all three at a time.
template <wire::BitmapFormat Format>
std::int64_t weight(Color here, Color right, Color below, Color both) {
  constexpr char kFar = Format == wire::BitmapFormat::Rgb16 ? 8 : 60;
  const auto pixel = _mm_set1_epi32(static_cast<int>(here));
  const auto others = _mm_setr_epi32(static_cast<int>(right), static_cast<int>(below), static_cast<int>(both), 0);
  const auto apart = _mm_or_si128(_mm_subs_epu8(pixel, others), _mm_subs_epu8(others, pixel));
  const auto too_far = _mm_subs_epu8(apart, _mm_set1_epi8(kFar - 1));
  const auto lanes = [](__m128i zero) {
    return static_cast<unsigned>(_mm_movemask_ps(_mm_castsi128_ps(_mm_cmpeq_epi32(zero, _mm_setzero_si128())))) & 7;
  };
  return kWeights[lanes(apart) | lanes(too_far) << kNeighbours];
}

struct Score {
  std::int64_t quarters = kQuarters;  // what an image has that is too narrow to have neighbours
  std::int64_t count = 1;
};

template <wire::BitmapFormat Format>
Score score(const StoredPixels& pixels) {
  if (pixels.width <= 1 || pixels.height <= 1) return {};
  const auto width = pixels.width;
  const auto step = 15 % width == 0 ? 14U : 15U;
  Score result{0, 0};
  // The last row has nothing below it, the last column nothing to its right.
  for (std::uint32_t x = width / 2, y = 0; y < pixels.height - 1;) {
    if (x == width - 1) --x;
    const auto* row = pixels.row(y);
    const auto here = color_at<Format>(row, x);
    const auto* next_row = row + pixels.stride;
    result.quarters += weight<Format>(here, color_at<Format>(row, x + 1), color_at<Format>(next_row, x),
                                      color_at<Format>(next_row, x + 1));
    result.count += kNeighbours;
    for (x += step; x >= width; ++y)
      x -= width;
  }
  return result;
}

Score score_of(const StoredPixels& pixels) {
  switch (pixels.format) {
    case wire::BitmapFormat::Rgb16: return score<wire::BitmapFormat::Rgb16>(pixels);
    case wire::BitmapFormat::Rgb24: return score<wire::BitmapFormat::Rgb24>(pixels);
    case wire::BitmapFormat::Rgb32:
    case wire::BitmapFormat::Rgba: return score<wire::BitmapFormat::Rgb32>(pixels);
    default: return {};
  }
}

}  // namespace

Graduality graduality(const StoredPixels& pixels) {
  const auto [quarters, count] = score_of(pixels);
  // Below -0.03 on average is high (with five bits a colour, below 0), below 0.002 medium.
  const std::int64_t high_limit = pixels.format == wire::BitmapFormat::Rgb16 ? 0 : -3 * count * kQuarters;
  if (quarters * 100 < high_limit) return Graduality::High;
  return quarters * 1000 < 2 * count * kQuarters ? Graduality::Medium : Graduality::Low;
}

}  // namespace spice::image
