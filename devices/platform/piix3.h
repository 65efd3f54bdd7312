// The ISA bridge of the PIIX3 (82371SB, order number 290550-002) as PCI function 00:01.0: routes PIRQA-D to ISA IRQs.
//
// The PIC, the PIT and the other ISA devices of the chip are classes of their own; ELCR belongs to the PIC, the reset
// control port to PciConfigPorts. Missing on purpose: ISA bus timings, DMA, SMI generation, motherboard IRQs.
#pragma once

#include <array>
#include <mutex>

#include "core/pci/pci_function.h"

namespace devices::platform {

class Piix3 final : public core::PciFunction, public core::IrqSink {
 public:
  struct Wiring {
    core::IrqSink& isa;  // inputs 0..15; this bridge is one driver of each
  };

  explicit Piix3(const Wiring& wiring);

  // PIRQA..PIRQD as 0..3. Any thread, under the lock of the PCI device that drives it.
  void set_input(unsigned input, bool level) override;

  void reset() override;
  std::string_view state_name() const override { return "piix3"; }
  unsigned state_version() const override { return 1; }
  void visit_state(core::StateVisitor& visitor) override { visit_config(visitor); }
  core::Result<> state_loaded() override;

 private:
  static constexpr unsigned kPirqs = 4;
  static constexpr unsigned kIrqs = 16;

  void config_written(std::uint32_t offset, unsigned width) override;
  void follow_routes();
  void update_irqs();

  // After any device lock, before the interrupt controllers'; guards what follows. Nothing of it is saved: routes are
  // in config space, levels are those of the devices that drive them.
  std::mutex routing_mutex_;
  std::array<std::uint8_t, kPirqs> routes_{};
  std::array<bool, kPirqs> levels_{};
  std::array<core::IrqLine, kIrqs> irqs_;
};

}  // namespace devices::platform
