// Places and pixels of displays. All rectangles are half-open.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>

namespace core::inline ports {

struct Point {
  std::int32_t x = 0;
  std::int32_t y = 0;
  bool operator==(const Point&) const = default;
};

struct Rect {
  std::int32_t left = 0;
  std::int32_t top = 0;
  std::int32_t right = 0;
  std::int32_t bottom = 0;

  constexpr std::int32_t width() const { return right - left; }
  constexpr std::int32_t height() const { return bottom - top; }
  constexpr bool empty() const { return right <= left || bottom <= top; }
  bool operator==(const Rect&) const = default;
};

// Whether two rectangles have a pixel in common.
constexpr bool meet(const Rect& a, const Rect& b) {
  return a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;
}

// Whether all of `inner` lies in `outer`.
constexpr bool holds(const Rect& outer, const Rect& inner) {
  return inner.left >= outer.left && inner.top >= outer.top && inner.right <= outer.right &&
         inner.bottom <= outer.bottom;
}

// What two rectangles have in common; all 0 if that is nothing.
constexpr Rect common(const Rect& a, const Rect& b) {
  const Rect both{std::max(a.left, b.left), std::max(a.top, b.top), std::min(a.right, b.right),
                  std::min(a.bottom, b.bottom)};
  return both.empty() ? Rect{} : both;
}

// The smallest rectangle around two, of which an empty one does not count.
constexpr Rect around(const Rect& a, const Rect& b) {
  if (a.empty()) return b;
  if (b.empty()) return a;
  return {std::min(a.left, b.left), std::min(a.top, b.top), std::max(a.right, b.right), std::max(a.bottom, b.bottom)};
}

// Pixels of a frame buffer, row by row: words 0x00RRGGBB in host (little-endian) order, bytes B, G, R, pad 0. The
// stride is in pixels, at least the width.
struct PixelView {
  std::uint32_t* pixels = nullptr;
  std::int32_t width = 0;
  std::int32_t height = 0;
  std::int32_t stride = 0;

  std::span<std::uint32_t> row(std::int32_t y) const {
    return {pixels + static_cast<std::ptrdiff_t>(y) * stride, static_cast<std::size_t>(width)};
  }
};

}  // namespace core::inline ports
