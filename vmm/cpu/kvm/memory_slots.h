// The RamMap as KVM's memory slots, and KVM's dirty log as page flags of the memory blocks.
//
// A change of the map is collected and applied at its end, so that a slot that stays the same is not touched. Regions
// are cut at 1 MiB: PAM changes below it never take the bulk of RAM away from a running CPU. A slot's dirty log is
// merged into its block before the slot goes; a slot without a log leaves all its pages marked. So no store is lost.
#pragma once

#include <cstdint>
#include <mutex>
#include <vector>

#include "core/memory/ram_map.h"
#include "vmm/cpu/kvm/slot_allocator.h"

namespace vmm::cpu::kvm {

class MemorySlots final : public core::RamMapListener, public core::DirtySource {
 public:
  MemorySlots(int vm_fd, std::uint32_t slot_limit) : vm_fd_(vm_fd), free_(slot_limit) {}

  void region_removed(const core::RamRegion& region) override;
  void region_added(const core::RamRegion& region) override;
  void regions_changed() override;

  void sync(core::MemoryBlock& block) override;
  // The kernel protects pages again when it hands out its log.
  void cleared(core::MemoryBlock&, std::uint64_t, std::uint64_t) override {}

 private:
  struct Slot {
    core::RamRegion region;
    std::uint32_t number = 0;
  };

  void remove_locked(const Slot& slot);
  bool add_locked(const core::RamRegion& region, std::uint32_t number);
  bool set_slot(const core::RamRegion& region, std::uint32_t number, std::uint64_t size) const;
  void switch_logging_locked(Slot& slot, const core::RamRegion& want);
  void harvest_locked(const Slot& slot);
  void settle_dirty_source_locked(core::MemoryBlock& block);

  int vm_fd_;
  std::mutex mutex_;  // a leaf: taken with the map's lock held, and by watchers without
  SlotAllocator free_;
  std::vector<core::RamRegion> wanted_;
  std::vector<Slot> slots_;
  std::vector<std::uint64_t> log_;  // scratch of harvest_locked
};

}  // namespace vmm::cpu::kvm
