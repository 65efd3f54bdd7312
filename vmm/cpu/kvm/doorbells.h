// The doorbells of one address space as KVM's ioeventfds: the guest's write wakes a thread without an exit to us. One
// that the kernel refuses (two alike, too many) still works: the address space rings it when the write arrives there.
#pragma once

#include "core/bus/address_space.h"

namespace vmm::cpu::kvm {

enum class Space : bool { Mmio, Ports };

class Doorbells final : public core::DoorbellListener {
 public:
  Doorbells(int vm_fd, Space space) : vm_fd_(vm_fd), space_(space) {}
  void doorbell_added(const core::Doorbell& doorbell) override;
  void doorbell_removed(const core::Doorbell& doorbell) override;

 private:
  bool assign(const core::Doorbell& doorbell, std::uint32_t flags) const;
  int vm_fd_;
  Space space_;
};

}  // namespace vmm::cpu::kvm
