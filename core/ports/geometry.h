// Places and pixels of displays. All rectangles are half-open.
#pragma once

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
