#include "spice/display/client_cursor.h"

#include <algorithm>

namespace spice::display {

std::optional<ClientCursor::Step> ClientCursor::next(const CursorState& now) {
  if (setup_ == Setup::None && known_.resets != now.resets) setup_ = Setup::All;
  if (setup_ != Setup::None) return next_setup(now);
  if (known_.trail_length != now.trail_length || known_.trail_frequency != now.trail_frequency) {
    known_.trail_length = now.trail_length;
    known_.trail_frequency = now.trail_frequency;
    return Step{.kind = Kind::Trail};
  }
  if (known_.shape != now.shape) return next_shape(now);
  if (now.shape == nullptr) return std::nullopt;  // nothing that could be anywhere
  if (!now.visible) {
    if (!known_.visible) return std::nullopt;
    known_.visible = false;
    return Step{.kind = Kind::Hide};
  }
  // A client that places the pointer itself need not be told where it is, but that it is there.
  const bool has_moved = known_.position != now.position && !now.client_mouse;
  if (known_.visible && !has_moved) return std::nullopt;
  known_.position = now.position;
  known_.visible = true;
  return Step{.kind = Kind::Move};
}

ClientCursor::Step ClientCursor::next_setup(const CursorState& now) {
  switch (setup_) {
    case Setup::All: setup_ = Setup::Reset; return {.kind = Kind::InvalidateAll};
    case Setup::Reset: setup_ = Setup::Init; return {.kind = Kind::Reset};
    case Setup::Init:
    case Setup::None: break;
  }
  setup_ = Setup::None;
  kept_.clear();
  learn(now);
  if (now.shape == nullptr) return {.kind = Kind::Init};
  if (now.shape->unique == 0) return {.kind = Kind::Init, .form = ShapeForm::Plain};
  kept_.push_back(now.shape->unique);
  return {.kind = Kind::Init, .form = ShapeForm::CacheMe, .unique = now.shape->unique};
}

ClientCursor::Step ClientCursor::next_shape(const CursorState& now) {
  const std::uint64_t unique = now.shape == nullptr ? 0 : now.shape->unique;
  auto form = now.shape == nullptr ? ShapeForm::None : ShapeForm::Plain;
  if (unique != 0) {
    form = ShapeForm::FromCache;
    if (!keeps(unique)) {
      if (kept_.size() == kCachedShapes) {
        const auto oldest = kept_.front();
        kept_.erase(kept_.begin());
        return {.kind = Kind::InvalidateOne, .unique = oldest};
      }
      kept_.push_back(unique);
      form = ShapeForm::CacheMe;
    }
  }
  learn(now);
  return {.kind = Kind::Set, .form = form, .unique = unique};
}

// Also makes it the last one to be forgotten.
bool ClientCursor::keeps(std::uint64_t unique) {
  const auto found = std::ranges::find(kept_, unique);
  if (found == kept_.end()) return false;
  std::rotate(found, found + 1, kept_.end());
  return true;
}

}  // namespace spice::display
