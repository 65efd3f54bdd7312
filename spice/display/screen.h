// What a display shows: the primary surface, brought up to date from its source. Display worker only.
#pragma once

#include <cstdint>

#include "core/ports/display.h"
#include "spice/canvas/region.h"
#include "spice/canvas/surface.h"

namespace spice::display {

class Screen final : private core::DisplayCanvas, private core::CursorSink {
 public:
  // Before the source sets a mode of its own the screen is black, of this size.
  static constexpr std::int32_t kFirstWidth = 720;
  static constexpr std::int32_t kFirstHeight = 400;

  Screen() : surface_(kFirstWidth, kFirstHeight) {}

  struct Changes {
    canvas::Region region;
    bool mode_set = false;  // the surface is a new one, of the same size or another
    bool any() const { return mode_set || !region.empty(); }
  };
  // Pulls from the source; `full` has it draw everything.
  Changes refresh(core::DisplaySource& source, bool full);

  const canvas::Surface& surface() const { return surface_; }

 private:
  // A source that reports every pixel by itself costs us time, not memory.
  static constexpr std::size_t kMaxRects = 256;

  core::PixelView pixels() override { return surface_.view(); }
  core::PixelView set_mode(std::int32_t width, std::int32_t height) override;
  void changed(const core::Rect& area) override;

  // Native mode is not built: there are no surfaces, and nothing is drawn.
  bool create_surface(core::SurfaceId, const core::SurfaceShape&) override { return false; }
  void destroy_surface(core::SurfaceId) override {}
  void destroy_surfaces() override {}
  void load_surface(core::SurfaceId, const core::Pixels&) override {}
  void draw(core::DrawingPtr) override {}
  core::Pixels read_surface(core::SurfaceId, const core::Rect&) override { return {}; }
  void set_monitors(const core::MonitorLayout&) override {}
  core::CursorSink& cursor() override { return *this; }
  void set(core::CursorShapePtr, core::Point, bool) override {}
  void move(core::Point) override {}
  void hide() override {}
  void set_trail(std::uint16_t, std::uint16_t) override {}
  void reset() override {}

  canvas::Surface surface_;
  Changes changes_;
};

}  // namespace spice::display
