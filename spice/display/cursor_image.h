// Draws the pointer into a picture that somebody keeps: a screenshot with the pointer in it.
#pragma once

#include "core/ports/geometry.h"
#include "spice/display/cursor.h"

namespace spice::display {

// As a client shows it: alpha shapes over the picture, the others by their mask, where a set bit combines picture and
// colour by XOR and a clear one replaces the picture. The part that lies outside the picture is left out.
void draw_cursor(const CursorState& cursor, core::PixelView to);

}  // namespace spice::display
