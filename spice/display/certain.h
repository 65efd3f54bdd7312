// Whether a drawing will surely be drawn when its turn comes, so that what it covers can be forgotten now.
#pragma once

#include "core/ports/drawing.h"
#include "spice/canvas/surface.h"

namespace spice::display {

// True only for plain drawings whose images are sound bitmaps or surfaces that exist. Any other may still turn out to
// be impossible (a broken stream, a mask that is none): whether it is, drawing it tells.
bool certainly_draws(const core::Drawing& drawing, canvas::SurfaceTable& surfaces);

}  // namespace spice::display
