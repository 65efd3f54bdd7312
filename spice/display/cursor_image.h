// The pointer in a picture that somebody keeps, as in a screenshot with the pointer in it, and as a picture of its own.
#pragma once

#include "core/ports/geometry.h"
#include "core/ports/view.h"
#include "spice/display/cursor.h"

namespace spice::display {

// As a client shows it: alpha shapes over the picture, the others by their mask, where a set bit combines picture and
// colour by XOR and a clear one replaces the picture. The part that lies outside the picture is left out.
void draw_cursor(const CursorState& cursor, core::PixelView to);

// A shape, which has all the bytes that cursor_bytes() wants, for who cannot combine anything by XOR: what would be the
// picture's own colour inverted is gray, which shows on white and on black.
core::PointerPicture cursor_picture(const core::CursorShape& shape);

}  // namespace spice::display
