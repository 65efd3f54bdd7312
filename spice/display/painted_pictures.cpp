#include "spice/display/painted_pictures.h"

#include <algorithm>

namespace spice::display {
namespace {

core::Rect on_grid(const core::Rect& rect, const core::Rect& bounds) {
  const auto down = [](std::int32_t value, std::int32_t unit) { return value / unit * unit; };
  const auto up = [](std::int32_t value, std::int32_t unit) { return (value + unit - 1) / unit * unit; };
  return {down(rect.left, kPictureGridWidth), down(rect.top, kPictureGridHeight),
          std::min(up(rect.right, kPictureGridWidth), bounds.right),
          std::min(up(rect.bottom, kPictureGridHeight), bounds.bottom)};
}

bool is_half_changed(const core::Rect& place, const canvas::Region& changed) {
  auto within = changed;
  within.intersect(place);
  // What is painted row by row is told in a few rectangles: their outline counts.
  const auto outline = within.extents();
  return 2 * std::int64_t{outline.width()} * outline.height() >= std::int64_t{place.width()} * place.height();
}

}  // namespace

std::vector<core::Rect> picture_places(const canvas::Region& changed, std::span<const core::Rect> running,
                                       const core::Rect& bounds) {
  std::vector<core::Rect> places;
  auto rest = changed;
  for (const auto& place : running) {
    if (!is_half_changed(place, rest)) continue;
    places.push_back(place);
    rest.subtract(place);
  }
  canvas::Region others;
  for (const auto& rect : rest.rects())
    others.add(on_grid(rect, bounds));
  for (const auto& place : places)
    others.subtract(place);
  others.limit_rects(kMostPicturePlaces);
  others.intersect(bounds);
  const auto rects = others.rects();
  places.insert(places.end(), rects.begin(), rects.end());
  return places;
}

}  // namespace spice::display
