// One call of core::DisplayCanvas as a value: what a recording is a list of.
#pragma once

#include <cstdint>
#include <variant>
#include <vector>

#include "core/ports/display.h"

namespace vmm::replay {

// The frame buffer.
struct SetMode {
  std::int32_t width = 0;
  std::int32_t height = 0;
};
struct Changed {
  core::Rect area{};
  std::vector<std::uint8_t> pixels{};  // of the area, row by row without gaps, 4 bytes each
};

// Surfaces.
struct CreateSurface {
  core::SurfaceId id = 0;
  core::SurfaceShape shape{};
};
struct DestroySurface {
  core::SurfaceId id = 0;
};
struct DestroySurfaces {};
struct LoadSurface {
  core::SurfaceId id = 0;
  core::SurfaceShape shape{};
  std::uint32_t stride = 0;
  bool top_down = true;  // otherwise the bottom row comes first
  std::vector<std::uint8_t> rows{};
};
struct Draw {
  core::DrawingPtr drawing{};  // never null
};

struct SetMonitors {
  core::MonitorLayout layout{};
};

// The pointer.
struct SetCursor {
  core::CursorShapePtr shape{};
  core::Point position{};
  bool visible = false;
};
struct MoveCursor {
  core::Point position{};
};
struct HideCursor {};
struct SetCursorTrail {
  std::uint16_t length = 0;
  std::uint16_t frequency = 0;
};
struct ResetCursor {};

using Call = std::variant<SetMode, Changed, CreateSurface, DestroySurface, DestroySurfaces, LoadSurface, Draw,
                          SetMonitors, SetCursor, MoveCursor, HideCursor, SetCursorTrail, ResetCursor>;

// Makes the call. Any values are safe: one that makes no sense changes nothing.
void perform(const Call& call, core::DisplayCanvas& canvas);

}  // namespace vmm::replay
