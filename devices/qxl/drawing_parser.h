// Drawables, from guest memory to the values that a display draws. [QXL QXLDrawable, QXLCompatDrawable]
#pragma once

#include "core/ports/drawing.h"
#include "devices/qxl/command_reader.h"
#include "devices/qxl/image_parser.h"

namespace devices::qxl {

// All that a drawable refers to is copied. Null, and the reader knows why, if it makes no sense.
core::DrawingPtr parse_drawing(CommandReader& in, QxlAddress at, const CommandFlags& flags);

}  // namespace devices::qxl
