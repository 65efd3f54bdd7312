// What can become an image: a rectangle of a surface, a guest's bitmap, a guest's QUIC stream, each as stored pixels
// and whatever keeps them. Any thread.
#pragma once

#include <memory>
#include <optional>

#include "core/ports/drawing.h"
#include "spice/image/stored_pixels.h"

namespace spice::image {

class ImageSource {
 public:
  // `area` lies on the surface, whose pixels stay as they are while the source is used. The unused bytes of 32-bit
  // pixels are sent where somebody can see them: not of an Xrgb primary surface, and not where all of them are 0; where
  // all are 0xff a flag says so, otherwise it is an image with alpha. Rgb565, which no image has, is converted. Nothing
  // for surfaces of A1.
  static std::optional<ImageSource> of_surface(const core::Pixels& surface, const core::Rect& area, bool is_primary);

  // Nothing if the bitmap's parts do not fit together, or it lacks a palette it needs. The image is shared.
  static std::optional<ImageSource> of_bitmap(const core::ImagePtr& image);
  // The same, of an image whose palette nobody looks at.
  static std::optional<ImageSource> of_mask(const core::ImagePtr& image);

  // Decodes; nothing if that fails.
  static std::optional<ImageSource> of_quic(const core::QuicBitmap& quic);

  // Its rows from `top` to before `bottom`, counted from the top of the picture, as an image of their own.
  ImageSource rows(std::uint32_t top, std::uint32_t bottom) const;

  const StoredPixels& pixels() const { return pixels_; }
  bool high_bits_set() const { return high_bits_set_; }
  // Of indexed formats; null in masks.
  const core::Palette* palette() const { return palette_.get(); }
  // The rows as a guest's bitmap has them: stride * height bytes that can be sent without a copy. Null if there are no
  // such.
  const std::shared_ptr<const core::Image>& guest_rows() const { return guest_rows_; }

 private:
  StoredPixels pixels_;
  bool high_bits_set_ = false;
  std::shared_ptr<const core::Palette> palette_;
  std::shared_ptr<const core::Image> guest_rows_;
  std::shared_ptr<const void> owner_;
};

}  // namespace spice::image
