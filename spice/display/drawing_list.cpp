#include "spice/display/drawing_list.h"

#include <utility>

#include "spice/display/duplicate.h"

namespace spice::display {
namespace {

// A cover of more pieces than this is not worth its search.
constexpr std::size_t kMostCoverRects = 64;
// Where so many in a row are not hidden, few are that lie further back.
constexpr std::size_t kMostMisses = 128;

}  // namespace

bool meet(const canvas::Region& a, const canvas::Region& b) {
  if (b.rect_count() == 1) return a.meets(b.extents());
  if (a.rect_count() == 1) return b.meets(a.extents());
  if (!meet(a.extents(), b.extents())) return false;
  auto both = a;
  both.intersect(b);
  return !both.empty();
}

bool meet(const canvas::Region& region, const core::Rect& rect) {
  return region.meets(rect);
}

bool holds(const canvas::Region& outer, const canvas::Region& inner) {
  if (inner.empty()) return true;
  if (!holds(outer.extents(), inner.extents())) return false;
  if (outer.rect_count() == 1) return true;
  if (inner.rect_count() == 1) return outer.holds(inner.extents());
  auto rest = inner;
  rest.subtract(outer);
  return rest.empty();
}

void DrawingList::push(PlacedDrawingPtr drawing) {
  if (!entries_.empty()) {
    const auto& last = *entries_.back().drawing;
    if (last.surface == drawing->surface && repeats(*drawing->drawing, *last.drawing)) return;
    if (last.surface == drawing->surface && reverts(*drawing->drawing, *last.drawing)) {
      remove(entries_.size() - 1);
      entries_.pop_back();
      if (gone_ == entries_.size()) forget_gone();
      return;
    }
  }
  if (drawing->covers) {
    auto cover = drawing->changed;
    for (const auto& read : drawing->reads) {
      if (read.surface == drawing->surface) cover.subtract(read.area);
    }
    drop_hidden(drawing->surface, std::move(cover));
  }
  bytes_ += drawing->memory.bytes();
  nanoseconds_ += drawing->nanoseconds;
  entries_.push_back({drawing->changed.extents(), drawing->surface, !drawing->reads.empty(), std::move(drawing)});
}

void DrawingList::drop_unread(SurfaceKey surface, const core::Rect& bounds) {
  drop_hidden(surface, canvas::Region(bounds));
}

void DrawingList::drop_hidden(SurfaceKey surface, canvas::Region cover) {
  auto bounds = cover.extents();
  auto pieces = cover.rect_count();
  bool found = false;
  std::size_t misses = 0;
  for (auto i = entries_.size(); i-- > gone_ && pieces > 0 && pieces <= kMostCoverRects && misses < kMostMisses;
       ++misses) {
    const auto& entry = entries_[i];
    if (entry.surface == surface && holds(bounds, entry.extents) &&
        (pieces == 1 || holds(cover, entry.drawing->changed))) {
      remove(i);
      found = true;
      misses = 0;
      continue;
    }
    if (!entry.reads) continue;
    for (const auto& read : entry.drawing->reads) {
      if (read.surface != surface || !meet(read.area, bounds)) continue;
      cover.subtract(read.area);
      bounds = cover.extents();
      pieces = cover.rect_count();
    }
  }
  if (!found) return;
  std::erase_if(entries_, [](const Entry& entry) { return entry.drawing == nullptr; });
  gone_ = 0;
}

PlacedDrawingPtr DrawingList::pop_front() {
  constexpr std::size_t kMostGone = 64;
  auto first = remove(gone_++);
  if (gone_ == entries_.size() || gone_ == kMostGone) forget_gone();
  return first;
}

void DrawingList::forget_gone() {
  entries_.erase(entries_.begin(), entries_.begin() + static_cast<std::ptrdiff_t>(std::exchange(gone_, 0)));
}

PlacedDrawingPtr DrawingList::remove(std::size_t index) {
  bytes_ -= entries_[index].drawing->memory.bytes();
  nanoseconds_ -= entries_[index].drawing->nanoseconds;
  return std::exchange(entries_[index].drawing, nullptr);
}

}  // namespace spice::display
