#include "vmm/cpu/kvm/doorbells.h"

#include <linux/kvm.h>

#include "core/base/log.h"
#include "vmm/cpu/kvm/ioctl.h"

namespace vmm::cpu::kvm {

bool Doorbells::assign(const core::Doorbell& doorbell, std::uint32_t flags) const {
  // The kernel compares a value only at a width it knows.
  if (doorbell.match && doorbell.width == 0) return false;
  kvm_ioeventfd request{};
  request.addr = doorbell.address;
  request.len = doorbell.width;
  request.fd = doorbell.eventfd;
  request.datamatch = doorbell.match.value_or(0);
  request.flags = flags | (space_ == Space::Ports ? std::uint32_t{KVM_IOEVENTFD_FLAG_PIO} : 0u) |
                  (doorbell.match ? std::uint32_t{KVM_IOEVENTFD_FLAG_DATAMATCH} : 0u);
  return kvm_ioctl(vm_fd_, KVM_IOEVENTFD, &request) >= 0;
}

void Doorbells::doorbell_added(const core::Doorbell& doorbell) {
  if (!assign(doorbell, 0)) {
    MV_LOG_LIMITED(Debug, "kvm", "the doorbell at {:#x} rings outside the kernel", doorbell.address);
  }
}

void Doorbells::doorbell_removed(const core::Doorbell& doorbell) {
  assign(doorbell, KVM_IOEVENTFD_FLAG_DEASSIGN);
}

}  // namespace vmm::cpu::kvm
