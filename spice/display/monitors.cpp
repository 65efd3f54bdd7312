#include "spice/display/monitors.h"

#include <vector>

#include "spice/canvas/surface.h"

namespace spice::display {

std::optional<core::MonitorLayout> accepted_monitors(const core::MonitorLayout& layout) {
  if (layout.heads.empty() || layout.heads.size() > layout.max_allowed) return std::nullopt;
  auto monitors = layout;
  std::erase_if(monitors.heads, [](const core::MonitorHead& head) { return head.area.empty(); });
  return monitors;
}

core::Rect shown_area(const core::MonitorLayout& monitors, const core::Rect& surface) {
  if (monitors.heads.size() != 1) return surface;
  const auto shown = canvas::clipped(monitors.heads.front().area, surface.right, surface.bottom);
  return shown.empty() ? surface : shown;
}

}  // namespace spice::display
