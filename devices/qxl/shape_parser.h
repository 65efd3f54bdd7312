// Lists in commands: clips, paths, dashes and strings of glyphs, from guest memory to values.
#pragma once

#include <cstdint>
#include <vector>

#include "core/ports/drawing.h"
#include "devices/qxl/command_reader.h"
#include "devices/qxl/qxl_command_abi.h"

namespace devices::qxl {

inline core::Point point_of(const abi::QXLPoint& point) {
  return {static_cast<std::int32_t>(std::uint32_t{point.x}), static_cast<std::int32_t>(std::uint32_t{point.y})};
}

inline core::Point point_of(const abi::QXLPoint16& point) {
  return {static_cast<std::int16_t>(std::uint16_t{point.x}), static_cast<std::int16_t>(std::uint16_t{point.y})};
}

inline core::Rect rect_of(const abi::QXLRect& rect) {
  return {static_cast<std::int32_t>(std::uint32_t{rect.left}), static_cast<std::int32_t>(std::uint32_t{rect.top}),
          static_cast<std::int32_t>(std::uint32_t{rect.right}), static_cast<std::int32_t>(std::uint32_t{rect.bottom})};
}

core::Clip parse_clip(CommandReader& in, const abi::QXLClip& clip);
std::vector<core::PathSegment> parse_path(CommandReader& in, QxlAddress at);
std::vector<std::int32_t> parse_dashes(CommandReader& in, const abi::QXLLineAttr& attributes);
// Fills depth, top_down and glyphs.
void parse_string(CommandReader& in, QxlAddress at, core::DrawText& text);

}  // namespace devices::qxl
