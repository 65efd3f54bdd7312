// System control port A (92h): fast A20 gate and fast CPU reset, as the PIIX boards have it. The other bits of a PS/2's
// port (hard disk light, password lock) store what is written and do nothing. The board ORs this A20 with the keyboard
// controller's, which is on after a reset.
#pragma once

#include <functional>

#include "core/bus/address_space.h"
#include "core/bus/device.h"

namespace devices::platform {

class Port92 final : public core::Device, private core::IoHandler {
 public:
  struct Wiring {
    std::function<void(bool enabled)> a20;  // on changes of the bit; device lock held
    std::function<void()> reset;            // asks for a machine reset; device lock held: post and return
  };

  explicit Port92(Wiring wiring) : wiring_(std::move(wiring)) {}

  core::Result<> attach(core::AddressSpace& io);

  void reset() override;
  std::string_view state_name() const override { return "port92"; }
  unsigned state_version() const override { return 1; }
  void visit_state(core::StateVisitor& visitor) override { state_.visit(visitor); }
  core::Result<> state_loaded() override;

 private:
  struct State {
    std::uint8_t value = 0;
    void visit(core::StateVisitor& v) { v.field("value", value); }
  };

  std::uint64_t read(std::uint64_t offset, unsigned width) override;
  void write(std::uint64_t offset, unsigned width, std::uint64_t value) override;
  void update_a20();

  Wiring wiring_;
  State state_;
  bool a20_ = false;  // what `a20` was told last
  core::Registration port_;
};

}  // namespace devices::platform
