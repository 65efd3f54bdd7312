#include "vmm/window/placement.h"

#include <algorithm>

namespace vmm::window {

namespace {

std::int32_t share(std::int64_t part, std::int64_t whole, std::int64_t of) {
  return static_cast<std::int32_t>(part * of / whole);
}

std::int32_t pixel_at(std::int32_t at, std::int32_t start, std::int32_t length, std::int32_t pixels) {
  return share(std::clamp(at - start, 0, length - 1), length, pixels);
}

}  // namespace

core::Rect placed(Size picture, Size window) {
  const bool is_wide = std::int64_t{window.width} * picture.height >=
                       std::int64_t{window.height} * picture.width;  // bars left and right
  const auto width = is_wide ? std::max(1, share(picture.width, picture.height, window.height)) : window.width;
  const auto height = is_wide ? window.height : std::max(1, share(picture.height, picture.width, window.width));
  const auto left = (window.width - width) / 2, top = (window.height - height) / 2;
  return {left, top, left + width, top + height};
}

core::Rect scaled(const core::Rect& area, Size picture, const core::Rect& place) {
  const auto up = [](std::int64_t part, std::int64_t whole, std::int64_t of) {
    return static_cast<std::int32_t>((part * of + whole - 1) / whole);
  };
  return {place.left + share(area.left, picture.width, place.width()),
          place.top + share(area.top, picture.height, place.height()),
          place.left + up(area.right, picture.width, place.width()),
          place.top + up(area.bottom, picture.height, place.height())};
}

core::Point picture_point(core::Point at, Size picture, const core::Rect& place) {
  return {pixel_at(at.x, place.left, place.width(), picture.width),
          pixel_at(at.y, place.top, place.height(), picture.height)};
}

}  // namespace vmm::window
