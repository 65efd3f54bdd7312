#include "vmm/cpu/kvm/memory_slots.h"

#include <algorithm>
#include <bit>
#include <linux/kvm.h>

#include "core/base/log.h"
#include "vmm/cpu/kvm/ioctl.h"

namespace vmm::cpu::kvm {

namespace {

constexpr std::uint64_t kCut = std::uint64_t{1} << 20;

// Calls visit for the part of `region` below 1 MiB and the part above.
template <class Visit>
void for_each_piece(const core::RamRegion& region, Visit visit) {
  const auto start = region.start.value();
  if (start >= kCut || region.size <= kCut - start) return visit(region);
  auto low = region;
  low.size = kCut - start;
  auto high = region;
  high.start = core::Gpa(kCut);
  high.size = region.size - low.size;
  high.offset = region.offset + low.size;
  visit(low);
  visit(high);
}

bool differs_in_logging_only(const core::RamRegion& a, core::RamRegion b) {
  b.log_dirty = a.log_dirty;
  return a == b;
}

}  // namespace

void MemorySlots::region_removed(const core::RamRegion& region) {
  const std::scoped_lock lock(mutex_);
  for_each_piece(region, [this](const core::RamRegion& piece) { std::erase(wanted_, piece); });
}

void MemorySlots::region_added(const core::RamRegion& region) {
  const std::scoped_lock lock(mutex_);
  for_each_piece(region, [this](const core::RamRegion& piece) { wanted_.push_back(piece); });
}

void MemorySlots::regions_changed() {
  const std::scoped_lock lock(mutex_);
  const auto gone = std::ranges::partition(slots_, [this](const Slot& slot) {
    return std::ranges::any_of(wanted_, [&](const auto& want) { return differs_in_logging_only(slot.region, want); });
  });
  const std::vector<Slot> removed(gone.begin(), gone.end());
  slots_.erase(gone.begin(), gone.end());
  for (const auto& slot : removed)
    remove_locked(slot);

  for (const auto& want : wanted_) {
    const auto found =
        std::ranges::find_if(slots_, [&](const Slot& slot) { return differs_in_logging_only(slot.region, want); });
    if (found == slots_.end()) {
      const auto number = free_.take();
      if (number && add_locked(want, *number)) {
        slots_.push_back({want, *number});
      } else if (number) {
        free_.give_back(*number);
      }
    } else if (found->region.log_dirty != want.log_dirty) {
      switch_logging_locked(*found, want);
    }
  }
  for (const auto& slot : slots_)
    settle_dirty_source_locked(*slot.region.block);
  for (const auto& slot : removed)
    settle_dirty_source_locked(*slot.region.block);
}

void MemorySlots::remove_locked(const Slot& slot) {
  if (slot.region.log_dirty) {
    harvest_locked(slot);
  } else if (slot.region.writable) {
    slot.region.block->mark_dirty(slot.region.offset, slot.region.size);  // nobody knows what was written
  }
  set_slot(slot.region, slot.number, 0);
  free_.give_back(slot.number);
}

// A slot the kernel refuses stays MMIO, where nothing answers: a guest can only bring this about by where it puts BARs.
bool MemorySlots::add_locked(const core::RamRegion& region, std::uint32_t number) {
  if (!set_slot(region, number, region.size)) {
    MV_LOG_LIMITED(Warn, "kvm", "no memory slot for {} at {:#x}+{:#x}: {}", region.block->name(), region.start.value(),
                   region.size, core::errno_text());
    return false;
  }
  return true;
}

bool MemorySlots::set_slot(const core::RamRegion& region, std::uint32_t number, std::uint64_t size) const {
  kvm_userspace_memory_region slot{};
  slot.slot = number;
  slot.flags = (region.writable ? 0u : std::uint32_t{KVM_MEM_READONLY}) |
               (region.log_dirty ? std::uint32_t{KVM_MEM_LOG_DIRTY_PAGES} : 0u);
  slot.guest_phys_addr = region.start.value();
  slot.memory_size = size;
  slot.userspace_addr = reinterpret_cast<std::uintptr_t>(region.block->host()) + region.offset;
  return kvm_ioctl(vm_fd_, KVM_SET_USER_MEMORY_REGION, &slot) >= 0;
}

void MemorySlots::switch_logging_locked(Slot& slot, const core::RamRegion& want) {
  if (slot.region.log_dirty) harvest_locked(slot);
  if (!add_locked(want, slot.number)) return;
  slot.region = want;
  if (want.log_dirty) want.block->mark_dirty(want.offset, want.size);  // what was written before the log began
}

void MemorySlots::harvest_locked(const Slot& slot) {
  const auto pages = slot.region.size / core::kPageSize;
  log_.assign((pages + 63) / 64, 0);
  kvm_dirty_log log{};
  log.slot = slot.number;
  log.dirty_bitmap = log_.data();
  auto& block = *slot.region.block;
  if (kvm_ioctl(vm_fd_, KVM_GET_DIRTY_LOG, &log) < 0) {
    block.mark_dirty(slot.region.offset, slot.region.size);
    return;
  }
  for (std::size_t word = 0; word < log_.size(); ++word) {
    for (auto rest = log_[word]; rest != 0; rest &= rest - 1) {
      const auto page = word * 64 + static_cast<unsigned>(std::countr_zero(rest));
      block.mark_dirty(slot.region.offset + page * core::kPageSize, core::kPageSize);
    }
  }
}

void MemorySlots::settle_dirty_source_locked(core::MemoryBlock& block) {
  const bool logged = std::ranges::any_of(
      slots_, [&](const Slot& slot) { return slot.region.block == &block && slot.region.log_dirty; });
  block.set_dirty_source(logged ? this : nullptr);
}

void MemorySlots::sync(core::MemoryBlock& block) {
  const std::scoped_lock lock(mutex_);
  for (const auto& slot : slots_) {
    if (slot.region.block == &block && slot.region.log_dirty) harvest_locked(slot);
  }
}

}  // namespace vmm::cpu::kvm
