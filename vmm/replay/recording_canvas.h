// Passes everything that a display's source draws on to the canvas it was meant for, and writes it down.
//
//   auto file = RecordingFile::create(path);
//   RecordingCanvas recording(canvas, [&](auto bytes) { file->append(bytes); });
//
// A recording that starts later than its display begins with nothing to draw on: have the source refresh everything
// first.
#pragma once

#include <cstdint>
#include <functional>
#include <span>

#include "core/ports/display.h"
#include "vmm/replay/call.h"

namespace vmm::replay {

class RecordingCanvas final : public core::DisplayCanvas, private core::CursorSink {
 public:
  using Write = std::function<void(std::span<const std::uint8_t>)>;

  RecordingCanvas(core::DisplayCanvas& canvas, Write write) : canvas_(canvas), write_(std::move(write)) {}

  core::PixelView pixels() override { return canvas_.pixels(); }
  core::PixelView set_mode(std::int32_t width, std::int32_t height) override;
  void changed(const core::Rect& area) override;
  bool create_surface(core::SurfaceId id, const core::SurfaceShape& shape) override;
  void destroy_surface(core::SurfaceId id) override;
  void destroy_surfaces() override;
  void load_surface(core::SurfaceId id, const core::Pixels& from) override;
  void draw(core::DrawingPtr drawing) override;
  core::Pixels read_surface(core::SurfaceId id, const core::Rect& area) override {
    return canvas_.read_surface(id, area);
  }
  void set_monitors(const core::MonitorLayout& layout) override;
  core::CursorSink& cursor() override { return *this; }

 private:
  void set(core::CursorShapePtr shape, core::Point position, bool visible) override;
  void move(core::Point position) override;
  void hide() override;
  void set_trail(std::uint16_t length, std::uint16_t frequency) override;
  void reset() override;

  void record(const Call& call);

  core::DisplayCanvas& canvas_;
  Write write_;
};

}  // namespace vmm::replay
