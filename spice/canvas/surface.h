// Pixels of a surface that this process owns: what drawings draw on, and what clients, screenshots and the local window
// see.
//
// The memory is guarded: a page without access lies right behind the last row (up to 15 bytes) and another before the
// first, so that a write beyond either end stops the process instead of changing something else. Fresh memory is zero
// and costs nothing until it is drawn on.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "core/ports/drawing.h"

namespace spice::canvas {

using core::Pixels;

constexpr std::int32_t kMaxScreenSide = 8192;  // of what a display shows
// Of any surface and any image. Beyond it pixman, whose coordinates have 16 bits, draws nothing.
constexpr std::int32_t kMaxSide = 32'766;
constexpr std::size_t kMaxSurfaceBytes = (std::size_t{1} << 31) - 1;

constexpr unsigned bits_per_pixel(core::SurfaceFormat format) {
  switch (format) {
    case core::SurfaceFormat::A1: return 1;
    case core::SurfaceFormat::A8: return 8;
    case core::SurfaceFormat::Rgb555:
    case core::SurfaceFormat::Rgb565: return 16;
    case core::SurfaceFormat::Xrgb:
    case core::SurfaceFormat::Argb: return 32;
  }
  return 0;  // a number that is no format
}

// Gives a surface's memory back.
struct SurfaceUnmap {
  std::size_t size = 0;   // of the mapping with its guards
  std::size_t front = 0;  // from the mapping's start to the pixels
  void operator()(std::uint8_t* bytes) const;
};

class Surface {
 public:
  Surface() = default;  // 0 x 0
  // All bits 0. The caller has asked is_possible. Throws std::bad_alloc as operator new does.
  Surface(std::int32_t width, std::int32_t height, core::SurfaceFormat format = core::SurfaceFormat::Xrgb);

  // Whether there is such a format, both sides are 1..kMaxSide, and it has at most kMaxSurfaceBytes.
  static bool is_possible(std::int64_t width, std::int64_t height, core::SurfaceFormat format);

  std::int32_t width() const { return width_; }
  std::int32_t height() const { return height_; }
  core::SurfaceFormat format() const { return format_; }
  bool empty() const { return bytes_ == nullptr; }
  core::Rect bounds() const { return {0, 0, width_, height_}; }
  // Takes the memory for these rows now, and for those between them and all that were asked for before. Where pixels
  // are read before they are drawn on, the first writes would take it page by page and interrupt all threads of the
  // process each time. [madvise(2) MADV_POPULATE_WRITE]
  void make_resident(std::int32_t top, std::int32_t bottom);
  // From row to row; a multiple of 4.
  std::ptrdiff_t stride_bytes() const { return stride_; }
  std::uint8_t* row(std::int32_t y) { return bytes_.get() + y * stride_; }
  const std::uint8_t* row(std::int32_t y) const { return bytes_.get() + y * stride_; }
  Pixels pixels() const { return {bytes_.get(), stride_, width_, height_, format_}; }

  // Of surfaces with 32 bits a pixel.
  core::PixelView view() { return {words(), width_, height_, width_}; }
  const std::uint32_t* at(std::int32_t x, std::int32_t y) const {
    return words() + static_cast<std::ptrdiff_t>(y) * width_ + x;
  }

 private:
  std::uint32_t* words() const { return reinterpret_cast<std::uint32_t*>(bytes_.get()); }

  std::int32_t width_ = 0;
  std::int32_t height_ = 0;
  core::SurfaceFormat format_ = core::SurfaceFormat::Xrgb;
  std::ptrdiff_t stride_ = 0;
  struct {
    std::int32_t top = 0;
    std::int32_t bottom = 0;
  } resident_{};  // rows that are known to be
  std::unique_ptr<std::uint8_t[], SurfaceUnmap> bytes_;
};

class UnpackedImages;

// The surfaces of a display, as drawings name them.
class SurfaceTable {
 public:
  virtual ~SurfaceTable() = default;
  // Null if there is no such surface. Stays valid until a surface is made or destroyed.
  virtual Surface* find(core::SurfaceId id) = 0;
  // Where images are kept that drawings will use again. Null: nowhere.
  virtual UnpackedImages* unpacked_images() { return nullptr; }
};

// The part of `area` that lies on a surface of this size.
core::Rect clipped(const core::Rect& area, std::int32_t width, std::int32_t height);

// Copies `area` of `from` to (x, y) of `to`; both must hold it. 32 bits a pixel.
void copy_pixels(const Surface& from, const core::Rect& area, core::PixelView to, std::int32_t x, std::int32_t y);

// Writes `area`, row after row without gaps, to `out`, which holds width * height * 4 bytes. 32 bits a pixel.
void pack_pixels(const Surface& from, const core::Rect& area, std::span<std::uint8_t> out);

}  // namespace spice::canvas
