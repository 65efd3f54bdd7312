// A plain copy of a large image as several, one for each of its strips.
#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "core/ports/drawing.h"
#include "spice/image/image_sender.h"
#include "spice/wire/display.h"

namespace spice::display {

class DrawingStrips {
 public:
  // Nothing if the drawing is sent as it is. It outlives the strips.
  static std::optional<DrawingStrips> of(const core::Drawing& drawing, const image::ImageSender& images);

  const core::ImagePtr& image() const { return copy_.source.image; }
  const image::ImageStrips& cuts() const { return cuts_; }
  // Strips of which something shows through the clip.
  const std::vector<std::size_t>& shown() const { return shown_; }
  wire::DisplayDrawCopy message(std::size_t strip, wire::Image image) const;

 private:
  DrawingStrips(const core::Drawing& drawing, const core::DrawCopy& copy, image::ImageStrips cuts);
  core::Rect box(std::size_t strip) const;

  const core::Drawing& drawing_;
  const core::DrawCopy& copy_;
  image::ImageStrips cuts_;
  std::vector<std::size_t> shown_;
};

}  // namespace spice::display
