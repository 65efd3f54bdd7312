// Rules for the monitors that a driver has set up on a display.
#pragma once

#include <optional>

#include "core/ports/display.h"

namespace spice::display {

// As the reference server has it: none, or more than there may be, are ignored (nothing); heads without pixels are left
// out.
std::optional<core::MonitorLayout> accepted_monitors(const core::MonitorLayout& layout);

// What a picture of the whole display shows of the primary surface: all of it, or, with a single monitor, what that one
// shows. Linux's driver leaves its surface as wide as it was when the second monitor is switched off. QEMU does the
// same.
core::Rect shown_area(const core::MonitorLayout& monitors, const core::Rect& surface);

}  // namespace spice::display
