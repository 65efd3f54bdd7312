// The IDE function of the PIIX3 (82371SB): two channels at the compatibility ports, bus master registers in BAR 4.
// [PIIX3 2.3, 2.7; BMIDE]
//
// Missing on purpose: the timing registers are storage without effect, and the decode enable bits in them do not take
// the compatibility ports away; the machine decodes these always, as its firmware and test guests expect.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/bus/irq.h"
#include "core/event/guest_clock.h"
#include "core/memory/guest_memory.h"
#include "core/pci/pci_function.h"
#include "core/ports/block.h"
#include "devices/block/drive_bays.h"
#include "devices/block/ide_channel.h"

namespace devices::block {

class IdeController final : public core::PciFunction, public DriveBays {
 public:
  static constexpr unsigned kSlots = 4;  // primary master, primary slave, secondary master, secondary slave

  struct Config {
    std::array<DriveConfig, kSlots> drives;
  };
  struct Wiring {
    const core::GuestMemory& memory;
    core::GuestClock& clock;
    core::IrqLine irq14;
    core::IrqLine irq15;
  };

  IdeController(Config config, const Wiring& wiring);
  ~IdeController() override;  // ranges must be gone; waits for the disks

  // Claims the compatibility ports; BAR 4 is the PCI bus's.
  core::Result<> attach(core::AddressSpace& io);
  void detach();

  void reset() override;
  std::string_view state_name() const override { return "ide"; }
  unsigned state_version() const override { return 1; }
  void visit_state(core::StateVisitor& visitor) override;
  core::Result<> state_loaded() override;

 private:
  static constexpr std::uint64_t kBusMasterPorts = 16;

  void config_written(std::uint32_t offset, unsigned width) override;
  std::uint64_t read_bus_master(std::uint64_t offset, unsigned width);
  void write_bus_master(std::uint64_t offset, unsigned width, std::uint64_t value);
  IdeDrive* drive(unsigned slot) const override;
  std::uint64_t requests_started() const override;

  // The one byte of a control block. [ATA6 7.3, 7.8]
  class ControlPort final : public core::IoHandler {
   public:
    explicit ControlPort(IdeChannel& channel) : channel_(channel) {}
    std::uint64_t read(std::uint64_t, unsigned) override { return channel_.read_alternate_status(); }
    void write(std::uint64_t, unsigned, std::uint64_t value) override {
      channel_.write_control(static_cast<std::uint8_t>(value));
    }

   private:
    IdeChannel& channel_;
  };

  std::array<IdeChannel, 2> channels_;
  std::array<ControlPort, 2> controls_;
  core::Handler<IdeController> bus_master_ports_;
  std::vector<core::Registration> ranges_;
};

}  // namespace devices::block
