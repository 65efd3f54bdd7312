#include "spice/image/lossy_areas.h"

#include <algorithm>

namespace spice::image {

canvas::Region LossyAreas::within(Surface surface, const canvas::Region& region) const {
  const auto lossy = surfaces_.find(surface);
  if (lossy == surfaces_.end()) return {};
  auto result = lossy->second;
  result.intersect(region);
  return result;
}

bool LossyAreas::is_lossy(Surface surface, const core::Rect& area) const {
  return !within(surface, canvas::Region(area)).empty();
}

std::vector<LossyAreas::Area> LossyAreas::needed_by(Surface surface, const Effect& effect) const {
  if (effect.covers) return {};
  std::map<Surface, canvas::Region> needed;
  needed[surface] = within(surface, effect.changed);
  for (const auto& read : effect.reads)
    needed[read.surface].add(within(read.surface, canvas::Region(read.area)));
  std::vector<Area> areas;
  for (const auto& [id, region] : needed) {
    for (const auto& rect : region.rects())
      areas.push_back({id, rect});
  }
  return areas;
}

void LossyAreas::drawn(Surface surface, const Effect& effect, bool image_is_lossy) {
  const bool is_lossy = image_is_lossy || std::ranges::any_of(effect.reads, [this](const Area& read) {
                          return this->is_lossy(read.surface, read.area);
                        });
  if (is_lossy) {
    auto& region = surfaces_[surface];
    region.add(effect.changed);
    region.limit_rects(kMostRects);
    if (region.empty()) surfaces_.erase(surface);
    return;
  }
  const auto lossy = surfaces_.find(surface);
  if (!effect.covers || lossy == surfaces_.end()) return;
  lossy->second.subtract(effect.changed);
  if (lossy->second.empty()) surfaces_.erase(lossy);
}

void LossyAreas::healed(Surface surface, const core::Rect& area) {
  const auto lossy = surfaces_.find(surface);
  if (lossy == surfaces_.end()) return;
  lossy->second.subtract(area);
  if (lossy->second.empty()) surfaces_.erase(lossy);
}

const canvas::Region* LossyAreas::of(Surface surface) const {
  const auto lossy = surfaces_.find(surface);
  return lossy == surfaces_.end() ? nullptr : &lossy->second;
}

}  // namespace spice::image
