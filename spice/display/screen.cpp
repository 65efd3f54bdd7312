#include "spice/display/screen.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "core/base/assert.h"
#include "spice/display/monitors.h"

namespace spice::display {

Screen::Screen(const SurfaceStore::Limits& limits) : surfaces_(limits) {
  surfaces_.set_on_lost([this](const PlacedDrawing& lost) {
    surfaces_.mark_changed(lost.surface);
    if (listener_ != nullptr) listener_->painted(lost.surface, lost.changed);
  });
  surfaces_.create(0, {kFirstWidth, kFirstHeight, core::SurfaceFormat::Xrgb});
  last_bounds_ = {0, 0, kFirstWidth, kFirstHeight};
}

Screen::Changes Screen::refresh(core::DisplaySource& source, bool full) {
  // The canvas has the last word on what changed: a source may say true for a change that has no pixels.
  source.refresh(*this, full);
  return take_changes();
}

Screen::Changes Screen::pull(core::DisplaySource& source, core::DisplaySource::Next& next) {
  next = source.pull(*this);
  return take_changes();
}

Screen::Changes Screen::serve(core::DisplaySource& source) {
  source.serve(*this);
  return take_changes();
}

void Screen::store(core::DisplaySource& source) {
  source.store(*this);
}

Screen::Changes Screen::take_changes() {
  auto changes = std::exchange(changes_, {});
  if (!changes.region.empty() && primary() != 0) {
    surfaces_.mark_changed(primary());
    if (listener_ != nullptr) listener_->painted(primary(), changes.region);
  }
  return changes;
}

core::Rect Screen::bounds() const {
  return last_bounds_;
}

const canvas::Surface& Screen::surface() {
  if (const auto* found = surfaces_.up_to_date(primary(), last_bounds_)) return *found;
  if (black_.empty()) black_ = canvas::Surface(last_bounds_.width(), last_bounds_.height());
  return black_;
}

PlacedDrawingPtr Screen::painted_picture(const core::Rect& place) {
  const auto* const surface = std::as_const(surfaces_).surface(primary());
  if (surface == nullptr || is_native_ || canvas::clipped(place, surface->width(), surface->height()) != place)
    return nullptr;
  core::Bitmap bitmap{.width = static_cast<std::uint32_t>(place.width()),
                      .height = static_cast<std::uint32_t>(place.height())};
  bitmap.stride = bitmap.width * 4;
  bitmap.data.resize(std::size_t{bitmap.stride} * bitmap.height);
  for (std::int32_t y = 0; y < place.height(); ++y)
    std::memcpy(bitmap.data.data() + std::size_t{bitmap.stride} * static_cast<std::size_t>(y),
                surface->at(place.left, place.top + y), bitmap.stride);
  const auto bytes = bitmap.data.size();
  const auto image = std::make_shared<core::Image>(core::Image{.content = std::move(bitmap)});
  return surfaces_.add_drawn(std::make_shared<core::Drawing>(core::Drawing{
      .box = place,
      .effect = core::Effect::Opaque,
      .memory = bytes,
      .operation = core::DrawCopy{.source = {.image = image, .area = {0, 0, place.width(), place.height()}}}}));
}

core::PixelView Screen::pixels() {
  auto* const surface = surfaces_.surface(primary());
  return surface == nullptr || is_native_ ? core::PixelView{} : surface->view();
}

core::PixelView Screen::set_mode(std::int32_t width, std::int32_t height) {
  destroy_surfaces();  // before the new one, so that there are never two
  is_native_ = false;
  source_sets_monitors_ = false;
  make_primary({std::clamp(width, 1, canvas::kMaxScreenSide), std::clamp(height, 1, canvas::kMaxScreenSide),
                core::SurfaceFormat::Xrgb});
  MV_ASSERT(primary() != 0, "there is memory for a frame buffer");
  changes_.region = canvas::Region(last_bounds_);
  return pixels();
}

void Screen::changed(const core::Rect& area) {
  if (is_native() || primary() == 0) return;
  changes_.region.add(canvas::clipped(area, last_bounds_.right, last_bounds_.bottom));
  if (changes_.region.rect_count() > kMaxRects) changes_.region.limit_rects(kMaxRects / 4);
}

bool Screen::create_surface(core::SurfaceId id, const core::SurfaceShape& shape) {
  destroy_surface(id);
  if (id != 0) return surfaces_.create(id, shape);
  is_native_ = true;
  if (shape.width > canvas::kMaxScreenSide || shape.height > canvas::kMaxScreenSide) return false;
  make_primary(shape);
  return primary() != 0;
}

void Screen::make_primary(const core::SurfaceShape& shape) {
  if (!surfaces_.create(0, shape)) return;
  last_bounds_ = {0, 0, shape.width, shape.height};
  black_ = {};
  monitors_.reset();
  changes_.mode_set = true;
  if (listener_ != nullptr) listener_->primary_made(primary());
}

void Screen::destroy_surface(core::SurfaceId id) {
  const auto key = surfaces_.key_of(id);
  if (key == 0) return;
  surfaces_.destroy(id);
  if (id == 0) {
    changes_.mode_set = true;
    changes_.region.clear();
  }
  if (listener_ != nullptr) listener_->surface_gone(key);
}

void Screen::destroy_surfaces() {
  for (const auto id : surfaces_.ids())
    destroy_surface(id);
}

void Screen::load_surface(core::SurfaceId id, const core::Pixels& from) {
  surfaces_.load(id, from);
  const auto key = surfaces_.key_of(id);
  const auto* const surface = std::as_const(surfaces_).surface(key);
  if (surface == nullptr) return;
  changes_.drawn = true;
  if (listener_ != nullptr) listener_->painted(key, canvas::Region(surface->bounds()));
}

void Screen::draw(core::DrawingPtr drawing) {
  // A frame buffer is the source's to paint.
  if (drawing == nullptr || (drawing->surface == 0 && !is_native())) return;
  const auto placed = surfaces_.add(std::move(drawing));
  if (placed == nullptr) return;
  changes_.drawn = true;
  if (listener_ == nullptr) return;
  listener_->drawn(placed);
  if (surfaces_.drawing_bytes() > surfaces_.limits().drawing_bytes) listener_->drawings_too_many();
}

core::Pixels Screen::read_surface(core::SurfaceId id, const core::Rect& area) {
  const auto* const surface = surfaces_.up_to_date(surfaces_.key_of(id), area);
  return surface == nullptr ? core::Pixels{} : surface->pixels();
}

void Screen::set_monitors(const core::MonitorLayout& layout) {
  source_sets_monitors_ = true;
  auto monitors = accepted_monitors(layout);
  if (!monitors || monitors == monitors_) return;
  most_monitors_ = layout.max_allowed;
  monitors_ = std::move(monitors);
  if (listener_ != nullptr) listener_->monitors_changed();
}

core::MonitorLayout Screen::monitors() const {
  if (monitors_) return *monitors_;
  return {.max_allowed = most_monitors_, .heads = {{.area = last_bounds_}}};
}

}  // namespace spice::display
