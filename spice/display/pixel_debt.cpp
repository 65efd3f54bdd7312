#include "spice/display/pixel_debt.h"

#include <algorithm>

#include "spice/display/update_plan.h"

namespace spice::display {

void PixelDebt::add(const canvas::Region& region, const core::Rect& bounds) {
  plan_.clear();
  lacking_.add(region);
  lacking_.intersect(bounds);
  lacking_.limit_rects(kMostRects);
}

void PixelDebt::remove(const canvas::Region& region) {
  plan_.clear();
  lacking_.subtract(region);
}

void PixelDebt::restart(const core::Rect& bounds) {
  plan_.clear();
  lacking_ = canvas::Region(bounds);
  resume_y_ = 0;
}

std::optional<core::Rect> PixelDebt::next() {
  if (plan_.empty()) make_plan();
  if (plan_.empty()) return std::nullopt;
  const auto area = plan_.back();
  plan_.pop_back();
  lacking_.subtract(area);
  resume_y_ = area.bottom;
  return area;
}

std::vector<core::Rect> PixelDebt::upcoming(std::size_t most) const {
  const auto count = static_cast<std::ptrdiff_t>(std::min(most, plan_.size()));
  return {plan_.rbegin(), plan_.rbegin() + count};
}

std::optional<core::Rect> PixelDebt::next_within(const core::Rect& area) {
  auto part = lacking_;
  part.intersect(area);
  if (part.empty()) return std::nullopt;
  auto first = part.rects().front();
  const auto rows = std::max<std::int64_t>(1, kMaxUpdatePixels / first.width());
  first.bottom = static_cast<std::int32_t>(std::min<std::int64_t>(first.bottom, first.top + rows));
  remove(canvas::Region(first));
  return first;
}

core::Rect PixelDebt::whole(const core::Rect& bounds) {
  plan_.clear();
  lacking_.clear();
  resume_y_ = bounds.bottom;
  return bounds;
}

void PixelDebt::make_plan() {
  plan_ = plan_updates(lacking_);
  std::ranges::sort(plan_, {}, &core::Rect::top);
  std::ranges::stable_partition(plan_, [this](const core::Rect& rect) { return rect.top >= resume_y_; });
  std::ranges::reverse(plan_);
}

}  // namespace spice::display
