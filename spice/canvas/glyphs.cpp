#include "spice/canvas/glyphs.h"

#include <algorithm>
#include <cstring>

namespace spice::canvas {
namespace {

struct WideRect {
  std::int64_t left = 0;
  std::int64_t top = 0;
  std::int64_t right = 0;
  std::int64_t bottom = 0;
};

WideRect box_of(const core::Glyph& glyph) {
  const auto left = std::int64_t{glyph.position.x} + glyph.origin.x;
  const auto top = std::int64_t{glyph.position.y} + glyph.origin.y;
  return {left, top, left + glyph.width, top + glyph.height};
}

core::Rect within(const WideRect& box, const core::Rect& bounds) {
  const auto fit_x = [&](std::int64_t x) {
    return static_cast<std::int32_t>(std::clamp<std::int64_t>(x, bounds.left, bounds.right));
  };
  const auto fit_y = [&](std::int64_t y) {
    return static_cast<std::int32_t>(std::clamp<std::int64_t>(y, bounds.top, bounds.bottom));
  };
  return {fit_x(box.left), fit_y(box.top), fit_x(box.right), fit_y(box.bottom)};
}

std::size_t row_bytes(const core::Glyph& glyph, core::GlyphDepth depth) {
  return (std::size_t{glyph.width} * static_cast<unsigned>(depth) + 7) / 8;
}

std::uint8_t value_at(const std::uint8_t* row, std::size_t x, core::GlyphDepth depth) {
  switch (depth) {
    case core::GlyphDepth::A1: return (row[x / 8] >> (7 - x % 8) & 1U) != 0 ? 0xff : 0;
    case core::GlyphDepth::A4: return static_cast<std::uint8_t>(x % 2 == 0 ? row[x / 2] & 0xf0U : row[x / 2] << 4U);
    default: return row[x];
  }
}

// The row of the glyph's data that is drawn in this row of it, counted from the top; `height` or more: none.
std::size_t stored_row(const core::Glyph& glyph, const core::DrawText& text, std::size_t from_top) {
  if (text.top_down) return from_top;
  // The reference draws glyphs of eight bits a row too low and loses their bottom row. Every client does the same, and
  // a picture that differs from theirs is worse than one that is a row off.
  const std::size_t from_bottom = glyph.height - from_top;
  return text.depth == core::GlyphDepth::A8 ? from_bottom : from_bottom - 1;
}

void add(const core::Glyph& glyph, const core::DrawText& text, GlyphMask& mask) {
  const auto box = box_of(glyph);
  const auto part = within(box, mask.area);
  const auto stride = row_bytes(glyph, text.depth);
  for (auto y = part.top; y < part.bottom; ++y) {
    const auto stored = stored_row(glyph, text, static_cast<std::size_t>(y - box.top));
    if (stored >= glyph.height) continue;
    const auto* const row = glyph.data.data() + stored * stride;
    auto* const out = mask.coverage.row(y - mask.area.top);
    for (auto x = part.left; x < part.right; ++x) {
      auto& value = out[x - mask.area.left];
      value = std::max(value, value_at(row, static_cast<std::size_t>(x - box.left), text.depth));
    }
  }
}

}  // namespace

std::expected<std::optional<GlyphMask>, DrawError> glyph_mask(const core::DrawText& text, const core::Rect& bounds) {
  WideRect all{INT64_MAX, INT64_MAX, INT64_MIN, INT64_MIN};
  for (const auto& glyph : text.glyphs) {
    if (glyph.data.size() < row_bytes(glyph, text.depth) * glyph.height) return std::unexpected(DrawError::BadImage);
    const auto box = box_of(glyph);
    all = {std::min(all.left, box.left), std::min(all.top, box.top), std::max(all.right, box.right),
           std::max(all.bottom, box.bottom)};
  }
  if (text.glyphs.empty()) return std::nullopt;
  const auto area = within(all, bounds);
  if (area.empty()) return std::nullopt;
  GlyphMask mask{SourcePixels(area.width(), area.height(), core::SurfaceFormat::A8), area};
  for (std::int32_t y = 0; y < area.height(); ++y)
    std::memset(mask.coverage.row(y), 0, static_cast<std::size_t>(area.width()));
  for (const auto& glyph : text.glyphs)
    add(glyph, text, mask);
  return mask;
}

}  // namespace spice::canvas
