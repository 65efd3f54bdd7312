// MC146818 real-time clock and CMOS memory, with the extended bank of the PIIX. [MC146818A] [PIIX4 4.2.5]
//
// The date is a function of guest time; flags are worked out when somebody looks, and the one timer is armed only for
// the next event that is to interrupt. Periodic interrupts that the guest was too late to fetch are given to it again
// soon after it reads register C, unless told otherwise, so that guests that count them keep time. Memory and date
// survive a reset, as on the battery of a board. Missing: square wave output, daylight saving switch.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>

#include "core/bus/address_space.h"
#include "core/bus/device.h"
#include "core/bus/irq.h"
#include "core/event/guest_clock.h"
#include "devices/platform/cmos_contents.h"

namespace devices::platform {

class Rtc final : public core::Device {
 public:
  struct Config {
    std::chrono::sys_time<std::chrono::nanoseconds> start;  // the date when guest time is 0
    CmosConfig cmos;
    bool makes_up = true;  // for periodic interrupts that the guest was too late to fetch
  };
  struct Wiring {
    core::IrqSink& isa;  // input 8
    core::GuestClock& clock;
    std::function<void(bool masked)> nmi_mask;  // bit 7 of port 70h, on changes; device lock held
    std::function<void()> alarm = {};           // one interrupts; device lock held, must not wait
  };

  Rtc(const Config& config, Wiring wiring);

  core::Result<> attach(core::AddressSpace& io);

  // What wakes a suspended machine: whether an alarm interrupts, and when the next one will. Any thread, no device lock
  // held; so is the next one.
  bool alarm_rings();
  std::optional<core::GuestTime> next_ring();
  // Why the next reset happens, for the firmware.
  void set_shutdown_code(std::uint8_t code);

  void reset() override;
  std::string_view state_name() const override { return "rtc"; }
  unsigned state_version() const override { return 1; }
  void visit_state(core::StateVisitor& visitor) override { state_.visit(visitor); }
  core::Result<> state_loaded() override;

 private:
  using Ns = std::int64_t;  // guest time

  struct State {
    CmosBank cmos{};  // register C as flags only; the date's bytes are true only while the clock stands
    CmosBank extended{};
    std::uint8_t index = 0;
    std::uint8_t extended_index = 0;
    bool nmi_masked = false;
    std::int64_t base_seconds = 0;  // the date at base_time; seconds change at whole seconds from there
    Ns base_time = 0;
    std::int64_t settled_second = 0;  // flags are right up to here
    std::int64_t settled_period = 0;
    std::uint32_t owed = 0;  // periods that passed without an interrupt
    void visit(core::StateVisitor& v);
  };

  std::uint64_t read(std::uint64_t offset, unsigned width);
  void write(std::uint64_t offset, unsigned width, std::uint64_t value);
  std::uint8_t read_cmos(std::uint8_t index);
  void write_cmos(std::uint8_t index, std::uint8_t value);
  void write_date(std::uint8_t index, std::uint8_t value, Ns now);
  void write_register_a(std::uint8_t value, Ns now);
  void write_register_b(std::uint8_t value, Ns now);
  std::uint8_t read_flags();

  std::uint8_t& a() { return state_.cmos[rtc_abi::kRegisterA]; }
  std::uint8_t& b() { return state_.cmos[rtc_abi::kRegisterB]; }
  std::uint8_t& c() { return state_.cmos[rtc_abi::kRegisterC]; }

  Ns now() const { return clock_.now().count(); }
  bool runs() const;
  std::int64_t second_at(Ns now) const;
  Ns fraction_at(Ns now) const;
  Ns time_of(std::int64_t second) const;
  std::int64_t period() const;  // in crystal clocks; 0: none
  void stop_clock(Ns now);
  void start_clock(Ns now);
  void settle(Ns now);
  void settle_periodic(Ns now);
  void update_irq();
  void arm(Ns now);
  std::optional<Ns> next_periodic(Ns now);
  std::optional<Ns> next_alarm_time();
  void set_nmi_mask(bool masked);
  void tell_alarm();
  void fire();

  core::GuestClock& clock_;
  bool makes_up_;
  std::function<void(bool masked)> nmi_mask_;
  std::function<void()> alarm_;
  State state_;
  bool told_nmi_masked_ = false;
  bool told_alarm_ = false;
  core::IrqLine irq_;
  std::unique_ptr<core::Timer> timer_;
  core::Handler<Rtc> handler_{*this, &Rtc::read, &Rtc::write};
  core::Registration ports_;
  core::Registration index_posted_;
};

}  // namespace devices::platform
