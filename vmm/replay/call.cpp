#include "vmm/replay/call.h"

#include <algorithm>
#include <cstring>

#include "spice/canvas/surface.h"

namespace vmm::replay {
namespace {

bool lies_within(const core::Rect& area, const core::PixelView& view) {
  return !area.empty() && area.left >= 0 && area.top >= 0 && area.right <= view.width && area.bottom <= view.height;
}

// One overload a call.
class Caller {
 public:
  explicit Caller(core::DisplayCanvas& canvas) : canvas_(canvas) {}

  void operator()(const SetMode& call) const {
    constexpr std::int32_t kLargest = spice::canvas::kMaxScreenSide;
    canvas_.set_mode(std::clamp(call.width, 1, kLargest), std::clamp(call.height, 1, kLargest));
  }
  void operator()(const Changed& call) const {
    const auto view = canvas_.pixels();
    if (!lies_within(call.area, view)) return;
    const auto row_bytes = static_cast<std::size_t>(call.area.width()) * 4;
    if (call.pixels.size() < row_bytes * static_cast<std::size_t>(call.area.height())) return;
    const auto* from = call.pixels.data();
    for (auto y = call.area.top; y < call.area.bottom; ++y, from += row_bytes)
      std::memcpy(view.row(y).data() + call.area.left, from, row_bytes);
    canvas_.changed(call.area);
  }
  void operator()(const CreateSurface& call) const { canvas_.create_surface(call.id, call.shape); }
  void operator()(const DestroySurface& call) const { canvas_.destroy_surface(call.id); }
  void operator()(const DestroySurfaces&) const { canvas_.destroy_surfaces(); }
  void operator()(const LoadSurface& call) const {
    const auto& shape = call.shape;
    if (!spice::canvas::Surface::is_possible(shape.width, shape.height, shape.format)) return;
    const auto bits = static_cast<std::size_t>(shape.width) * spice::canvas::bits_per_pixel(shape.format);
    const auto rows = static_cast<std::size_t>(shape.height);
    const std::size_t stride = call.stride;
    if (stride % 4 != 0 || stride < (bits + 7) / 8 || call.rows.size() / rows < stride) return;
    const auto step = static_cast<std::ptrdiff_t>(stride);
    const auto* first = call.rows.data() + (call.top_down ? 0 : (rows - 1) * stride);
    canvas_.load_surface(call.id, {first, call.top_down ? step : -step, shape.width, shape.height, shape.format});
  }
  void operator()(const Draw& call) const { canvas_.draw(call.drawing); }
  void operator()(const SetMonitors& call) const { canvas_.set_monitors(call.layout); }
  void operator()(const SetCursor& call) const { canvas_.cursor().set(call.shape, call.position, call.visible); }
  void operator()(const MoveCursor& call) const { canvas_.cursor().move(call.position); }
  void operator()(const HideCursor&) const { canvas_.cursor().hide(); }
  void operator()(const SetCursorTrail& call) const { canvas_.cursor().set_trail(call.length, call.frequency); }
  void operator()(const ResetCursor&) const { canvas_.cursor().reset(); }

 private:
  core::DisplayCanvas& canvas_;
};

}  // namespace

void perform(const Call& call, core::DisplayCanvas& canvas) {
  std::visit(Caller(canvas), call);
}

}  // namespace vmm::replay
