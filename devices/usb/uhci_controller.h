// A universal host controller as PCI function: the PIIX3's, by itself, or one of the ICH9's three, which share their
// ports with its enhanced controller. [UHCI]
//
// Missing on purpose: legacy keyboard support beyond its register, the software debug mode, over-current. The frame
// number follows from the clock; frames are run when they begin, and late ones while a schedule is idle (IdlePace), or
// not at all (ScheduleWatch).
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/bus/registers.h"
#include "core/event/guest_clock.h"
#include "core/memory/guest_memory.h"
#include "core/pci/pci_function.h"
#include "devices/usb/frame_counter.h"
#include "devices/usb/idle_pace.h"
#include "devices/usb/root_port.h"
#include "devices/usb/schedule_watch.h"
#include "devices/usb/uhci_schedule.h"

namespace devices::usb {

class UhciController final : public core::PciFunction, public PortOwner {
 public:
  static constexpr unsigned kPorts = abi::uhci::kPorts;

  struct Config {
    std::string name;
    core::PciIdentity identity;
  };
  struct Wiring {
    const core::GuestMemory& memory;
    core::GuestClock& clock;
    core::DeviceLock& bus;
    core::WriteAlarms* alarms = nullptr;  // null: schedules are looked at as long as they are enabled
    // Of a companion: the ports of the enhanced controller, which also keeps their devices. Null: it has its own.
    std::array<RootPort*, kPorts> ports{};
  };

  static core::PciIdentity piix3();
  static core::PciIdentity ich9(unsigned companion);  // 0 to 2

  UhciController(Config config, const Wiring& wiring);
  ~UhciController() override;  // off the bus

  RootPort& port(unsigned index) { return *ports_[index]; }

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
  void write_register(std::uint32_t offset, unsigned width, std::uint32_t value);
  void write_command(std::uint16_t before);
  void write_port(unsigned port, std::uint16_t value);
  void config_written(std::uint32_t offset, unsigned width) override;

  bool owns_ports() const { return !own_ports_.empty(); }
  UsbDevice* device(unsigned port) const { return ports_[port]->device_for(*this); }
  UsbDevice* find_device(std::uint8_t address) const;
  void reset_controller();
  void reset_devices();
  void set_running(bool running);
  void run();
  void run_ahead();
  bool take(const UhciSchedule::Events& events);
  void settle(std::uint64_t frames, bool worked);
  void schedule_next();
  void wake();
  void hurry();
  void schedule_touched();
  void update_interrupt();

  std::uint16_t reg(std::uint32_t offset) const { return static_cast<std::uint16_t>(registers_.value(offset, 2)); }
  void set_bits(std::uint32_t offset, unsigned bits) { registers_.set(offset, 2, reg(offset) | bits); }
  void clear_bits(std::uint32_t offset, unsigned bits) { registers_.set(offset, 2, reg(offset) & ~bits); }

  std::string name_;
  core::Handler<UhciController> handler_;
  core::RegisterFile registers_;
  FrameCounter frames_;
  std::uint64_t next_frame_ = 0;  // to run
  bool completed_ = false;        // why USBINT is set
  bool short_packet_ = false;
  IdlePace pace_;
  ScheduleWatch watch_;
  bool is_resting_ = false;  // there is nothing to do until something wakes it
  bool is_walking_ = false;  // a schedule
  std::vector<std::unique_ptr<RootPort>> own_ports_;
  std::array<RootPort*, kPorts> ports_{};
  UhciSchedule schedule_;
  std::unique_ptr<core::Timer> timer_;
};

}  // namespace devices::usb
