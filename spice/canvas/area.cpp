#include "spice/canvas/area.h"

#include <algorithm>

#include "spice/canvas/raster.h"

namespace spice::canvas {
namespace {

// A batch of rectangles that cross makes at most this number squared out of half of it.
constexpr std::size_t kBatch = 1024;

}  // namespace

std::expected<Region, DrawError> clipped_region(const core::Rect& box, const core::Clip& clip,
                                                const core::Rect& bounds) {
  const auto whole = common(box, bounds);
  if (!clip) return Region(whole);
  if (clip->size() > kMaxClipRects) return std::unexpected(DrawError::TooComplex);
  Region region;
  for (std::size_t i = 0; i < clip->size();) {
    RegionSum batch;
    for (const auto end = std::min(clip->size(), i + kBatch); i < end; ++i)
      batch.add(common((*clip)[i], whole));
    region.add(batch.total());
    if (region.rect_count() > kMaxClipRects) return std::unexpected(DrawError::TooComplex);
  }
  return region;
}

core::Rect MaskBits::covered(const core::Rect& area) const {
  return PlacedPixels{{nullptr, 0, rows_.width, rows_.height}, left_, top_}.covered(area);
}

std::int32_t MaskBits::skip(const std::uint8_t* row, std::int32_t x, std::int32_t end, bool drawn) const {
  const bool bit = drawn != inverted_;
  const unsigned whole_byte = bit ? 0xffU : 0U;
  while (x < end) {
    const auto at = static_cast<std::uint64_t>(x - left_);
    const unsigned byte = row[at / 8];
    if (at % 8 == 0 && byte == whole_byte && end - x >= 8) {
      x += 8;
      continue;
    }
    const unsigned shift = static_cast<unsigned>(high_bit_first_ ? 7 - at % 8 : at % 8);
    if (((byte >> shift & 1U) != 0) != bit) break;
    ++x;
  }
  return x;
}

}  // namespace spice::canvas
