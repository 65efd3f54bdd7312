// Glyphs of a text put together into one mask.
#pragma once

#include <expected>

#include "core/ports/drawing.h"
#include "spice/canvas/source.h"

namespace spice::canvas {

struct GlyphMask {
  SourcePixels coverage;  // A8
  core::Rect area;        // on the surface; may be empty
};

// The part of the text within `bounds`; BadImage if a glyph has fewer values than its size
// says. Where glyphs overlap, the greater value counts. A4's values are the upper half of a byte: 0xf is not quite
// opaque.
std::expected<GlyphMask, DrawError> glyph_mask(const core::DrawText& text, const core::Rect& bounds);

}  // namespace spice::canvas
