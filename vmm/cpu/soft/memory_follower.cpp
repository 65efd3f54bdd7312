#include "vmm/cpu/soft/memory_follower.h"

#include <algorithm>

namespace vmm::cpu::soft {

MemoryFollower::MemoryFollower(core::RamMap& ram_map, PhysicalMap& physical, Mail& mail)
    : ram_map_(ram_map), physical_(physical), mail_(mail) {
  ram_map_.set_listener(this);
}

MemoryFollower::~MemoryFollower() {
  ram_map_.set_listener(nullptr);  // tells of every region's removal
}

void MemoryFollower::region_removed(const core::RamRegion& region) {
  physical_.region_removed(region);
  const std::scoped_lock lock(mutex_);
  std::erase(regions_, region);
}

void MemoryFollower::region_added(const core::RamRegion& region) {
  physical_.region_added(region);
  const std::scoped_lock lock(mutex_);
  regions_.push_back(region);
}

void MemoryFollower::regions_changed() {
  physical_.regions_changed();
  {
    const std::scoped_lock lock(mutex_);
    std::erase_if(sources_, [this](core::MemoryBlock* block) {
      if (std::ranges::find(regions_, block, &core::RamRegion::block) != regions_.end()) return false;
      block->set_dirty_source(nullptr);
      return true;
    });
    for (const core::RamRegion& region : regions_) {
      if (std::ranges::find(sources_, region.block) != sources_.end()) continue;
      region.block->set_dirty_source(this);
      sources_.push_back(region.block);
    }
  }
  mail_.ring();
}

}  // namespace vmm::cpu::soft
