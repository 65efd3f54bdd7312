// Posted writes as KVM's coalesced zones: the guest runs on while the kernel keeps them in a ring, which all CPUs of
// the VM share.
//
// settle() after every KVM_RUN, before its exit is looked at: what was posted comes first. Any thread, no device lock
// held.
#pragma once

#include <linux/kvm.h>
#include <memory>
#include <mutex>

#include "core/base/result.h"
#include "core/bus/address_space.h"
#include "vmm/cpu/kvm/doorbells.h"
#include "vmm/cpu/kvm/kvm_abi.h"

namespace vmm::cpu::kvm {

class PostedWrites {
 public:
  // The spaces outlive it.
  PostedWrites(int vm_fd, core::AddressSpace& io, core::AddressSpace& mmio);
  ~PostedWrites();
  PostedWrites(const PostedWrites&) = delete;
  PostedWrites& operator=(const PostedWrites&) = delete;

  // The ring is seen through any CPU's descriptor. Until then, and where the kernel has none, no write is kept.
  void map(int vcpu_fd);
  void settle();

 private:
  class Zones final : public core::PostedListener {
   public:
    Zones(PostedWrites& writes, Space space) : writes_(writes), space_(space) {}
    void posted_added(const core::PostedRange& range) override {
      writes_.change(KVM_REGISTER_COALESCED_MMIO, space_, range);
    }
    void posted_removed(const core::PostedRange& range) override {
      writes_.change(KVM_UNREGISTER_COALESCED_MMIO, space_, range);
    }
    void settle() override { writes_.settle(); }

   private:
    PostedWrites& writes_;
    Space space_;
  };
  struct Unmap {
    void operator()(PostedRing* ring) const;
  };

  void change(unsigned long request, Space space, const core::PostedRange& range) const;

  int vm_fd_;
  core::AddressSpace& io_;
  core::AddressSpace& mmio_;
  Zones port_zones_{*this, Space::Ports};
  Zones mmio_zones_{*this, Space::Mmio};
  std::mutex mutex_;  // outside of device locks: who settles delivers in order
  std::unique_ptr<PostedRing, Unmap> ring_;
};

}  // namespace vmm::cpu::kvm
