// The high precision event timers: a 64-bit counter of 100 MHz, as QEMU has it, and three comparators, the first of
// which can be periodic. [IA-PC HPET 1.0a] Nothing runs while it counts: the counter is a function of guest time, and
// each comparator that may interrupt has a timer for its next match.
//
// A comparator that is written behind the counter matches at once, as in QEMU, and not when the counter has come round:
// a guest on a slow host may be late. Periods that the host lets slip are one interrupt. Interrupts go to IRQ0 and IRQ8
// in place of the PIT's and the RTC's, or to pins 20 to 23 of the I/O APIC as ICH boards have it. Missing: delivery as
// messages (FSB), which QEMU's boards do not offer either.
#pragma once

#include <array>
#include <memory>

#include "core/bus/address_space.h"
#include "core/bus/device.h"
#include "core/bus/irq.h"
#include "core/bus/registers.h"
#include "core/event/guest_clock.h"
#include "devices/platform/hpet_abi.h"
#include "devices/platform/legacy_replacement.h"

namespace devices::platform {

class Hpet final : public core::Device, private core::IoHandler {
 public:
  struct Wiring {
    LegacyReplacement& irqs;
    core::GuestClock& clock;
  };

  explicit Hpet(const Wiring& wiring);

  core::Result<> attach(core::AddressSpace& mmio);

  void reset() override;
  std::string_view state_name() const override { return "hpet"; }
  unsigned state_version() const override { return 1; }
  void visit_state(core::StateVisitor& visitor) override;
  core::Result<> state_loaded() override;

 private:
  struct TimerState {
    std::uint64_t period = 0;
    std::uint64_t due = 0;  // the counter, in full, at the next match
    bool waits = false;     // for that
    bool pulsed = false;    // the line is up since an edge, so that the next one is one
    void visit(core::StateVisitor& v);
  };
  struct State {
    std::uint64_t offset = 0;  // the counter when guest time was 0, if it runs
    std::array<TimerState, hpet_abi::kTimers> timer;
    void visit(core::StateVisitor& v);
  };

  std::uint64_t read(std::uint64_t offset, unsigned width) override;
  void write(std::uint64_t offset, unsigned width, std::uint64_t value) override;
  void write_general(std::uint64_t offset, unsigned width, std::uint64_t value);
  void write_timer_config(unsigned timer, std::uint64_t offset, unsigned width, std::uint64_t value);
  void write_comparator(unsigned timer, std::uint64_t offset, unsigned width, std::uint64_t value);

  bool runs() const { return (regs_.value(hpet_abi::GEN_CONF, 8) & hpet_abi::ENABLE_CNF) != 0; }
  bool replaces() const { return (regs_.value(hpet_abi::GEN_CONF, 8) & hpet_abi::LEG_RT_CNF) != 0; }
  std::uint64_t config(unsigned timer) const;
  std::uint64_t comparator(unsigned timer) const;
  void set_config(unsigned timer, std::uint64_t value);
  void set_comparator(unsigned timer, std::uint64_t value);
  std::uint64_t mask(unsigned timer) const;  // of a comparator's bits
  bool interrupts(unsigned timer) const;
  unsigned route(unsigned timer) const;
  std::uint64_t ticks() const;
  std::uint64_t counter() const;

  void expect_match(unsigned timer, bool may_be_late);
  void arm(unsigned timer, std::uint64_t least_ticks);
  void fire(unsigned timer);
  bool matched(unsigned timer) const;
  void expect_next(unsigned timer);
  void settle();
  void interrupt(unsigned timer);
  void update_irqs();

  Wiring wiring_;
  core::RegisterFile regs_;  // MAIN_CNT: true while the counter stands
  State state_;
  std::array<core::IrqLine, 6> lines_;
  std::array<std::unique_ptr<core::Timer>, hpet_abi::kTimers> timers_;
  core::Registration window_;
};

}  // namespace devices::platform
