// Collects the changed pieces of a frame line by line and reports them as few, tight rectangles.
#pragma once

#include <vector>

#include "core/ports/display.h"

namespace devices::qxl {

class ChangeRects {
 public:
  void clear();
  // Pieces come from top to bottom, and from left to right within a line.
  void add(const core::Rect& piece);
  bool empty() const { return rects_.empty(); }
  void report(core::DisplayCanvas& canvas) const;
  const std::vector<core::Rect>& rects() const { return rects_; }

 private:
  bool extend(core::Rect& rect, const core::Rect& piece) const;

  std::vector<core::Rect> rects_;
};

}  // namespace devices::qxl
