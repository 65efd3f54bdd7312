// Display seam: a device's source half feeds one display worker, which owns the pixels that clients, screenshots and
// the local window see.
//
// Pixels are 32-bit words 0x00RRGGBB in host (little-endian) order: bytes B, G, R, pad 0. All rectangles are half-open.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <vector>

namespace core::inline ports {

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

// Pixels of a surface, row by row; stride in pixels, at least the width.
struct PixelView {
  std::uint32_t* pixels = nullptr;
  std::int32_t width = 0;
  std::int32_t height = 0;
  std::int32_t stride = 0;

  std::span<std::uint32_t> row(std::int32_t y) const {
    return {pixels + static_cast<std::ptrdiff_t>(y) * stride, static_cast<std::size_t>(width)};
  }
};

// What the worker offers a source during one refresh. Valid only inside the call.
class DisplayCanvas {
 public:
  virtual ~DisplayCanvas() = default;
  // The primary surface. A source whose mode has another size calls set_mode first.
  virtual PixelView pixels() = 0;
  // Replaces the primary surface by a black one of this size (1..8192 each); everything is then changed.
  virtual PixelView set_mode(std::int32_t width, std::int32_t height) = 0;
  // Pixels that the source has changed in pixels().
  virtual void changed(const Rect& area) = 0;
};

// The source half of a display device. All methods run on the display worker, except where said.
class DisplaySource {
 public:
  virtual ~DisplaySource() = default;
  // Brings the surface up to date. With `full`, whatever it showed before is unknown and all of it is drawn. Copies
  // registers under the device's lock, touches video memory outside it. True if anything changed.
  virtual bool refresh(DisplayCanvas& canvas, bool full) = 0;
  // How to wake the worker between refreshes (command rings); set once before the worker starts. The source calls it
  // from any thread.
  virtual void set_wake(std::function<void()> wake) = 0;
};

}  // namespace core::inline ports
