// Bitwise drawing: rows of a surface combined with rows of something else, whatever their pixels mean. Surfaces of 8,
// 16 and 32 bits a pixel. Callers have clipped: rectangles lie on the surface and, moved, on the source.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "core/ports/drawing.h"
#include "spice/canvas/surface.h"

namespace spice::canvas {

// The truth table of two operands: bit 2 * first + second is the result for these two bits.
enum class Rop2 : std::uint8_t { First = 0b1100, Second = 0b1010 };

enum class RopOperands : std::uint8_t { BrushDestination, SourceDestination, BrushSource };

// What a descriptor means for the operands of an operation.
Rop2 rop2_of(core::Rop descriptor, RopOperands operands);

constexpr bool needs_first(Rop2 rop) {
  const auto table = static_cast<unsigned>(rop);
  return (table >> 2 & 3U) != (table & 3U);
}
constexpr bool needs_second(Rop2 rop) {
  const auto table = static_cast<unsigned>(rop);
  return (table >> 1 & 5U) != (table & 5U);
}

// Of the 256 operations of three operands; bit 4 * brush + 2 * source + destination is the result.
constexpr bool rop3_needs_destination(std::uint8_t code) {
  return (code >> 1 & 0x55U) != (code & 0x55U);
}
constexpr bool rop3_needs_source(std::uint8_t code) {
  return (code >> 2 & 0x33U) != (code & 0x33U);
}
constexpr bool rop3_needs_brush(std::uint8_t code) {
  return (code >> 4 & 0x0fU) != (code & 0x0fU);
}

// Combines rows of bytes; for loops over many rows or short ones, it is made before.
class RowCombiner {
 public:
  // Not explicit: where it does not matter, the operation is given.
  RowCombiner(Rop2 rop);
  // to = rop(from, to). The rows are equal or do not overlap.
  void operator()(std::uint8_t* to, const std::uint8_t* from, std::size_t bytes) const;

 private:
  bool is_copy_;
  std::array<std::uint8_t, 4> terms_{};  // 0 or 0xff; see polynomial
};

// A brush as rows of pixels: one colour, or an image repeated in all directions.
class BrushRows {
 public:
  // `most_pixels`: of a row that will be asked for.
  BrushRows(std::uint32_t color, unsigned bits_per_pixel, std::int32_t most_pixels);
  // Pixel (0, 0) of `tile`, which is not empty, lies at `origin`.
  BrushRows(const Pixels& tile, core::Point origin, std::int32_t most_pixels);

  // The pixels left..right of row y. Valid until the next call.
  const std::uint8_t* row(std::int32_t y, std::int32_t left, std::int32_t right);

 private:
  std::unique_ptr<std::uint8_t[]> row_;
  Pixels tile_;  // empty for a colour
  core::Point origin_;
  std::size_t pixel_bytes_;
};

void fill(Surface& to, const core::Rect& area, BrushRows& brush, const RowCombiner& combine);

// Where an image lies on the surface: its pixel (x, y) at (x + left, y + top).
struct PlacedPixels {
  Pixels pixels;  // not of the surface that is drawn on
  std::int64_t left = 0;
  std::int64_t top = 0;

  // The part of `area` that it covers.
  core::Rect covered(const core::Rect& area) const;
  // The image's pixel that lies at (x, y), which it covers.
  const std::uint8_t* at(std::int32_t x, std::int32_t y) const;
};

void blit(Surface& to, const core::Rect& area, const PlacedPixels& from, const RowCombiner& combine);
// All but the pixels equal to `key`, of which 24 bits count if they have 32.
void blit_keyed(Surface& to, const core::Rect& area, const PlacedPixels& from, std::uint32_t key);
void blit_rop3(Surface& to, const core::Rect& area, const PlacedPixels& from, BrushRows& brush, std::uint8_t code);
// From (area.left - dx, area.top - dy) of the same surface, as if through a copy.
void move(Surface& surface, const core::Rect& area, std::int32_t dx, std::int32_t dy);

}  // namespace spice::canvas
