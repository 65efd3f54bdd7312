#include "spice/image/graduality.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <cstring>

namespace spice::image {
namespace {

// Sums are counted in quarters: all weights are multiples of one.
constexpr std::int64_t kQuarters = 4;
constexpr std::int64_t kEqual = 2, kFarApart = 4, kNear = -1;
constexpr std::int64_t kNeighbours = 3;  // right, below, and both

using Color = std::array<int, 3>;

template <wire::BitmapFormat Format>
Color color_at(const std::uint8_t* row, std::uint32_t x) {
  if constexpr (Format == wire::BitmapFormat::Rgb16) {
    std::uint16_t word = 0;
    std::memcpy(&word, row + std::size_t{x} * 2, sizeof word);
    return {word >> 10 & 31, word >> 5 & 31, word & 31};
  } else {
    const auto* pixel = row + std::size_t{x} * bits_per_pixel(Format) / 8;
    return {pixel[0], pixel[1], pixel[2]};
  }
}

template <wire::BitmapFormat Format>
std::int64_t weight(const Color& one, const Color& other) {
  constexpr int kFar = Format == wire::BitmapFormat::Rgb16 ? 8 : 60;
  int most = 0;
  for (std::size_t channel = 0; channel < one.size(); ++channel)
    most = std::max(most, std::abs(one[channel] - other[channel]));
  if (most == 0) return kEqual;
  return most >= kFar ? kFarApart : kNear;
}

struct Score {
  std::int64_t quarters = kQuarters;  // what an image has that is too narrow to have neighbours
  std::int64_t count = 1;
};

template <wire::BitmapFormat Format>
Score score(const StoredPixels& pixels) {
  if (pixels.width <= 1 || pixels.height <= 1) return {};
  const std::uint64_t width = pixels.width;
  const std::uint64_t step = 15 % width == 0 ? 14 : 15;
  const auto end = width * (pixels.height - 1);  // the last row has nothing below it
  Score result{0, 0};
  for (auto place = width / 2; place < end; place += step) {
    if (place % width == width - 1) --place;
    const auto* row = pixels.row(static_cast<std::uint32_t>(place / width));
    const auto x = static_cast<std::uint32_t>(place % width);
    const auto here = color_at<Format>(row, x);
    const auto right = weight<Format>(here, color_at<Format>(row, x + 1));
    const auto below = weight<Format>(here, color_at<Format>(row + pixels.stride, x));
    const auto both = weight<Format>(here, color_at<Format>(row + pixels.stride, x + 1));
    const auto sum = right + below + both;
    const bool is_flat = right == kEqual && below == kEqual && both == kEqual;
    result.quarters += is_flat ? 0 : sum;
    result.count += kNeighbours;
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
