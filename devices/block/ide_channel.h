// One IDE channel: registers, two drives of which one is selected, the interrupt line, and one host request at a time.
// [ATA6 7, 9]
//
// While a host request runs, the channel reads as busy and ignores writes but for resets. A reset ends the command at
// once, but the channel stays busy until the request is done too: what it moves cannot hit memory that the guest has
// put to another use, and its result is dropped.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>

#include "core/bus/address_space.h"
#include "core/bus/irq.h"
#include "core/event/guest_clock.h"
#include "core/memory/guest_memory.h"
#include "devices/block/bus_master.h"
#include "devices/block/host_request.h"
#include "devices/block/ide_drive.h"

namespace devices::block {

// The command block (offsets 0-7) as an I/O handler; the control block and the bus master come by calls of their own.
class IdeChannel final : public core::IoHandler, public core::StringPort, private DriveBus {
 public:
  struct Wiring {
    const core::GuestMemory& memory;
    core::GuestClock& clock;
    core::DeviceLock& lock;
    core::IrqLine irq;
  };

  explicit IdeChannel(const Wiring& wiring);
  IdeChannel(const IdeChannel&) = delete;
  IdeChannel& operator=(const IdeChannel&) = delete;

  // Before the machine runs; the drive was made for bus().
  DriveBus& bus() { return *this; }
  void attach(unsigned unit, std::unique_ptr<IdeDrive> drive);
  IdeDrive* drive(unsigned unit) const { return drives_[unit].get(); }

  std::uint64_t read(std::uint64_t offset, unsigned width) override;
  void write(std::uint64_t offset, unsigned width, std::uint64_t value) override;
  StringPort* string_port() override { return this; }
  std::size_t read_string(std::uint64_t offset, unsigned width, std::span<std::uint8_t> out) override;
  std::size_t write_string(std::uint64_t offset, unsigned width, std::span<const std::uint8_t> bytes) override;

  std::uint8_t read_alternate_status() const { return status(); }
  void write_control(std::uint8_t value);
  std::uint8_t read_bus_master(unsigned offset) const { return bus_master_.read(offset); }
  void write_bus_master(unsigned offset, std::uint8_t value);
  void set_bus_master_enabled(bool enabled) { bus_master_.set_enabled(enabled); }

  void reset();
  std::uint64_t requests_started() const { return requests_started_; }
  void visit(core::StateVisitor& visitor);
  core::Result<> state_loaded();

 private:
  struct State {
    std::uint8_t selected = 0;
    std::uint8_t control = 0;
    bool interrupt = false;  // INTRQ
  };

  void raise_irq() override;
  DmaEngine& dma() override { return bus_master_; }
  void start(core::BlockBackend& backend, core::BlockOp op, std::uint64_t offset,
             std::shared_ptr<HostRequest> request) override;
  void finished(const std::shared_ptr<HostRequest>& request, bool succeeded);

  IdeDrive* selected() const { return drives_[state_.selected].get(); }
  bool busy() const;
  std::uint8_t status() const;
  std::uint8_t read_register(unsigned reg);
  void write_register(unsigned reg, std::uint8_t value);
  void latch(unsigned reg, std::uint8_t value);
  void command(std::uint8_t code);
  void reset_drives();
  void update_irq();

  core::IrqLine irq_;
  BusMaster bus_master_;
  std::array<std::unique_ptr<IdeDrive>, 2> drives_;
  State state_;
  std::unique_ptr<core::Completion> completion_;
  std::shared_ptr<HostRequest> in_flight_;  // not saved: a machine is saved when its disks are drained
  std::uint64_t requests_started_ = 0;
};

}  // namespace devices::block
