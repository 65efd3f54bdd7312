// How images become those of the wire for one client: the one place that chooses their form. Display worker only.
#pragma once

#include <cstdint>
#include <optional>

#include "core/ports/drawing.h"
#include "spice/display/image_encoder.h"
#include "spice/display/surface_store.h"
#include "spice/wire/image.h"

namespace spice::display {

class ImageWriter {
 public:
  ImageWriter(const SurfaceStore& store, ImageEncoder& encoder) : store_(store), encoder_(encoder) {}
  void set_compresses(bool compresses) { compresses_ = compresses; }

  // An image of a drawing. Nothing if the client cannot have it as it is: then it gets what the drawing draws.
  std::optional<wire::Image> image(const core::ImagePtr& image);
  // `area` of a surface, which is up to date there.
  wire::Image pixels(SurfaceKey surface, const core::Rect& area);

 private:
  wire::Image descriptor(std::uint32_t width, std::uint32_t height);
  std::optional<wire::Image> bitmap(const core::ImagePtr& image, const core::Bitmap& bitmap);
  std::optional<wire::Image> quic(const core::ImagePtr& image, const core::QuicBitmap& bitmap);
  std::optional<wire::Image> surface(core::SurfaceId id);
  wire::Image packed(const core::Pixels& pixels, const core::Rect& area, wire::BitmapFormat format);

  const SurfaceStore& store_;
  ImageEncoder& encoder_;
  bool compresses_ = false;
  std::uint32_t next_number_ = 1;
};

}  // namespace spice::display
