#include "devices/qxl/change_rects.h"

#include <algorithm>
#include <cstdint>

namespace devices::qxl {

namespace {
// Beyond this many the last one grows instead: a frame's report stays small whatever the guest draws.
constexpr std::size_t kMaxRects = 64;
// How many of the newest rectangles are looked at for one that the next piece continues.
constexpr std::size_t kLookBack = 16;
// Unchanged pixels a rectangle may gain by a union; an image of its own costs a client about as much.
constexpr std::int64_t kWorthOneImage = 2048;

std::int64_t area(const core::Rect& rect) {
  return std::int64_t{rect.width()} * rect.height();
}

core::Rect unite(const core::Rect& a, const core::Rect& b) {
  return {std::min(a.left, b.left), std::min(a.top, b.top), std::max(a.right, b.right), std::max(a.bottom, b.bottom)};
}
}  // namespace

void ChangeRects::clear() {
  rects_.clear();
}

bool ChangeRects::extend(core::Rect& rect, const core::Rect& piece) const {
  const bool touches = piece.top <= rect.bottom && piece.left <= rect.right && piece.right >= rect.left;
  if (!touches) return false;
  const auto united = unite(rect, piece);
  const auto wasted = area(united) - area(rect) - area(piece);
  if (wasted > kWorthOneImage && wasted > area(united) / 4) return false;
  rect = united;
  return true;
}

void ChangeRects::add(const core::Rect& piece) {
  if (piece.empty()) return;
  const auto first = rects_.size() > kLookBack ? rects_.size() - kLookBack : 0;
  for (auto i = rects_.size(); i > first; --i)
    if (extend(rects_[i - 1], piece)) return;
  if (rects_.size() < kMaxRects) {
    rects_.push_back(piece);
  } else {
    rects_.back() = unite(rects_.back(), piece);
  }
}

void ChangeRects::report(core::DisplayCanvas& canvas) const {
  for (const auto& rect : rects_)
    canvas.changed(rect);
}

}  // namespace devices::qxl
