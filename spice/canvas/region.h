// A set of pixels, kept as rectangles. Thin over pixman's banded regions; rectangles are half-open.
#pragma once

#include <cstdint>
#include <pixman.h>
#include <span>
#include <vector>

#include "core/ports/display.h"

namespace spice::canvas {

class Region {
 public:
  Region() { pixman_region32_init(&region_); }
  explicit Region(const core::Rect& rect) : Region() { add(rect); }
  // The union of boxes that are not empty; they may overlap.
  explicit Region(std::span<const pixman_box32_t> boxes);
  Region(const Region& other) : Region() { pixman_region32_copy(&region_, mutable_of(other)); }
  Region(Region&& other) noexcept : Region() { swap(other); }
  Region& operator=(Region other) noexcept {
    swap(other);
    return *this;
  }
  ~Region() { pixman_region32_fini(&region_); }

  void add(const core::Rect& rect);  // an empty rectangle adds nothing
  void add(const Region& other) { pixman_region32_union(&region_, &region_, mutable_of(other)); }
  void subtract(const core::Rect& rect);
  void subtract(const Region& other) { pixman_region32_subtract(&region_, &region_, mutable_of(other)); }
  void intersect(const core::Rect& rect);
  void intersect(const Region& other) { pixman_region32_intersect(&region_, &region_, mutable_of(other)); }
  void clear() { pixman_region32_clear(&region_); }
  // What it held; it is empty then.
  Region take();
  void swap(Region& other) noexcept;

  bool empty() const { return pixman_region32_not_empty(mutable_of(*this)) == 0; }
  core::Rect extents() const;
  // For pixman's functions, which only read it.
  const pixman_region32_t* get() const { return &region_; }
  std::size_t rect_count() const { return static_cast<std::size_t>(pixman_region32_n_rects(mutable_of(*this))); }
  std::int64_t area() const;
  bool meets(const core::Rect& rect) const;  // whether they have a pixel in common
  bool holds(const core::Rect& rect) const;  // whether all of it lies in the region
  bool operator==(const Region& other) const {
    return pixman_region32_equal(mutable_of(*this), mutable_of(other)) != 0;
  }

  // Not overlapping, from top to bottom and left to right.
  std::vector<core::Rect> rects() const;
  // Grows it, on grids of 8, 16, 32... pixels, until it is at most `most` (>= 1) rectangles: bounds what somebody
  // else's behaviour can make it cost.
  void limit_rects(std::size_t most);
  // Rectangles that hold the region and perhaps more: two are joined where that adds no more than `slack` pixels. They
  // may overlap. Quadratic in rect_count(): limit that first.
  std::vector<core::Rect> covering_rects(std::int64_t slack) const;

 private:
  // pixman's functions take non-const pointers to what they only read.
  static pixman_region32_t* mutable_of(const Region& region) { return const_cast<pixman_region32_t*>(&region.region_); }

  pixman_region32_t region_{};
};

// Unites many rectangles at once, which is far cheaper than one after the other.
class RegionSum {
 public:
  void add(const core::Rect& rect);  // an empty rectangle adds nothing
  void add(const Region& region);
  Region total() const { return Region(boxes_); }

 private:
  std::vector<pixman_box32_t> boxes_;
};

}  // namespace spice::canvas
