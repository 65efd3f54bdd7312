#include "spice/canvas/surface.h"

#include <algorithm>
#include <cstring>
#include <new>

#include "core/base/assert.h"

namespace spice::canvas {

Surface::Surface(std::int32_t width, std::int32_t height) : width_(width), height_(height) {
  MV_ASSERT(width > 0 && width <= kMaxSurfaceSide && height > 0 && height <= kMaxSurfaceSide,
            "whoever takes a size from a guest checks it first");
  // calloc, since the kernel's fresh pages are zero already and cost nothing until written.
  const auto count = static_cast<std::size_t>(width) * static_cast<std::size_t>(height);
  pixels_.reset(static_cast<std::uint32_t*>(std::calloc(count, sizeof(std::uint32_t))));
  if (pixels_ == nullptr) throw std::bad_alloc();  // as operator new does
}

core::Rect clipped(const core::Rect& area, std::int32_t width, std::int32_t height) {
  return {std::clamp(area.left, 0, width), std::clamp(area.top, 0, height), std::clamp(area.right, 0, width),
          std::clamp(area.bottom, 0, height)};
}

void copy_pixels(const Surface& from, const core::Rect& area, core::PixelView to, std::int32_t x, std::int32_t y) {
  const auto bytes = static_cast<std::size_t>(area.width()) * 4;
  for (auto row = area.top; row < area.bottom; ++row)
    std::memcpy(to.row(y + row - area.top).data() + x, from.at(area.left, row), bytes);
}

void pack_pixels(const Surface& from, const core::Rect& area, std::span<std::uint8_t> out) {
  const auto bytes = static_cast<std::size_t>(area.width()) * 4;
  auto* to = out.data();
  for (auto row = area.top; row < area.bottom; ++row, to += bytes)
    std::memcpy(to, from.at(area.left, row), bytes);
}

}  // namespace spice::canvas
