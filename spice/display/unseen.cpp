#include "spice/display/unseen.h"

#include <algorithm>
#include <variant>

namespace spice::display {
namespace {

// The pixels of all surfaces that are given others before somebody reads them, from some place in the list on. Too few
// of them cost a drawing that need not have been, too many a wrong picture.
class Doomed {
 public:
  bool hold(const PlacedDrawing& drawing) const {
    const auto* const part = find(drawing.surface);
    return part != nullptr && holds(part->region, drawing.changed);
  }
  // Goes back to before the drawing.
  void before(const PlacedDrawing& drawing) {
    const auto* const move = std::get_if<core::DrawCopyBits>(&drawing.drawing->operation);
    const auto shown = move != nullptr ? shown_of(drawing) : canvas::Region();
    if (drawing.covers) doom(drawing);
    for (const auto& read : drawing.reads) {
      if (move != nullptr)
        spare(read.surface, shown, read.area, drawing.changed.extents());
      else
        spare(read.surface, read.area);
    }
  }

 private:
  // A region of more is no more added to, and forgotten rather than cut into smaller pieces.
  static constexpr std::size_t kMostRects = PlacedDrawing::kMostRects;
  static constexpr std::size_t kMostMoved = 32;

  struct Part {
    SurfaceKey surface = 0;
    canvas::Region region;
  };

  const Part* find(SurfaceKey surface) const {
    const auto found = std::ranges::find(parts_, surface, &Part::surface);
    return found == parts_.end() ? nullptr : &*found;
  }
  Part* find(SurfaceKey surface) {
    const auto found = std::ranges::find(parts_, surface, &Part::surface);
    return found == parts_.end() ? nullptr : &*found;
  }
  // What a move makes that somebody sees: no more is read for it.
  canvas::Region shown_of(const PlacedDrawing& drawing) const {
    auto shown = drawing.changed;
    if (const auto* const part = find(drawing.surface)) shown.subtract(part->region);
    return shown;
  }
  void doom(const PlacedDrawing& drawing) {
    auto* const part = find(drawing.surface);
    if (part == nullptr) {
      parts_.push_back({drawing.surface, drawing.changed});
    } else if (part->region.rect_count() < kMostRects) {
      part->region.add(drawing.changed);
    }
  }
  void spare(SurfaceKey surface, const core::Rect& area) {
    auto* const part = find(surface);
    if (part == nullptr) return;
    part->region.subtract(area);
    if (part->region.rect_count() > 2 * kMostRects) part->region.clear();
  }
  // What comes from `from` to `to`, both of the same size, as far as it is shown there.
  void spare(SurfaceKey surface, const canvas::Region& shown, const core::Rect& from, const core::Rect& to) {
    if (shown.rect_count() > kMostMoved) return spare(surface, from);
    const auto dx = from.left - to.left, dy = from.top - to.top;
    for (const auto& rect : shown.rects())
      spare(surface, {rect.left + dx, rect.top + dy, rect.right + dx, rect.bottom + dy});
  }

  std::vector<Part> parts_;  // few
};

}  // namespace

std::vector<bool> unseen(std::span<const DrawingList::Entry> entries) {
  std::vector<bool> result(entries.size());
  Doomed doomed;
  for (auto i = entries.size(); i-- > 0;) {
    const auto& drawing = *entries[i].drawing;
    result[i] = doomed.hold(drawing);
    if (!result[i]) doomed.before(drawing);
  }
  return result;
}

}  // namespace spice::display
