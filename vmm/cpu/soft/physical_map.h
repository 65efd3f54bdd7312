// Guest physical memory as the software CPUs see it: what the RamMap says, looked up by page, and MMIO for the rest.
//
// The map changes on any thread; a change becomes real when the CPUs' thread calls refresh(), which it does between two
// instructions after `stale()`. RAM that goes away stays mapped in the host: blocks live as long as the machine.
#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>
#include <vector>

#include "core/bus/address_space.h"
#include "core/memory/ram_map.h"

namespace vmm::cpu::soft {

// One page of RAM or ROM.
struct HostPage {
  std::uint8_t* bytes = nullptr;               // nullptr: MMIO
  std::atomic<std::uint8_t>* flags = nullptr;  // its watchers (core/memory/memory_block.h)
  bool writable = false;
};

class PhysicalMap final : public core::RamMapListener {
 public:
  explicit PhysicalMap(core::AddressSpace& mmio) : mmio_(mmio) {}

  void region_removed(const core::RamRegion& region) override;
  void region_added(const core::RamRegion& region) override;
  void regions_changed() override;

  bool stale() const { return stale_.load(std::memory_order_acquire); }
  // CPUs' thread: takes over the changes; all translations and blocks by physical address must be dropped afterwards.
  void refresh();

  // CPUs' thread. `physical` after the A20 gate.
  HostPage find(std::uint64_t physical) const;
  std::uint64_t mask_a20(std::uint64_t physical) const { return physical & a20_mask_; }
  void set_a20(bool open) { a20_mask_ = open ? ~std::uint64_t{0} : ~(std::uint64_t{1} << 20); }
  core::AddressSpace& mmio() { return mmio_; }

 private:
  core::AddressSpace& mmio_;
  std::uint64_t a20_mask_ = ~std::uint64_t{0};
  std::vector<core::RamRegion> present_;  // CPUs' thread; sorted
  std::mutex mutex_;
  std::vector<core::RamRegion> changing_;  // guarded by mutex_: in the middle of a change
  std::vector<core::RamRegion> wanted_;    // guarded by mutex_: after the last whole change
  std::atomic<bool> stale_{false};
};

}  // namespace vmm::cpu::soft
