#include "spice/image/graduality.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>

namespace spice::image {
namespace {

// Sums are counted in quarters: all weights are multiples of one.
constexpr std::int64_t kQuarters = 4;
constexpr std::int64_t kEqual = 2, kFarApart = 4, kNear = -1;
constexpr std::int64_t kNeighbours = 3;  // right, below, and both

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
  } else {
    const auto* pixel = row + std::size_t{x} * bits_per_pixel(Format) / 8;
    return color_of(pixel[0], pixel[1], pixel[2]);
  }
}

template <wire::BitmapFormat Format>
std::int64_t weight(Color one, Color other) {
  constexpr int kFar = Format == wire::BitmapFormat::Rgb16 ? 8 : 60;
  if (one == other) return kEqual;
  int most = 0;
  for (unsigned shift = 0; shift < 24; shift += 8)
    most = std::max(most, std::abs(static_cast<int>(one >> shift & 0xff) - static_cast<int>(other >> shift & 0xff)));
  return most >= kFar ? kFarApart : kNear;
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
    const auto right = weight<Format>(here, color_at<Format>(row, x + 1));
    const auto below = weight<Format>(here, color_at<Format>(row + pixels.stride, x));
    const auto both = weight<Format>(here, color_at<Format>(row + pixels.stride, x + 1));
    const bool is_flat = right == kEqual && below == kEqual && both == kEqual;
    result.quarters += is_flat ? 0 : right + below + both;
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
