// Drawings of which two do nothing, or no more than one. Drivers mark them by their effect; whether it is true is seen
// here.
#pragma once

#include "core/ports/drawing.h"

namespace spice::display {

// `second`, drawn right after `first`, brings back what was there before.
bool reverts(const core::Drawing& second, const core::Drawing& first);
// `second`, drawn right after `first`, changes nothing.
bool repeats(const core::Drawing& second, const core::Drawing& first);

}  // namespace spice::display
