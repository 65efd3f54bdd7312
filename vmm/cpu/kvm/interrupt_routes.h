// KVM's GSI routing table and the eventfds that fire its entries.
//
// Entries 0-23 mirror the I/O APIC's redirection table, masked pins included. Nothing is injected through them: our
// I/O APIC sends its messages itself. They tell the local APICs which vectors are level-triggered; without them no
// KVM_EXIT_IOAPIC_EOI would come and a level line would fire once. From 24 on there is one entry a route of a device.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <vector>

#include "core/base/result.h"
#include "core/bus/irq.h"

namespace vmm::cpu::kvm {

class InterruptRoutes {
 public:
  InterruptRoutes(int vm_fd, unsigned limit) : vm_fd_(vm_fd), limit_(limit) {}

  void set_ioapic(const std::array<core::IoApicRoute, core::kIoApicPins>& routes);
  core::Result<std::unique_ptr<core::MsiRoute>> open(const core::MsiMessage& message);

 private:
  friend class IrqFd;
  void detach(unsigned gsi, int eventfd);
  core::Result<> apply_locked();

  int vm_fd_;
  unsigned limit_;
  std::mutex mutex_;
  std::map<unsigned, core::MsiMessage> routes_;  // by GSI
};

}  // namespace vmm::cpu::kvm
