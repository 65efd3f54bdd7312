// One port of an AHCI controller: registers, link, and the engine that takes commands from the guest's list, hands them
// to the drive and posts what the drive says as FISes. [AHCI 3.3, 4.2, 5]
//
// Commands that are not queued run one at a time, queued ones side by side; each slot has at most one host request
// under way. A stop, a reset or an error ends commands at once, but the port takes no new ones (PxCMD.CR, PxTFD.STS.BSY
// or GHC.HR stay set) until their requests are done too: what these move cannot hit memory that the guest has put to
// another use.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>

#include "core/bus/registers.h"
#include "core/event/guest_clock.h"
#include "core/memory/guest_memory.h"
#include "devices/block/ahci_abi.h"
#include "devices/block/ahci_prdt.h"
#include "devices/block/ide_drive.h"
#include "devices/block/sata_disk.h"

namespace devices::block {

class AhciPort final : private DriveBus {
 public:
  struct Wiring {
    const core::GuestMemory& memory;
    core::GuestClock& clock;
    core::DeviceLock& lock;
    std::function<void()> changed;  // interrupting() or settled() may answer otherwise now
    bool reads_at_once;             // queued reads of what the host has in memory, while the guest issues them
  };

  explicit AhciPort(Wiring wiring);
  AhciPort(const AhciPort&) = delete;
  AhciPort& operator=(const AhciPort&) = delete;

  // Before the machine runs; the drive was made for bus().
  DriveBus& bus() { return *this; }
  void attach(std::unique_ptr<IdeDrive> drive);
  IdeDrive* drive() const { return drive_.get(); }

  // Inside one register of the port.
  std::uint64_t read(std::uint32_t offset, unsigned width) const { return registers_.read(offset, width); }
  void write(std::uint32_t offset, unsigned width, std::uint32_t value);
  void set_bus_master_enabled(bool enabled);
  void load_bus_master(bool enabled) { bus_master_ = enabled; }  // nothing begins by it

  void reset();         // power-on
  void reset_by_hba();  // GHC.HR: keeps the addresses of list and FIS area
  bool is_settled() const { return abandoned_ == 0; }
  bool is_interrupting() const { return (reg(abi::hba::PxIS) & reg(abi::hba::PxIE)) != 0; }

  std::uint64_t requests_started() const { return requests_started_; }
  void visit(core::StateVisitor& visitor);
  core::Result<> state_loaded();

 private:
  using CommandHeader = abi::hba::CommandHeader;
  using RegisterH2D = abi::hba::RegisterH2D;

  struct State {
    bool halted = false;          // by an error, until PxCMD.ST is cleared
    bool soft_reset = false;      // SRST is set in the drive
    std::uint8_t last_slot = 31;  // the next one is looked for from here on
  };
  // The command that is not queued, from its fetch to its end.
  struct Command {
    bool active = false;
    unsigned slot = 0;
    std::uint64_t table = 0;
  };

  // Registers.
  std::uint32_t reg(std::uint32_t offset) const { return static_cast<std::uint32_t>(registers_.value(offset, 4)); }
  void set_reg(std::uint32_t offset, std::uint32_t value) { registers_.set(offset, 4, value); }
  void set_bits(std::uint32_t offset, std::uint32_t bits) { set_reg(offset, reg(offset) | bits); }
  void clear_bits(std::uint32_t offset, std::uint32_t bits) { set_reg(offset, reg(offset) & ~bits); }
  std::uint64_t address(std::uint32_t offset, std::uint32_t alignment) const;
  void show_task_file();
  void command_written(std::uint32_t before, std::uint32_t written);
  void control_written(std::uint32_t before);
  void follow_errors();
  void update();

  // Link and resets.
  void power_on();
  void link_down(std::uint32_t status);
  void link_up();
  void stop();
  void abandon_all();
  void settle();
  void send_signature();

  // The engine; ahci_commands.cpp.
  bool can_fetch() const;
  std::optional<unsigned> next_slot() const;
  void run();
  void fetch(unsigned slot);
  void control(unsigned slot, const CommandHeader& header, const RegisterH2D& fis);
  void execute(const Command& command, const RegisterH2D& fis);
  void queue(const Command& command, const CommandHeader& header, const RegisterH2D& fis);
  bool read_at_once(const HostWork& work);
  void end_queued(unsigned slot, const SataDisk::Access& access, bool succeeded);
  void pump();
  bool take_block();
  bool give_block();
  void finish_command();
  void halt(std::uint32_t cause);
  void start_request(unsigned slot, HostWork work);
  void finished(unsigned slot, const std::shared_ptr<HostRequest>& request, bool succeeded);

  // FISes.
  template <class Fis>
  void post(std::uint64_t offset, const Fis& fis);
  void post_register(bool interrupt);
  void post_pio_setup(bool to_host, std::uint32_t bytes, std::uint8_t status, bool interrupt);
  void post_device_bits(std::uint32_t done);

  // For the drive.
  bool is_serial() const override { return true; }
  void raise_irq() override { interrupt_ = true; }
  DmaEngine& dma() override { return prdt_; }
  void start(core::BlockBackend& backend, core::BlockOp op, std::uint64_t offset,
             std::shared_ptr<HostRequest> request) override;

  Wiring wiring_;
  core::RegisterFile registers_;
  State state_;
  std::unique_ptr<IdeDrive> drive_;
  SataDisk* disk_ = nullptr;  // the drive, if it takes queued commands
  bool bus_master_ = false;

  // Not saved: a machine is saved when its disks are drained.
  Command command_;
  PrdTable prdt_;
  bool interrupt_ = false;  // the drive has raised its interrupt
  bool signature_due_ = false;
  std::array<std::unique_ptr<core::Completion>, abi::hba::kSlots> completions_;
  std::array<std::shared_ptr<HostRequest>, abi::hba::kSlots> in_flight_;
  unsigned abandoned_ = 0;  // of those in flight
  std::uint64_t requests_started_ = 0;
  std::uint64_t at_once_left_ = 0;  // bytes that the access under way may still read at once
};

}  // namespace devices::block
