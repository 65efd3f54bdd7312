#include "spice/display/screen.h"

#include <algorithm>
#include <utility>

namespace spice::display {

Screen::Changes Screen::refresh(core::DisplaySource& source, bool full) {
  changes_ = {};
  // The canvas has the last word on what changed: a source may say true for a change that has no pixels.
  source.refresh(*this, full);
  return std::exchange(changes_, {});
}

core::PixelView Screen::set_mode(std::int32_t width, std::int32_t height) {
  width = std::clamp(width, 1, canvas::kMaxScreenSide);
  height = std::clamp(height, 1, canvas::kMaxScreenSide);
  surface_ = {};  // before the new one, so that there are never two
  surface_ = canvas::Surface(width, height);
  changes_.mode_set = true;
  changes_.region = canvas::Region(surface_.bounds());
  return surface_.view();
}

void Screen::changed(const core::Rect& area) {
  changes_.region.add(canvas::clipped(area, surface_.width(), surface_.height()));
  if (changes_.region.rect_count() > kMaxRects) changes_.region.limit_rects(kMaxRects / 4);
}

}  // namespace spice::display
