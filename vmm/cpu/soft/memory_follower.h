// Passes the RamMap's changes on to the CPUs' physical map, and sees to it that every block in it knows whom to tell
// when a watcher has looked.
#pragma once

#include <mutex>
#include <vector>

#include "core/memory/ram_map.h"
#include "vmm/cpu/soft/mail.h"
#include "vmm/cpu/soft/physical_map.h"

namespace vmm::cpu::soft {

class MemoryFollower final : public core::RamMapListener, public core::DirtySource {
 public:
  MemoryFollower(core::RamMap& ram_map, PhysicalMap& physical, Mail& mail);
  ~MemoryFollower() override;
  MemoryFollower(const MemoryFollower&) = delete;
  MemoryFollower& operator=(const MemoryFollower&) = delete;

  void region_removed(const core::RamRegion& region) override;
  void region_added(const core::RamRegion& region) override;
  void regions_changed() override;

  // The flags are always true to what was stored, but for stores by entries of a TLB that a watcher's look has made
  // obsolete. Nobody waits for these to be dropped: when they are, their pages count as written.
  void sync(core::MemoryBlock&) override {}
  void cleared(core::MemoryBlock&, std::uint64_t, std::uint64_t) override { mail_.want_writes_dropped(); }

 private:
  core::RamMap& ram_map_;
  PhysicalMap& physical_;
  Mail& mail_;
  std::mutex mutex_;
  std::vector<core::RamRegion> regions_;     // guarded by mutex_
  std::vector<core::MemoryBlock*> sources_;  // guarded by mutex_: blocks that know us
};

}  // namespace vmm::cpu::soft
