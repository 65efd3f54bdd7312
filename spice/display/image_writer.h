// The images of one message to one client: surfaces by their number or their pixels, the rest by spice/image. Display
// worker only.
#pragma once

#include <cstdint>

#include "core/ports/drawing.h"
#include "spice/display/drawing_images.h"
#include "spice/display/surface_store.h"
#include "spice/image/image_sender.h"
#include "spice/wire/image.h"

namespace spice::display {

class ImageWriter {
 public:
  using Exactness = image::ImageMessage::Exactness;

  ImageWriter(const SurfaceStore& store, image::ImageMessage& message) : store_(store), message_(message) {}

  // Whether the client can have it as it is; otherwise it gets what the drawing draws.
  bool can_write(const core::ImagePtr& image, ImageRole role) const;
  // These can be written.
  wire::Image image(const core::ImagePtr& image, Exactness exactness = Exactness::Exact);
  wire::Image mask(const core::ImagePtr& image);
  // `area` of a surface, which is up to date there.
  wire::Image pixels(SurfaceKey surface, const core::Rect& area, bool is_whole);
  // One of them is not exact.
  bool is_lossy() const { return is_lossy_; }

 private:
  wire::Image surface(core::SurfaceId id) const;
  wire::Image taken(std::optional<image::ImageMessage::Made> made);

  const SurfaceStore& store_;
  image::ImageMessage& message_;
  bool is_lossy_ = false;
};

}  // namespace spice::display
