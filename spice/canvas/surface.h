// Pixels of a surface that this process owns: what clients, screenshots and the local window see.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <memory>
#include <span>

#include "core/ports/display.h"

namespace spice::canvas {

class Surface {
 public:
  Surface() = default;  // 0 x 0
  // Black; 1..8192 pixels each way.
  Surface(std::int32_t width, std::int32_t height);

  std::int32_t width() const { return width_; }
  std::int32_t height() const { return height_; }
  bool empty() const { return pixels_ == nullptr; }
  core::Rect bounds() const { return {0, 0, width_, height_}; }
  core::PixelView view() { return {pixels_.get(), width_, height_, width_}; }
  const std::uint32_t* at(std::int32_t x, std::int32_t y) const {
    return pixels_.get() + static_cast<std::ptrdiff_t>(y) * width_ + x;
  }
  std::ptrdiff_t stride_bytes() const { return static_cast<std::ptrdiff_t>(width_) * 4; }

 private:
  struct Free {
    void operator()(std::uint32_t* pixels) const { std::free(pixels); }
  };
  std::int32_t width_ = 0;
  std::int32_t height_ = 0;
  std::unique_ptr<std::uint32_t[], Free> pixels_;
};

constexpr std::int32_t kMaxSurfaceSide = 8192;

// The part of `area` that lies on a surface of this size.
core::Rect clipped(const core::Rect& area, std::int32_t width, std::int32_t height);

// Copies `area` of `from` to (x, y) of `to`; both must hold it.
void copy_pixels(const Surface& from, const core::Rect& area, core::PixelView to, std::int32_t x, std::int32_t y);

// Writes `area`, row after row without gaps, to `out`, which holds width * height * 4 bytes.
void pack_pixels(const Surface& from, const core::Rect& area, std::span<std::uint8_t> out);

}  // namespace spice::canvas
