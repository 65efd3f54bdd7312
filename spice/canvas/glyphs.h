// Glyphs of a text put together into one mask.
#pragma once

#include <cstdint>
#include <expected>

#include "core/ports/drawing.h"
#include "spice/canvas/source.h"

namespace spice::canvas {

struct GlyphMask {
  SourcePixels coverage;  // A8
  core::Rect area;        // on the surface; may be empty
};

// Whether every glyph has as many values as its size says.
bool has_all_values(const core::DrawText& text);

// The part of the text within `bounds`; BadImage if a glyph has fewer values than its size
// says. Where glyphs overlap, the greater value counts. A4's values are the upper half of a byte: 0xf is not quite
// opaque.
std::expected<GlyphMask, DrawError> glyph_mask(const core::DrawText& text, const core::Rect& bounds);

// Text of single bits, all its values there, within `area` of a surface of 32 bits: the same, at once in one colour.
void draw_bits(const core::DrawText& text, const core::Rect& area, std::uint32_t pixel, Surface& to);

}  // namespace spice::canvas
