// A pixman image over pixels that somebody else owns and keeps while it lives.
#pragma once

#include <memory>
#include <new>
#include <pixman.h>

#include "spice/canvas/surface.h"

namespace spice::canvas {

constexpr pixman_format_code_t pixman_format(core::SurfaceFormat format) {
  switch (format) {
    case core::SurfaceFormat::A1: return PIXMAN_a1;
    case core::SurfaceFormat::A8: return PIXMAN_a8;
    case core::SurfaceFormat::Rgb555: return PIXMAN_x1r5g5b5;
    case core::SurfaceFormat::Rgb565: return PIXMAN_r5g6b5;
    case core::SurfaceFormat::Argb: return PIXMAN_a8r8g8b8;
    case core::SurfaceFormat::Xrgb: break;
  }
  return PIXMAN_x8r8g8b8;
}

class PixmanImage {
 public:
  // Only to read from.
  explicit PixmanImage(const Pixels& pixels) : PixmanImage(pixels, pixels.format) {}
  // To draw on. Its bits may mean something else than usual: Xrgb with alpha.
  PixmanImage(Surface& surface, core::SurfaceFormat format) : PixmanImage(surface.pixels(), format) {}
  explicit PixmanImage(const pixman_color_t& color) : PixmanImage(pixman_image_create_solid_fill(&color)) {}

  pixman_image_t* get() const { return image_.get(); }

 private:
  struct Unref {
    void operator()(pixman_image_t* image) const { pixman_image_unref(image); }
  };
  explicit PixmanImage(pixman_image_t* image) : image_(image) {
    if (image == nullptr) throw std::bad_alloc();
  }
  // pixman takes what it reads and what it writes alike.
  PixmanImage(const Pixels& pixels, core::SurfaceFormat format)
      : PixmanImage(pixman_image_create_bits_no_clear(
            pixman_format(format), pixels.width, pixels.height,
            const_cast<std::uint32_t*>(reinterpret_cast<const std::uint32_t*>(pixels.rows)),
            static_cast<int>(pixels.stride))) {}

  std::unique_ptr<pixman_image_t, Unref> image_;
};

}  // namespace spice::canvas
