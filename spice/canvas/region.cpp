#include "spice/canvas/region.h"

#include <algorithm>
#include <span>
#include <utility>

namespace spice::canvas {
namespace {

core::Rect rect_of(const pixman_box32_t& box) {
  return {box.x1, box.y1, box.x2, box.y2};
}

pixman_box32_t box_of(const core::Rect& rect) {
  return {rect.left, rect.top, rect.right, rect.bottom};
}

std::span<const pixman_box32_t> boxes(pixman_region32_t* region) {
  int count = 0;
  const auto* first = pixman_region32_rectangles(region, &count);
  return {first, static_cast<std::size_t>(count)};
}

std::int64_t area_of(const core::Rect& rect) {
  return std::int64_t{rect.width()} * rect.height();
}

// Of any two numbers, the first not above the second.
unsigned distance(std::int32_t from, std::int32_t to) {
  return static_cast<unsigned>(to) - static_cast<unsigned>(from);
}

std::int32_t floor_to(std::int32_t value, std::int32_t grid) {
  return value & ~(grid - 1);
}

std::int32_t ceil_to(std::int32_t value, std::int32_t grid) {
  return floor_to(value + grid - 1, grid);
}

// Joins `rect` to the first of `rects` that is near enough. False if there is none.
bool join_one(std::vector<core::Rect>& rects, const core::Rect& rect, std::int64_t slack) {
  for (auto& other : rects) {
    const auto both = around(other, rect);
    if (area_of(both) - area_of(other) - area_of(rect) > slack) continue;
    other = both;
    return true;
  }
  return false;
}

}  // namespace

Region::Region(std::span<const pixman_box32_t> boxes) {
  pixman_region32_init_rects(&region_, boxes.data(), static_cast<int>(boxes.size()));
}

void Region::add(const core::Rect& rect) {
  if (rect.empty()) return;
  pixman_region32_union_rect(&region_, &region_, rect.left, rect.top, distance(rect.left, rect.right),
                             distance(rect.top, rect.bottom));
}

void Region::subtract(const core::Rect& rect) {
  if (!rect.empty()) subtract(Region(rect));
}

void Region::intersect(const core::Rect& rect) {
  if (rect.empty()) return clear();
  pixman_region32_intersect_rect(&region_, &region_, rect.left, rect.top, distance(rect.left, rect.right),
                                 distance(rect.top, rect.bottom));
}

Region Region::take() {
  Region taken;
  swap(taken);
  return taken;
}

void Region::swap(Region& other) noexcept {
  // A plain swap of the structures: they hold no pointers into themselves.
  std::swap(region_, other.region_);
}

core::Rect Region::extents() const {
  return rect_of(*pixman_region32_extents(mutable_of(*this)));
}

std::int64_t Region::area() const {
  std::int64_t total = 0;
  for (const auto& box : boxes(mutable_of(*this)))
    total += area_of(rect_of(box));
  return total;
}

bool Region::meets(const core::Rect& rect) const {
  if (rect.empty()) return false;
  auto box = box_of(rect);
  return pixman_region32_contains_rectangle(mutable_of(*this), &box) != PIXMAN_REGION_OUT;
}

bool Region::holds(const core::Rect& rect) const {
  if (rect.empty()) return true;
  auto box = box_of(rect);
  return pixman_region32_contains_rectangle(mutable_of(*this), &box) == PIXMAN_REGION_IN;
}

std::vector<core::Rect> Region::rects() const {
  std::vector<core::Rect> result;
  result.reserve(rect_count());
  for (const auto& box : boxes(mutable_of(*this)))
    result.push_back(rect_of(box));
  return result;
}

void Region::limit_rects(std::size_t most) {
  const auto bounds = extents();
  for (std::int32_t grid = 8; rect_count() > most; grid *= 2) {
    if (grid > bounds.width() + bounds.height()) {
      *this = Region(bounds);
      return;
    }
    RegionSum on_grid;
    for (const auto& rect : rects())
      on_grid.add(core::Rect{floor_to(rect.left, grid), floor_to(rect.top, grid), ceil_to(rect.right, grid),
                             ceil_to(rect.bottom, grid)});
    auto coarse = on_grid.total();
    coarse.intersect(bounds);
    swap(coarse);
  }
}

std::vector<core::Rect> Region::covering_rects(std::int64_t slack) const {
  auto current = rects();
  for (bool joined_some = true; joined_some;) {
    joined_some = false;
    std::vector<core::Rect> next;
    next.reserve(current.size());
    for (const auto& rect : current) {
      if (join_one(next, rect, slack))
        joined_some = true;
      else
        next.push_back(rect);
    }
    current.swap(next);
  }
  return current;
}

void RegionSum::add(const core::Rect& rect) {
  if (!rect.empty()) boxes_.push_back(box_of(rect));
}

void RegionSum::add(const Region& region) {
  const auto* const first = pixman_region32_rectangles(const_cast<pixman_region32_t*>(region.get()), nullptr);
  boxes_.insert(boxes_.end(), first, first + region.rect_count());
}

}  // namespace spice::canvas
