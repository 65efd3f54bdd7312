#include "vmm/replay/immediate_canvas.h"

#include <cstring>
#include <utility>

#include "spice/canvas/draw.h"
#include "spice/display/monitors.h"

namespace vmm::replay {
namespace {

using spice::canvas::Surface;

std::uint64_t bytes_of(const Surface& surface) {
  return static_cast<std::uint64_t>(surface.stride_bytes()) * static_cast<std::uint64_t>(surface.height());
}

// All of a surface in another one, as a copy draws it there.
class Conversion final : public spice::canvas::SurfaceTable {
 public:
  explicit Conversion(const Surface& from)
      : from_(from.width(), from.height(), from.format()), to_(from.width(), from.height(), core::SurfaceFormat::Xrgb) {
    std::memcpy(from_.row(0), from.row(0), bytes_of(from));
    const auto image = std::make_shared<const core::Image>(core::Image{.content = core::SurfacePixels{kFrom}});
    const core::Drawing drawing{.surface = kTo,
                                .box = from.bounds(),
                                .operation = core::DrawCopy{.source = {.image = image, .area = from.bounds()}}};
    if (!spice::canvas::draw(drawing, *this)) to_ = {};
  }
  Surface result() && { return std::move(to_); }  // empty if such a surface cannot be shown

 private:
  static constexpr core::SurfaceId kFrom = 0, kTo = 1;
  Surface* find(core::SurfaceId id) override { return id == kFrom ? &from_ : &to_; }

  Surface from_;
  Surface to_;
};

}  // namespace

Surface* ImmediateCanvas::find(core::SurfaceId id) {
  const auto found = surfaces_.find(id);
  return found == surfaces_.end() ? nullptr : &found->second;
}

Surface ImmediateCanvas::shown() const {
  const auto primary = surfaces_.find(0);
  const auto& surface = primary == surfaces_.end() ? last_shown_ : primary->second;
  return surface.empty() ? Surface() : Conversion(surface).result();
}

core::Rect ImmediateCanvas::shown_area() const {
  const auto primary = surfaces_.find(0);
  return spice::display::shown_area(monitors_,
                                    primary == surfaces_.end() ? last_shown_.bounds() : primary->second.bounds());
}

void ImmediateCanvas::set_monitors(const core::MonitorLayout& layout) {
  if (auto monitors = spice::display::accepted_monitors(layout)) monitors_ = std::move(*monitors);
}

core::PixelView ImmediateCanvas::pixels() {
  auto* const primary = find(0);
  if (primary == nullptr || spice::canvas::bits_per_pixel(primary->format()) != 32) return {};
  return primary->view();
}

core::PixelView ImmediateCanvas::set_mode(std::int32_t width, std::int32_t height) {
  destroy_surfaces();
  create_surface(0, {width, height, core::SurfaceFormat::Xrgb});
  return pixels();
}

bool ImmediateCanvas::create_surface(core::SurfaceId id, const core::SurfaceShape& shape) {
  destroy_surface(id);
  if (!Surface::is_possible(shape.width, shape.height, shape.format) || surfaces_.size() >= kMaxSurfaces) return false;
  Surface surface(shape.width, shape.height, shape.format);
  if (surface_bytes_ + bytes_of(surface) > kMaxSurfaceBytes) return false;
  surface_bytes_ += bytes_of(surface);
  surfaces_.emplace(id, std::move(surface));
  if (id == 0) monitors_ = {};
  return true;
}

void ImmediateCanvas::destroy_surface(core::SurfaceId id) {
  const auto found = surfaces_.find(id);
  if (found == surfaces_.end()) return;
  surface_bytes_ -= bytes_of(found->second);
  if (id == 0) last_shown_ = std::move(found->second);
  surfaces_.erase(found);
}

void ImmediateCanvas::destroy_surfaces() {
  destroy_surface(0);
  surfaces_.clear();
  surface_bytes_ = 0;
}

void ImmediateCanvas::load_surface(core::SurfaceId id, const core::Pixels& from) {
  auto* const surface = find(id);
  if (surface == nullptr || surface->width() != from.width || surface->height() != from.height ||
      surface->format() != from.format)
    return;
  const auto row_bytes = (static_cast<std::size_t>(from.width) * spice::canvas::bits_per_pixel(from.format) + 7) / 8;
  for (std::int32_t y = 0; y < from.height; ++y)
    std::memcpy(surface->row(y), from.row(y), row_bytes);
}

void ImmediateCanvas::draw(core::DrawingPtr drawing) {
  auto& tally = tallies_[drawing->operation.index()];
  const auto start = std::chrono::steady_clock::now();
  const bool drawn = spice::canvas::draw(*drawing, *this).has_value();
  tally.time += std::chrono::steady_clock::now() - start;
  ++tally.drawings;
  if (!drawn) ++tally.refused;
}

core::Pixels ImmediateCanvas::read_surface(core::SurfaceId id, const core::Rect&) {
  const auto* const surface = find(id);
  return surface == nullptr ? core::Pixels{} : surface->pixels();
}

}  // namespace vmm::replay
