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
#include "devices/block/ide_channel.h"

namespace devices::block {

enum class DriveKind : std::uint8_t { None, Disk, Cdrom };

struct DriveConfig {
  DriveKind kind = DriveKind::None;
  std::unique_ptr<core::BlockBackend> backend;  // a disk has one; a CD-ROM drive may be empty
  std::string serial;                           // empty: one made from the slot
};

class IdeController final : public core::PciFunction {
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

  // Waits until no request is under way. Machine stopped, before saving; lock not held.
  void drain();

  // The host's side of a CD-ROM drive; lock held. A slot without such a drive is an error.
  // The disc that was in it, null if none: destroy it (which waits for its requests) after the lock is dropped and
  // before this controller goes. A tray the guest has locked stays shut unless forced; the guest is asked to eject.
  core::Result<std::unique_ptr<core::BlockBackend>> eject(unsigned slot, bool force);
  core::Result<> insert(unsigned slot, std::unique_ptr<core::BlockBackend> disc);

  struct SlotView {
    DriveKind kind = DriveKind::None;
    const core::BlockBackend* backend = nullptr;
    bool tray_open = false;
    bool locked = false;
  };
  SlotView slot(unsigned slot) const;  // for `info block`; lock held

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
  IdeDrive* drive(unsigned slot) const;

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
  std::array<DriveKind, kSlots> kinds_{};
  std::vector<core::Registration> ranges_;
};

}  // namespace devices::block
