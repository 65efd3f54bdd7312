// [PCI 3.0 6.8.1] MSI with one message and 64-bit addresses; all of its state is in config space.
#pragma once

#include <array>
#include <cstdint>

#include "core/bus/irq.h"
#include "core/bus/registers.h"
#include "core/pci/capability_list.h"

namespace core::inline pci {

// Guarded by its function's lock.
class Msi {
 public:
  // Adds the capability to a function's list; what comes back is its offset.
  static std::uint32_t announce(CapabilityList& list);

  Msi(const RegisterFile& config, std::uint32_t capability, MsiSink& sink)
      : config_(config), capability_(capability), sink_(sink) {}

  bool enabled() const;
  void notify();  // sends the message, if the guest has MSI on

 private:
  const RegisterFile& config_;
  std::uint32_t capability_;
  MsiSink& sink_;
};

}  // namespace core::inline pci
