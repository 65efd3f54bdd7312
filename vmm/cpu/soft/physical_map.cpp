#include "vmm/cpu/soft/physical_map.h"

#include <algorithm>

namespace vmm::cpu::soft {

void PhysicalMap::region_removed(const core::RamRegion& region) {
  const std::scoped_lock lock(mutex_);
  std::erase(changing_, region);
}

void PhysicalMap::region_added(const core::RamRegion& region) {
  const std::scoped_lock lock(mutex_);
  changing_.push_back(region);
}

void PhysicalMap::regions_changed() {
  const std::scoped_lock lock(mutex_);
  wanted_ = changing_;
  stale_.store(true, std::memory_order_release);
}

void PhysicalMap::refresh() {
  {
    const std::scoped_lock lock(mutex_);
    present_ = wanted_;
    stale_.store(false, std::memory_order_release);
  }
  std::ranges::sort(present_, {}, &core::RamRegion::start);
}

HostPage PhysicalMap::find(std::uint64_t physical) const {
  const auto after = std::ranges::upper_bound(present_, core::Gpa(physical), {}, &core::RamRegion::start);
  if (after == present_.begin()) return {};
  const core::RamRegion& region = *std::prev(after);
  const std::uint64_t inside = physical - region.start.value();
  if (inside >= region.size) return {};
  const std::uint64_t page = (region.offset + inside) / core::kPageSize;
  return {region.block->host() + page * core::kPageSize, region.block->page_flags() + page, region.writable};
}

}  // namespace vmm::cpu::soft
