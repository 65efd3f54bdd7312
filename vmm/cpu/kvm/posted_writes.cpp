#include "vmm/cpu/kvm/posted_writes.h"

#include <algorithm>
#include <atomic>
#include <cstring>
#include <sys/mman.h>

#include "core/base/log.h"
#include "vmm/cpu/kvm/ioctl.h"

namespace vmm::cpu::kvm {

void PostedWrites::Unmap::operator()(PostedRing* ring) const {
  ::munmap(ring, PostedRing::kPageBytes);
}

PostedWrites::PostedWrites(int vm_fd, core::AddressSpace& io, core::AddressSpace& mmio)
    : vm_fd_(vm_fd), io_(io), mmio_(mmio) {}

PostedWrites::~PostedWrites() {
  io_.set_posted_listener(nullptr);
  mmio_.set_posted_listener(nullptr);
}

void PostedWrites::map(int vcpu_fd) {
  const int page = kvm_ioctl(vm_fd_, KVM_CHECK_EXTENSION, KVM_CAP_COALESCED_MMIO);
  if (page <= 0) return;
  void* const area = ::mmap(nullptr, PostedRing::kPageBytes, PROT_READ | PROT_WRITE, MAP_SHARED, vcpu_fd,
                            off_t{PostedRing::kPageBytes} * page);
  if (area == MAP_FAILED) return;
  ring_.reset(static_cast<PostedRing*>(area));
  mmio_.set_posted_listener(&mmio_zones_);
  if (kvm_ioctl(vm_fd_, KVM_CHECK_EXTENSION, KVM_CAP_COALESCED_PIO) > 0) io_.set_posted_listener(&port_zones_);
}

void PostedWrites::change(unsigned long request, Space space, const core::PostedRange& range) const {
  kvm_coalesced_mmio_zone zone{};
  zone.addr = range.start;
  zone.size = static_cast<std::uint32_t>(range.size);
  zone.pio = space == Space::Ports ? 1 : 0;
  if (kvm_ioctl(vm_fd_, request, &zone) < 0)
    MV_LOG_LIMITED(Debug, "kvm", "writes to {:#x} are not posted: {}", range.start, core::errno_text());
}

// The kernel fills an entry before it moves `last`, and takes a full ring for a reason to leave the guest.
void PostedWrites::settle() {
  if (ring_ == nullptr) return;
  const std::atomic_ref first(ring_->first);
  const std::atomic_ref last(ring_->last);
  if (first.load(std::memory_order_relaxed) == last.load(std::memory_order_acquire)) return;
  const std::scoped_lock lock(mutex_);
  constexpr auto kEntries = PostedRing::kEntries;
  for (auto at = first.load(std::memory_order_relaxed) % kEntries;
       at != last.load(std::memory_order_acquire) % kEntries; at = (at + 1) % kEntries) {
    const auto& entry = ring_->entries[at];
    const auto width = std::min<std::uint32_t>(entry.len, sizeof entry.data);
    std::uint64_t value = 0;
    std::memcpy(&value, entry.data, width);
    (entry.pio != 0 ? io_ : mmio_).write(entry.phys_addr, width, value);
    first.store((at + 1) % kEntries, std::memory_order_release);
  }
}

}  // namespace vmm::cpu::kvm
