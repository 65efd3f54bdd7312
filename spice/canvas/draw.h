// Draws a drawing: everything a QXL driver can ask for, with the pixels that SPICE clients make of it.
//
// Sources are read as they are before the drawing, also where they are the surface that is drawn on. Nothing outside of
// the drawing's box, its clip and the surface is written, nothing outside of sources is read, whatever the numbers are.
// Time is bounded by the pixels of the area drawn plus the size of the drawing and its images, and by a few seconds in
// any case (work.h); a path ends when it has gone over four million pixels. Memory beside the surfaces is that of the
// images unpacked (kMaxImagePixels each) and of the area.
#pragma once

#include <expected>

#include "core/ports/drawing.h"
#include "spice/canvas/source.h"
#include "spice/canvas/surface.h"

namespace spice::canvas {

// On an error nothing has been drawn.
std::expected<void, DrawError> draw(const core::Drawing& drawing, SurfaceTable& surfaces);

}  // namespace spice::canvas
