// The ISA interrupt wires: IRQ n reaches input n of the 8259 pair and pin n of the I/O APIC, as the PIIX boards have
// it. IRQ0 goes to pin 2 of the I/O APIC (the MADT says so to the guest) and IRQ2 is the cascade, which nobody drives.
// Inputs 16..23 exist on the I/O APIC only. A wire with several drivers is high while any of them is.
#pragma once

#include <array>
#include <mutex>

#include "core/bus/irq.h"

namespace devices::platform {

class IsaIrqs final : public core::IrqSink {
 public:
  struct Wiring {
    core::IrqSink& pic;     // inputs 0..15
    core::IrqSink& ioapic;  // inputs 0..23
  };

  explicit IsaIrqs(const Wiring& wiring) : wiring_(wiring) {}

  // Each driver reports its own changes only, as core::IrqLine does. Any thread.
  void set_input(unsigned input, bool level) override;

 private:
  Wiring wiring_;
  std::mutex mutex_;  // before the interrupt controllers' locks
  // Drivers that now hold the wire high. Derived from the devices' lines, which a load of state sets again.
  std::array<unsigned, core::kIoApicPins> drivers_{};
};

}  // namespace devices::platform
