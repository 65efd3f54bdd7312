#include "spice/canvas/effect.h"

#include <algorithm>
#include <cstdlib>
#include <optional>
#include <utility>

#include "spice/canvas/area.h"
#include "spice/canvas/draw_context.h"
#include "spice/canvas/raster.h"
#include "spice/canvas/source.h"

namespace spice::canvas {
namespace {

class Judge {
 public:
  Judge(const core::Drawing& drawing, const Surface& surface, SurfaceTable& surfaces, Region area)
      : drawing_(drawing), surface_(surface), surfaces_(surfaces) {
    effect_.changed = std::move(area);
  }
  DrawingEffect take() { return std::move(effect_); }

  void operator()(const core::DrawNothing&) { nothing(); }
  void operator()(const core::DrawFill& fill) {
    filled(fill.brush, rop2_of(fill.rop, RopOperands::BrushDestination), fill.mask);
  }
  void operator()(const core::DrawOpaque& opaque) {
    const auto rop = rop2_of(opaque.rop, RopOperands::BrushSource);
    if (needs_first(rop)) read(opaque.brush);
    read(opaque.source);
    covers(opaque.mask, !needs_second(rop) || is_everywhere(opaque.source));
  }
  void operator()(const core::DrawCopy& copy) { copied(copy.source, copy.rop, copy.mask); }
  void operator()(const core::DrawBlend& blend) { copied(blend.source, blend.rop, blend.mask); }
  void operator()(const core::DrawCopyBits& bits) {
    const auto dx = std::int64_t{drawing_.box.left} - bits.source.x,
               dy = std::int64_t{drawing_.box.top} - bits.source.y;
    if (dx == 0 && dy == 0) return nothing();
    effect_.changed.intersect(PlacedPixels{surface_.pixels(), dx, dy}.covered(surface_.bounds()));
    if (effect_.changed.empty()) return;
    const auto to = effect_.changed.extents();
    const auto moved = [](std::int32_t value, std::int64_t by) { return static_cast<std::int32_t>(value - by); };
    effect_.reads.push_back(
        {drawing_.surface, {moved(to.left, dx), moved(to.top, dy), moved(to.right, dx), moved(to.bottom, dy)}});
    effect_.covers = true;
  }
  void operator()(const core::DrawBlackness& drawing) { covers(drawing.mask, true); }
  void operator()(const core::DrawWhiteness& drawing) { covers(drawing.mask, true); }
  void operator()(const core::DrawInvers& drawing) { covers(drawing.mask, false); }
  void operator()(const core::DrawRop3& rop3) {
    if (rop3_needs_brush(rop3.code)) read(rop3.brush);
    if (rop3_needs_source(rop3.code)) within(rop3.source);
    covers(rop3.mask,
           !rop3_needs_destination(rop3.code) && (!rop3_needs_source(rop3.code) || is_everywhere(rop3.source)));
  }
  void operator()(const core::DrawStroke& stroke) {
    if (rop2_of(stroke.fore_mode, RopOperands::BrushDestination) == Rop2::Second) return nothing();
    read(stroke.brush);
  }
  void operator()(const core::DrawText& text) {
    read(text.fore_brush);
    if (!text.back_area.empty()) read(text.back_brush);
  }
  void operator()(const core::DrawTransparent& transparent) { within(transparent.source); }
  void operator()(const core::DrawAlphaBlend& blend) {
    if (blend.alpha == 0) return nothing();
    within(blend.source);
  }
  void operator()(const core::DrawComposite& composite) {
    constexpr unsigned kClear = 0, kSource = 1;
    read(composite.source.image, {});
    if (composite.mask) read(composite.mask->image, {});
    effect_.covers = !composite.mask && (composite.operation == kClear || composite.operation == kSource) &&
                     is_near(composite.source);
  }

 private:
  void nothing() { effect_.changed.clear(); }

  // Whether the numbers are of a size with which pixman surely draws.
  bool is_near(const core::CompositeImage& image) const {
    constexpr std::int64_t kNear = INT16_MAX / 4;
    const auto x = std::int64_t{image.origin.x} - drawing_.box.left,
               y = std::int64_t{image.origin.y} - drawing_.box.top;
    return !image.transform && std::abs(x) <= kNear && std::abs(y) <= kNear && surface_.width() <= kNear &&
           surface_.height() <= kNear;
  }

  static bool is_near(const core::Rect& area) {
    constexpr std::int64_t kNear = INT16_MAX / 2;
    return area.right <= kNear && area.bottom <= kNear;
  }

  void covers(const core::Mask& mask, bool otherwise) {
    if (mask.image != nullptr) read(mask.image, {});
    effect_.covers = otherwise && mask.image == nullptr;
  }

  void filled(const core::Brush& brush, Rop2 rop, const core::Mask& mask) {
    if (rop == Rop2::Second) return nothing();
    if (needs_first(rop)) read(brush);
    covers(mask, !needs_second(rop));
  }

  void copied(const core::Source& source, core::Rop descriptor, const core::Mask& mask) {
    const auto rop = rop2_of(descriptor, RopOperands::SourceDestination);
    if (!needs_first(rop)) return filled({}, rop, mask);
    within(source);
    covers(mask, !needs_second(rop) && is_everywhere(source));
  }

  void within(const core::Source& source) {
    read(source);
    if (const auto bounds = bounds_on_surface(source)) effect_.changed.intersect(*bounds);
  }

  // Where a source that is not stretched, and whose size is known, has pixels.
  std::optional<core::Rect> bounds_on_surface(const core::Source& source) {
    const auto size = size_of(source.image, surfaces_);
    if (!size || is_stretched(drawing_.box, source.area)) return {};
    const Pixels pixels{nullptr, 0, size->right, size->bottom, surface_.format()};
    return PlacedPixels{pixels, std::int64_t{drawing_.box.left} - source.area.left,
                        std::int64_t{drawing_.box.top} - source.area.top}
        .covered(surface_.bounds());
  }

  // Whether every changed pixel has one of the source.
  bool is_everywhere(const core::Source& source) {
    const auto size = size_of(source.image, surfaces_);
    if (!size || effect_.changed.empty()) return false;
    if (is_stretched(drawing_.box, source.area)) return holds(*size, source.area) && is_near(source.area);
    return holds(bounds_on_surface(source).value_or(core::Rect{}), effect_.changed.extents());
  }

  void read(const core::Brush& brush) {
    if (const auto* pattern = std::get_if<core::PatternBrush>(&brush)) read(pattern->image, {});
  }

  // Stretched, pixels are made of their neighbours, too.
  void read(const core::Source& source) {
    constexpr std::int32_t kReach = 2;
    auto area = source.area;
    if (is_stretched(drawing_.box, area) && !area.empty())
      area = {std::max(area.left, kReach) - kReach, std::max(area.top, kReach) - kReach,
              std::min(area.right, INT32_MAX - kReach) + kReach, std::min(area.bottom, INT32_MAX - kReach) + kReach};
    read(source.image, area);
  }

  // The whole image if `area` is empty.
  void read(const core::ImagePtr& image, const core::Rect& area) {
    if (image == nullptr) return;
    if (const auto* own = std::get_if<core::OwnPixels>(&image->content)) {
      effect_.reads.push_back({drawing_.surface, common(own->area, surface_.bounds())});
    } else if (const auto* other = std::get_if<core::SurfacePixels>(&image->content)) {
      const auto* const found = surfaces_.find(other->surface);
      if (found == nullptr) return;
      effect_.reads.push_back({other->surface, area.empty() ? found->bounds() : common(area, found->bounds())});
    }
  }

  const core::Drawing& drawing_;
  const Surface& surface_;
  SurfaceTable& surfaces_;
  DrawingEffect effect_;
};

}  // namespace

DrawingEffect drawing_effect(const core::Drawing& drawing, SurfaceTable& surfaces) {
  const auto* const surface = surfaces.find(drawing.surface);
  if (surface == nullptr || surface->empty()) return {};
  auto area = clipped_region(drawing.box, drawing.clip, surface->bounds());
  if (!area) return {};
  Judge judge(drawing, *surface, surfaces, *std::move(area));
  std::visit(judge, drawing.operation);
  return judge.take();
}

}  // namespace spice::canvas
