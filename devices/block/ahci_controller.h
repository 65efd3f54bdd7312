// An AHCI controller as PCI function: ICH9's six ports for SATA disks and CD-ROM drives, native command queuing, no
// compatibility mode. [AHCI 2, 3.1]
//
// Missing on purpose: port multipliers, FIS-based switching, command completion coalescing, enclosure management, hot
// plug of drives (discs come and go), link power management, BIOS handoff, more than one interrupt message; all of it
// reads as not there. DMA setup FISes, which no driver looks at, are not posted.
#pragma once

#include <array>
#include <cstdint>
#include <memory>

#include "core/bus/registers.h"
#include "core/event/guest_clock.h"
#include "core/memory/guest_memory.h"
#include "core/pci/msi.h"
#include "core/pci/pci_function.h"
#include "devices/block/ahci_abi.h"
#include "devices/block/ahci_port.h"
#include "devices/block/drive_bays.h"

namespace devices::block {

class AhciController final : public core::PciFunction, public DriveBays {
 public:
  static constexpr unsigned kPorts = abi::hba::kPorts;

  struct Config {
    std::array<DriveConfig, kPorts> drives;
    bool reads_at_once = true;  // what the host has in memory; not where time must not depend on it
  };
  struct Wiring {
    const core::GuestMemory& memory;
    core::GuestClock& clock;
    core::MsiSink& msi;
  };

  AhciController(Config config, const Wiring& wiring);
  ~AhciController() override;  // off the bus; waits for the disks

  void reset() override;
  std::string_view state_name() const override { return "ahci"; }
  unsigned state_version() const override { return 1; }
  void visit_state(core::StateVisitor& visitor) override;
  core::Result<> state_loaded() override;

 private:
  struct Layout {
    core::CapabilityList capabilities;
    std::uint32_t msi = core::Msi::announce(capabilities);
  };

  AhciController(Config config, const Wiring& wiring, const Layout& layout);
  void config_written(std::uint32_t offset, unsigned width) override;
  std::uint64_t read(std::uint64_t offset, unsigned width);
  void write(std::uint64_t offset, unsigned width, std::uint64_t value);
  void write_generic(std::uint32_t offset, unsigned width, std::uint32_t value);
  void ports_changed();
  void update_interrupt();
  void reset_ports();

  std::uint32_t reg(std::uint32_t offset) const { return static_cast<std::uint32_t>(registers_.value(offset, 4)); }
  IdeDrive* drive(unsigned slot) const override { return ports_[slot]->drive(); }
  std::uint64_t requests_started() const override;

  core::Handler<AhciController> handler_;
  core::RegisterFile registers_;
  core::Msi msi_;
  std::uint32_t signalled_ = 0;  // bits of IS that the last message told of
  std::array<std::unique_ptr<AhciPort>, kPorts> ports_;
};

}  // namespace devices::block
