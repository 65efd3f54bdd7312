// The ports of PCI configuration mechanism 1, CF8h-CFFh, and the reset control port CF9h that lies among them. [PCI 3.0
// 3.2.2.3.2, 82441FX 3.1, 82371SB 2.5.4]
//
// Apart from the host bridge's function, because a config access locks the function it goes to and no other device's
// lock may be held then.
#pragma once

#include <functional>

#include "core/bus/address_space.h"
#include "core/bus/device.h"
#include "core/pci/pci_bus.h"

namespace devices::platform {

class PciConfigPorts final : public core::Device {
 public:
  struct Wiring {
    core::PciBus& bus;
    std::function<void()> reset;  // asks for a machine reset; called with the device's lock held, must not wait
  };

  explicit PciConfigPorts(Wiring wiring) : wiring_(std::move(wiring)) {}
  core::Result<> attach(core::AddressSpace& io);

  void reset() override { state_ = {}; }
  std::string_view state_name() const override { return "pci-config-ports"; }
  unsigned state_version() const override { return 1; }
  void visit_state(core::StateVisitor& visitor) override { state_.visit(visitor); }

 private:
  struct State {
    std::uint32_t address = 0;
    std::uint8_t reset_control = 0;
    void visit(core::StateVisitor& v) {
      v.field("address", address);
      v.field("reset_control", reset_control);
    }
  };

  std::uint64_t read_address(std::uint64_t offset, unsigned width);
  void write_address(std::uint64_t offset, unsigned width, std::uint64_t value);
  std::uint64_t read_data(std::uint64_t offset, unsigned width);
  void write_data(std::uint64_t offset, unsigned width, std::uint64_t value);
  void write_reset_control(std::uint8_t value);
  unsigned bus_number() const { return (state_.address >> 16) & 0xff; }
  core::PciAddress function() const { return {(state_.address >> 11) & 0x1f, (state_.address >> 8) & 7}; }

  Wiring wiring_;
  State state_;
  core::Handler<PciConfigPorts> address_port_{*this, &PciConfigPorts::read_address, &PciConfigPorts::write_address};
  core::Handler<PciConfigPorts> data_port_{*this, &PciConfigPorts::read_data, &PciConfigPorts::write_data};
  core::Registration address_range_;
  core::Registration data_range_;
};

}  // namespace devices::platform
