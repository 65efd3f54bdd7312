// An enhanced host controller as PCI function: the ICH9's first one, with six ports, and three companions for devices
// that know no high speed. [EHCI]
//
// A port belongs to its companion until a driver sets CONFIGFLAG, and again when that driver gives it back.
//
// Missing on purpose: 64-bit addresses, frame lists of other lengths, asynchronous park mode, port power switches,
// over-current, test modes, the debug port, the interrupt threshold (interrupts come at once), power management.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>

#include "core/bus/registers.h"
#include "core/event/guest_clock.h"
#include "core/memory/guest_memory.h"
#include "core/pci/pci_function.h"
#include "devices/usb/ehci_abi.h"
#include "devices/usb/ehci_schedule.h"
#include "devices/usb/frame_counter.h"
#include "devices/usb/idle_pace.h"
#include "devices/usb/root_port.h"
#include "devices/usb/schedule_watch.h"

namespace devices::usb {

class EhciController final : public core::PciFunction, public PortOwner {
 public:
  static constexpr unsigned kPorts = abi::ehci::kPorts;

  struct Config {
    std::string name;
  };
  struct Wiring {
    const core::GuestMemory& memory;
    core::GuestClock& clock;
    core::DeviceLock& bus;
    core::WriteAlarms* alarms = nullptr;  // null: schedules are looked at as long as they are enabled
  };

  EhciController(Config config, const Wiring& wiring);
  ~EhciController() override;  // off the bus, after its companions

  RootPort& port(unsigned index) { return ports_[index]; }
  // Before the machine runs; a companion has the ports 2 * index and 2 * index + 1.
  void connect_companion(unsigned index, PortOwner& companion);

  // PortOwner
  void connection_changed(unsigned port) override;
  void resume_signalled(unsigned port) override;
  void data_ready() override;

  void reset() override;
  std::string_view state_name() const override { return name_; }
  unsigned state_version() const override { return 1; }
  void visit_state(core::StateVisitor& visitor) override;
  core::Result<> state_loaded() override;

 private:
  std::uint64_t read(std::uint64_t offset, unsigned width);
  void write(std::uint64_t offset, unsigned width, std::uint64_t value);
  void write_command(std::uint32_t value);
  void write_port(unsigned port, std::uint32_t value);
  void change_port(unsigned port, std::uint32_t before, std::uint32_t after);
  void config_written(std::uint32_t offset, unsigned width) override;

  UsbDevice* device(unsigned port) const { return ports_[port].device_for(*this); }
  UsbDevice* find_device(std::uint8_t address) const;
  void set_owner(unsigned port, bool companion);
  void route(unsigned port, bool quietly);
  void reset_controller();
  void set_running(bool running);
  void count_from_now();
  bool is_enabled(std::uint32_t schedule) const;
  void run();
  std::uint64_t run_frames();
  void run_ring();
  void run_ahead();
  void take(const EhciEvents& events);
  void settle(std::uint64_t frames);
  void note_rollover();
  void schedule_next();
  void wake();
  void hurry();
  void schedule_touched();
  void update_status();

  std::uint32_t reg(std::uint32_t offset) const { return static_cast<std::uint32_t>(registers_.value(offset, 4)); }
  void set_bits(std::uint32_t offset, std::uint32_t bits) { registers_.set(offset, 4, reg(offset) | bits); }
  void clear_bits(std::uint32_t offset, std::uint32_t bits) { registers_.set(offset, 4, reg(offset) & ~bits); }

  std::string name_;
  core::Handler<EhciController> handler_;
  core::RegisterFile registers_;
  const core::GuestClock& clock_;
  FrameCounter microframes_;
  std::uint64_t next_frame_ = 0;  // of the periodic list, to run
  std::uint64_t rollovers_ = 0;   // that status has told of
  bool worked_ = false;           // in the run under way
  IdlePace pace_;
  ScheduleWatch watch_;
  bool is_resting_ = false;  // there is nothing to do until something wakes it
  bool is_walking_ = false;  // a schedule
  std::array<RootPort, kPorts> ports_;
  std::array<PortOwner*, abi::ehci::kCompanions> companions_{};
  EhciSchedule schedule_;
  std::unique_ptr<core::Timer> timer_;
};

}  // namespace devices::usb
