// A QXLDrawable as libspice-server's recordings have it, and the images in it.
#pragma once

#include <memory>
#include <optional>

#include "core/ports/drawing.h"
#include "vmm/replay/text_fields.h"

namespace vmm::replay {

class DrawableText {
 public:
  explicit DrawableText(TextFields& in) : in_(in) {}
  // Behind the line "drawable". Null if the input has failed.
  core::DrawingPtr read();

 private:
  core::Point point();
  core::Rect rect(std::string_view label);
  core::Clip clip();
  core::ImagePtr image();         // null: none
  core::ImagePtr image_or_own();  // none: what the surface shows there, if the drawing says so
  core::Bitmap bitmap();
  core::QuicBitmap quic();
  core::Brush brush();
  core::Mask mask();
  core::Source source();  // image and area
  core::Rop rop() { return static_cast<core::Rop>(in_.number("rop_descriptor")); }
  core::ScaleMode scale() { return static_cast<core::ScaleMode>(in_.number("scale_mode")); }
  std::optional<core::Transform> transform(std::string_view label);

  void operation(core::Drawing& drawing);
  void fill(core::DrawFill& fill);
  void opaque(core::DrawOpaque& opaque);
  template <class D>
  void copy(D& copy);
  void rop3(core::DrawRop3& rop3);
  void stroke(core::DrawStroke& stroke);
  void text(core::DrawText& text);
  void transparent(core::DrawTransparent& transparent);
  void alpha_blend(core::DrawAlphaBlend& blend);
  void composite(core::DrawComposite& composite);

  TextFields& in_;
  bool is_compat_ = false;           // the layout of the first revision
  std::optional<core::Rect> own_{};  // of self_bitmap
};

}  // namespace vmm::replay
