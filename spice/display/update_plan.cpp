#include "spice/display/update_plan.h"

#include <algorithm>

namespace spice::display {

std::vector<core::Rect> plan_updates(canvas::Region region) {
  region.limit_rects(kMaxUpdateRects);
  std::vector<core::Rect> updates;
  for (const auto& rect : region.covering_rects(kJoinSlackPixels)) {
    const auto rows = static_cast<std::int32_t>(std::max<std::int64_t>(1, kMaxUpdatePixels / rect.width()));
    for (auto top = rect.top; top < rect.bottom; top += rows)
      updates.push_back({rect.left, top, rect.right, std::min(top + rows, rect.bottom)});
  }
  return updates;
}

}  // namespace spice::display
