// What a PC/AT's board makes of a coprocessor error: FERR# sets a latch that drives IRQ13, a write to port F0h clears
// it. [Intel PIIX3 (82371SB), coprocessor error support] [SDM 1 8.7.2]
//
// Deliberately missing: IGNNE#, of which a software CPU has no need, and port F1h, the 80287's reset.
#pragma once

#include "core/bus/address_space.h"
#include "core/bus/device.h"
#include "core/bus/irq.h"

namespace devices::platform {

class X87Error final : public core::Device, private core::IoHandler {
 public:
  static constexpr unsigned kIrq = 13;
  struct Wiring {
    core::IrqLine irq;
  };

  explicit X87Error(const Wiring& wiring) : irq_(wiring.irq) {}

  core::Result<> attach(core::AddressSpace& io);
  void set();  // FERR# fell; lock held

  void reset() override;
  std::string_view state_name() const override { return "x87-error"; }
  unsigned state_version() const override { return 1; }
  void visit_state(core::StateVisitor& visitor) override { visitor.field("latched", is_latched_); }
  core::Result<> state_loaded() override;

 private:
  std::uint64_t read(std::uint64_t offset, unsigned width) override;
  void write(std::uint64_t offset, unsigned width, std::uint64_t value) override;
  void update_irq() { irq_.set(is_latched_); }

  core::IrqLine irq_;
  bool is_latched_ = false;
  core::Registration port_;
};

}  // namespace devices::platform
