// Cursor commands, from guest memory to values. [QXL QXLCursorCmd, QXLCursor]
#pragma once

#include <variant>

#include "core/ports/cursor.h"
#include "devices/qxl/command_reader.h"

namespace devices::qxl {

struct SetCursor {
  core::CursorShapePtr shape;
  core::Point position{};
  bool visible = false;
};
struct MoveCursor {
  core::Point position{};
};
struct HideCursor {};
struct CursorTrail {
  std::uint16_t length = 0;
  std::uint16_t frequency = 0;
};
// monostate: it makes no sense, and the reader knows why.
using CursorCommand = std::variant<std::monostate, SetCursor, MoveCursor, HideCursor, CursorTrail>;

// The most bytes of a shape: 1024 x 1024 pixels.
constexpr std::uint32_t kMaxCursorBytes = 4 << 20;

CursorCommand parse_cursor(CommandReader& in, QxlAddress at);

}  // namespace devices::qxl
