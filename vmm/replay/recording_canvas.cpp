#include "vmm/replay/recording_canvas.h"

#include <cstring>
#include <utility>

#include "spice/canvas/surface.h"
#include "vmm/replay/recording_format.h"

namespace vmm::replay {

void RecordingCanvas::record(const Call& call) {
  write_(encode_record(call));
}

core::PixelView RecordingCanvas::set_mode(std::int32_t width, std::int32_t height) {
  record(SetMode{width, height});
  return canvas_.set_mode(width, height);
}

void RecordingCanvas::changed(const core::Rect& area) {
  const auto view = canvas_.pixels();
  const auto clipped = spice::canvas::clipped(area, view.width, view.height);
  if (!clipped.empty()) {
    const auto row_bytes = static_cast<std::size_t>(clipped.width()) * 4;
    Changed call{clipped, std::vector<std::uint8_t>(row_bytes * static_cast<std::size_t>(clipped.height()))};
    auto* to = call.pixels.data();
    for (auto y = clipped.top; y < clipped.bottom; ++y, to += row_bytes)
      std::memcpy(to, view.row(y).data() + clipped.left, row_bytes);
    record(call);
  }
  canvas_.changed(area);
}

bool RecordingCanvas::create_surface(core::SurfaceId id, const core::SurfaceShape& shape) {
  // One that this display has no memory for is not there in a replay either.
  const bool created = canvas_.create_surface(id, shape);
  if (created) {
    record(CreateSurface{id, shape});
  } else {
    record(DestroySurface{id});
  }
  return created;
}

void RecordingCanvas::destroy_surface(core::SurfaceId id) {
  record(DestroySurface{id});
  canvas_.destroy_surface(id);
}

void RecordingCanvas::destroy_surfaces() {
  record(DestroySurfaces{});
  canvas_.destroy_surfaces();
}

void RecordingCanvas::load_surface(core::SurfaceId id, const core::Pixels& from) {
  const auto bits = static_cast<std::size_t>(from.width) * spice::canvas::bits_per_pixel(from.format);
  const auto row_bytes = (bits + 7) / 8;
  const auto stride = (row_bytes + 3) / 4 * 4;
  LoadSurface call{id, {from.width, from.height, from.format}, static_cast<std::uint32_t>(stride), true, {}};
  call.rows.resize(stride * static_cast<std::size_t>(from.height));
  for (std::int32_t y = 0; y < from.height; ++y)
    std::memcpy(call.rows.data() + static_cast<std::size_t>(y) * stride, from.row(y), row_bytes);
  record(call);
  canvas_.load_surface(id, from);
}

void RecordingCanvas::draw(core::DrawingPtr drawing) {
  record(Draw{drawing});
  canvas_.draw(std::move(drawing));
}

void RecordingCanvas::set_monitors(const core::MonitorLayout& layout) {
  record(SetMonitors{layout});
  canvas_.set_monitors(layout);
}

void RecordingCanvas::set(core::CursorShapePtr shape, core::Point position, bool visible) {
  record(SetCursor{shape, position, visible});
  canvas_.cursor().set(std::move(shape), position, visible);
}

void RecordingCanvas::move(core::Point position) {
  record(MoveCursor{position});
  canvas_.cursor().move(position);
}

void RecordingCanvas::hide() {
  record(HideCursor{});
  canvas_.cursor().hide();
}

void RecordingCanvas::set_trail(std::uint16_t length, std::uint16_t frequency) {
  record(SetCursorTrail{length, frequency});
  canvas_.cursor().set_trail(length, frequency);
}

void RecordingCanvas::reset() {
  record(ResetCursor{});
  canvas_.cursor().reset();
}

}  // namespace vmm::replay
