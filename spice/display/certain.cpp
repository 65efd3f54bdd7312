#include "spice/display/certain.h"

#include "spice/canvas/glyphs.h"
#include "spice/canvas/source.h"

namespace spice::display {
namespace {

class Judge {
 public:
  Judge(const core::Drawing& drawing, canvas::SurfaceTable& surfaces) : drawing_(drawing), surfaces_(surfaces) {}

  bool operator()(const core::DrawFill& fill) { return is_sound(fill.brush) && is_sound(fill.mask); }
  bool operator()(const core::DrawOpaque& opaque) {
    return is_sound(opaque.source) && is_sound(opaque.brush) && is_sound(opaque.mask);
  }
  bool operator()(const core::DrawCopy& copy) { return is_sound(copy.source) && is_sound(copy.mask); }
  bool operator()(const core::DrawBlend& blend) { return is_sound(blend.source) && is_sound(blend.mask); }
  bool operator()(const core::DrawCopyBits&) { return true; }
  bool operator()(const core::DrawBlackness& drawing) { return is_sound(drawing.mask); }
  bool operator()(const core::DrawWhiteness& drawing) { return is_sound(drawing.mask); }
  bool operator()(const core::DrawInvers& drawing) { return is_sound(drawing.mask); }
  bool operator()(const core::DrawRop3& rop3) {
    return is_sound(rop3.source) && is_sound(rop3.brush) && is_sound(rop3.mask);
  }
  bool operator()(const core::DrawStroke& stroke) { return is_sound(stroke.brush); }
  bool operator()(const core::DrawText& text) {
    return canvas::has_all_values(text) && is_sound(text.fore_brush) &&
           (text.back_area.empty() || is_sound(text.back_brush));
  }
  bool operator()(const core::DrawTransparent& transparent) { return is_sound(transparent.source); }
  template <class Other>
  bool operator()(const Other&) {
    return false;
  }

 private:
  bool is_sound(const core::ImagePtr& image) {
    if (image == nullptr) return false;
    if (const auto* bitmap = std::get_if<core::Bitmap>(&image->content))
      return canvas::rows_of(*bitmap) && (bitmap->format > core::BitmapFormat::Indexed8 || bitmap->palette != nullptr);
    const auto* const other = std::get_if<core::SurfacePixels>(&image->content);
    const auto* const surface = other == nullptr ? nullptr : surfaces_.find(other->surface);
    return surface != nullptr && !surface->empty();
  }
  bool is_sound(const core::Source& source) {
    const auto& box = drawing_.box;
    const auto& area = source.area;
    return is_sound(source.image) && area.left >= 0 && area.top >= 0 && area.right <= canvas::kMaxSide &&
           area.bottom <= canvas::kMaxSide && !area.empty() && area.width() == std::int64_t{box.right} - box.left &&
           area.height() == std::int64_t{box.bottom} - box.top;
  }
  bool is_sound(const core::Brush& brush) {
    const auto* const pattern = std::get_if<core::PatternBrush>(&brush);
    return pattern == nullptr || is_sound(pattern->image);
  }
  static bool is_sound(const core::Mask& mask) { return mask.image == nullptr; }

  const core::Drawing& drawing_;
  canvas::SurfaceTable& surfaces_;
};

}  // namespace

bool certainly_draws(const core::Drawing& drawing, canvas::SurfaceTable& surfaces) {
  return std::visit(Judge(drawing, surfaces), drawing.operation);
}

}  // namespace spice::display
