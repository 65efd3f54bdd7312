// Drawings in the order in which they were made, of all surfaces together. One that covers others nobody reads in
// between takes them out.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "spice/display/placed_drawing.h"

namespace spice::display {

class DrawingList {
 public:
  struct Entry {
    core::Rect extents;  // of what it changes; most searches need no more
    SurfaceKey surface = 0;
    bool reads = false;
    PlacedDrawingPtr drawing;
  };

  std::span<const Entry> entries() const { return std::span(entries_).subspan(gone_); }
  bool empty() const { return entries_.empty(); }
  std::size_t size() const { return entries_.size() - gone_; }
  std::size_t bytes() const { return bytes_; }               // of memory
  std::int64_t nanoseconds() const { return nanoseconds_; }  // to draw them all
  const PlacedDrawingPtr& front() const { return entries_[gone_].drawing; }

  // Drops what the drawing hides, then adds it; or drops the last one if the two undo each other.
  void push(PlacedDrawingPtr drawing);
  // The surface's pixels are not needed any more: drops what nobody behind it reads.
  void drop_unread(SurfaceKey surface, const core::Rect& bounds);
  PlacedDrawingPtr pop_front();
  // Takes out, in order, what `wanted` says of each entry and its place.
  template <class Wanted>
  std::vector<PlacedDrawingPtr> take_if(const Wanted& wanted) {
    forget_gone();
    std::vector<PlacedDrawingPtr> taken;
    std::size_t kept = 0;
    for (std::size_t i = 0; i < entries_.size(); ++i) {
      if (wanted(entries_[i], i))
        taken.push_back(remove(i));
      else if (kept++ != i)
        entries_[kept - 1] = std::move(entries_[i]);
    }
    entries_.resize(kept);
    return taken;
  }

 private:
  PlacedDrawingPtr remove(std::size_t index);
  void drop_hidden(SurfaceKey surface, canvas::Region cover);
  void forget_gone();

  std::vector<Entry> entries_;
  std::size_t gone_ = 0;  // the first ones, which pop_front() gave; never all
  std::size_t bytes_ = 0;
  std::int64_t nanoseconds_ = 0;
};

// As of rectangles (core/ports/geometry.h).
bool meet(const canvas::Region& a, const canvas::Region& b);
bool meet(const canvas::Region& region, const core::Rect& rect);
bool holds(const canvas::Region& outer, const canvas::Region& inner);

}  // namespace spice::display
