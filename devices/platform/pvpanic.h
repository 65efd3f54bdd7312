// The paravirtual panic port, on ISA: a guest's kernel says there that it has panicked, or that it goes on to save its
// memory. [QEMU docs/specs/pvpanic.rst] Linux and Windows find it by the ACPI device QEMU0001.
#pragma once

#include <functional>

#include "core/bus/address_space.h"
#include "core/bus/device.h"

namespace devices::platform {

class Pvpanic final : public core::Device, private core::IoHandler {
 public:
  // Called with the device's lock held, must not wait.
  struct Wiring {
    std::function<void()> panicked;
    std::function<void()> crash_loaded;  // a crash kernel runs in the panicked one's place
  };

  explicit Pvpanic(Wiring wiring) : wiring_(std::move(wiring)) {}
  core::Result<> attach(core::AddressSpace& io);

  void reset() override {}
  std::string_view state_name() const override { return "pvpanic"; }
  unsigned state_version() const override { return 1; }
  void visit_state(core::StateVisitor&) override {}  // it has none

 private:
  std::uint64_t read(std::uint64_t offset, unsigned width) override;
  void write(std::uint64_t offset, unsigned width, std::uint64_t value) override;

  Wiring wiring_;
  core::Registration range_;
};

}  // namespace devices::platform
