#include "spice/display/drawing_strips.h"

#include <algorithm>
#include <utility>

#include "spice/display/drawing_list.h"
#include "spice/display/drawing_message.h"

namespace spice::display {
namespace {

// All of the image, pixel by pixel.
bool is_whole(const core::Drawing& drawing, const core::DrawCopy& copy, const core::Bitmap& bitmap) {
  const core::Rect whole{0, 0, static_cast<std::int32_t>(bitmap.width), static_cast<std::int32_t>(bitmap.height)};
  const auto& box = drawing.box;
  return copy.source.area == whole && std::int64_t{box.right} - box.left == whole.right &&
         std::int64_t{box.bottom} - box.top == whole.bottom;
}

}  // namespace

std::optional<DrawingStrips> DrawingStrips::of(const core::Drawing& drawing, const image::ImageSender& images) {
  const auto* const copy = std::get_if<core::DrawCopy>(&drawing.operation);
  if (copy == nullptr || !only_shows(*copy) || copy->source.image == nullptr) return std::nullopt;
  const auto* const bitmap = std::get_if<core::Bitmap>(&copy->source.image->content);
  if (bitmap == nullptr || !is_whole(drawing, *copy, *bitmap)) return std::nullopt;
  auto cuts = images.strips(copy->source.image, true);
  if (!cuts) return std::nullopt;
  return DrawingStrips(drawing, *copy, *std::move(cuts));
}

DrawingStrips::DrawingStrips(const core::Drawing& drawing, const core::DrawCopy& copy, image::ImageStrips cuts)
    : drawing_(drawing), copy_(copy), cuts_(std::move(cuts)) {
  for (std::size_t strip = 0; strip < cuts_.count(); ++strip) {
    const auto shows = [area = box(strip)](const core::Rect& rect) { return meet(area, rect); };
    if (!drawing.clip || std::ranges::any_of(*drawing.clip, shows)) shown_.push_back(strip);
  }
}

core::Rect DrawingStrips::box(std::size_t strip) const {
  const auto area = cuts_.area(strip);
  const auto& [left, top, right, bottom] = drawing_.box;
  return {left, top + area.top, right, top + area.bottom};
}

wire::DisplayDrawCopy DrawingStrips::message(std::size_t strip, wire::Image image) const {
  const auto area = box(strip);
  wire::DisplayDrawCopy draw;
  draw.base.surface_id = drawing_.surface;
  draw.base.box = wire_rect(area);
  if (drawing_.clip) {
    draw.base.clip.kind = wire::Clip::Kind::Rects;
    for (const auto& rect : *drawing_.clip) {
      if (meet(area, rect)) draw.base.clip.rects.push_back(wire_rect(rect));
    }
  }
  draw.source = std::move(image);
  draw.source_area = wire_rect({0, 0, area.width(), area.height()});
  return draw;
}

}  // namespace spice::display
