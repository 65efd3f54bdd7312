// Commands as lines for people: what --qxl cmdlog=1 prints.
#pragma once

#include <string>

#include "core/ports/drawing.h"
#include "devices/qxl/cursor_parser.h"

namespace devices::qxl {

std::string describe_drawing(const core::Drawing& drawing);
std::string describe_cursor(const CursorCommand& command);

}  // namespace devices::qxl
