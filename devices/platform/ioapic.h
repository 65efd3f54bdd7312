// The 82093AA I/O APIC, with the EOI register of version 20h. [82093AA] It sends each interrupt as a message to the
// local APICs and hears of their EOIs from the accelerator. The polarity bit is stored only: lines here are levels,
// true is asserted. SMI, NMI, INIT and ExtINT are edges whatever the trigger bit says, since no EOI ever follows them.
#pragma once

#include <array>

#include "core/bus/address_space.h"
#include "core/bus/device.h"
#include "core/bus/irq.h"

namespace devices::platform {

class IoApic final : public core::Device, public core::IrqSink, private core::IoHandler {
 public:
  // Both are called with the I/O APIC's lock held.
  struct Wiring {
    core::MsiSink& msi;
    core::IoApicRouteSink& routes;  // told of every change of the redirection table
  };

  explicit IoApic(const Wiring& wiring) : wiring_(wiring) {}

  core::Result<> attach(core::AddressSpace& mmio);

  // Pins 0..23. Any thread; takes the lock.
  void set_input(unsigned input, bool level) override;
  // A local APIC ended the level-triggered interrupt `vector`. Any thread; takes the lock.
  void eoi(std::uint8_t vector);

  void reset() override;
  std::string_view state_name() const override { return "ioapic"; }
  unsigned state_version() const override { return 1; }
  void visit_state(core::StateVisitor& visitor) override { state_.visit(visitor); }
  core::Result<> state_loaded() override;

 private:
  struct State {
    std::uint8_t id = 0;
    std::uint8_t select = 0;
    std::uint32_t lines = 0;  // levels at the pins
    std::array<std::uint64_t, core::kIoApicPins> redirection;
    State();
    void visit(core::StateVisitor& v);
  };

  std::uint64_t read(std::uint64_t offset, unsigned width) override;
  void write(std::uint64_t offset, unsigned width, std::uint64_t value) override;
  std::uint32_t read_window() const;
  void write_window(std::uint32_t value);
  void write_redirection(unsigned pin, bool upper, std::uint32_t value);
  void end_interrupt(std::uint8_t vector);
  void service_level(unsigned pin);
  void publish();

  Wiring wiring_;
  State state_;
  std::array<core::IoApicRoute, core::kIoApicPins> published_{};
  core::Registration window_;
};

}  // namespace devices::platform
