// Where a drawing draws: its box, on the surface, through its clip and its mask.
#pragma once

#include <cstdint>
#include <expected>
#include <optional>

#include "core/ports/drawing.h"
#include "spice/canvas/region.h"
#include "spice/canvas/source.h"

namespace spice::canvas {

// More rectangles than any driver sends; overlapping ones can make many more out of few.
constexpr std::size_t kMaxClipRects = 65'536;

// The pixels of `box` on the surface that `clip` lets through.
std::expected<Region, DrawError> clipped_region(const core::Rect& box, const core::Clip& clip,
                                                const core::Rect& bounds);

// One bit a pixel, laid over a surface.
class MaskBits {
 public:
  // `left`, `top`: where the mask's first pixel lies.
  MaskBits(const BitmapRows& rows, bool high_bit_first, bool inverted, std::int64_t left, std::int64_t top)
      : rows_(rows), high_bit_first_(high_bit_first), inverted_(inverted), left_(left), top_(top) {}

  // Calls `draw` with each run of pixels within `area` that are to be drawn, a rectangle one row high.
  template <class Draw>
  void runs(const core::Rect& area, const Draw& draw) const {
    const auto part = covered(area);
    for (auto y = part.top; y < part.bottom; ++y) {
      const auto* const row = rows_.first + (y - top_) * rows_.stride;
      for (auto x = part.left; x < part.right;) {
        const auto start = skip(row, x, part.right, false);
        x = skip(row, start, part.right, true);
        if (start < x) draw(core::Rect{start, y, x, y + 1});
      }
    }
  }

 private:
  core::Rect covered(const core::Rect& area) const;
  // The first of the pixels x..end whose being drawn is not `drawn`, or end.
  std::int32_t skip(const std::uint8_t* row, std::int32_t x, std::int32_t end, bool drawn) const;

  BitmapRows rows_;
  bool high_bit_first_;
  bool inverted_;
  std::int64_t left_;
  std::int64_t top_;
};

struct DrawArea {
  Region region;  // without the mask
  std::optional<MaskBits> mask;

  // Calls `draw` with rectangles that do not overlap. Memory does not grow with the mask's complexity.
  template <class Draw>
  void for_each(const Draw& draw) const {
    for (const auto& rect : region.rects()) {
      if (mask)
        mask->runs(rect, draw);
      else
        draw(rect);
    }
  }
};

}  // namespace spice::canvas
