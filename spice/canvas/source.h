// Images of drawings as pixels that can be drawn: bitmaps unpacked, surfaces found, formats changed.
#pragma once

#include <cstdint>
#include <expected>
#include <memory>
#include <optional>

#include "core/ports/drawing.h"
#include "spice/canvas/surface.h"

namespace spice::canvas {

// Why a drawing could not be drawn. Nothing has been drawn then.
enum class DrawError : std::uint8_t {
  NoSuchSurface,  // the one to draw on, or one of those to read
  NoImage,        // where there must be one
  BadImage,       // size, stride, data, palette or stream do not fit together, or no mask where one is needed
  BadArea,        // the area of a source is empty, or its own pixels lie beyond the surface
  BadOperation,   // no such way to composite, no such filter
  TooComplex,     // more clip rectangles than kMaxClipRects, or more work than kMostNanoseconds
  NoMemory,
};

// Of one image. A few bytes of a compressed image can stand for any number of pixels.
constexpr std::uint64_t kMaxImagePixels = std::uint64_t{kMaxScreenSide} * kMaxScreenSide;

// Pixels and, where nobody else owns them, their memory. For pixman: rows begin at multiples of 4.
class SourcePixels {
 public:
  // Somebody else's, who keeps them.
  explicit SourcePixels(const Pixels& pixels) : pixels_(pixels) {}
  // Own ones, with any content, and where to write them. Sides within kMaxSide.
  SourcePixels(std::int32_t width, std::int32_t height, core::SurfaceFormat format);

  const Pixels& pixels() const { return pixels_; }
  // Of own ones.
  std::uint8_t* row(std::int32_t y) { return memory_.get() + y * pixels_.stride; }
  void clear();  // all bits 0

 private:
  std::unique_ptr<std::uint8_t[]> memory_;
  Pixels pixels_;
};

// A copy of the part `area`, which the pixels have.
SourcePixels copy_of(const Pixels& pixels, const core::Rect& area);
// The part `area`, which the pixels have, in another format: missing alpha is 0xff, missing colours are 0.
SourcePixels converted(const Pixels& pixels, const core::Rect& area, core::SurfaceFormat format);

// Surfaces of A1 are drawn on as A8, in which 1 is 0xff.
constexpr core::SurfaceFormat raster_format(core::SurfaceFormat format) {
  return format == core::SurfaceFormat::A1 ? core::SurfaceFormat::A8 : format;
}
constexpr std::uint32_t raster_color(std::uint32_t pixel, core::SurfaceFormat format) {
  return format == core::SurfaceFormat::A1 ? 0xff * (pixel & 1) : pixel;
}

// Whether pixels of `from` can be copied to a surface of `to` as they are.
bool same_bits(core::SurfaceFormat from, core::SurfaceFormat to);
// What pixels of `from` must become for a surface of `to`: itself if they are same_bits.
core::SurfaceFormat drawable_format(core::SurfaceFormat from, core::SurfaceFormat to);

// Unpacks a bitmap into the format that is nearest to it; palettes hold pixels of `target`, and so does the result
// (raster_format). Pixels that need no unpacking stay in the bitmap. 16-bit words of QUIC come as Xrgb.
std::expected<SourcePixels, DrawError> unpack(const core::Bitmap& bitmap, core::SurfaceFormat target);
std::expected<SourcePixels, DrawError> unpack(const core::QuicBitmap& bitmap);

// A bitmap's size and rows, if they fit together: sides within kMaxSide, at most kMaxImagePixels, `data` as long as
// needed.
struct BitmapRows {
  const std::uint8_t* first = nullptr;  // the top row
  std::ptrdiff_t stride = 0;
  std::int32_t width = 0;
  std::int32_t height = 0;
};
std::optional<BitmapRows> rows_of(const core::Bitmap& bitmap);

// Width and height of an image as the corner of a rectangle at (0, 0), if it has a possible size.
std::optional<core::Rect> size_of(const core::ImagePtr& image, SurfaceTable& surfaces);

}  // namespace spice::canvas
