// The 8254 timer and port 61h of a PIIX board. [8254] [PIIX4 4.2.2] Counter 0 drives IRQ0, counter 1 stood for memory
// refresh, counter 2 is gated by port 61h and would drive a speaker.
//
// One timer, armed for the next rise of counter 0's output, none while that never comes. The line is not lowered in
// between but pulsed at each rise: IRQ0 is an edge on both interrupt controllers. Rises that the host lets slip, and
// those that find the last one still waiting in the 8259, are made up for at four times the rate, unless told
// otherwise, so that guests that count ticks keep time. Through the I/O APIC an edge tells nothing of its fate: there
// only the host's slips are made up for. While the HPET drives IRQ0 the timer wakes once a second, to see whether it
// still does, and nothing is made up for. Missing: the speaker's sound.
#pragma once

#include <array>
#include <functional>
#include <memory>

#include "core/bus/address_space.h"
#include "core/bus/device.h"
#include "core/bus/irq.h"
#include "core/event/guest_clock.h"
#include "devices/platform/pit_channel.h"

namespace devices::platform {

class Pit final : public core::Device {
 public:
  struct Config {
    bool makes_up = true;  // for ticks that got lost
  };
  struct Wiring {
    core::IrqSink& isa;  // input 0
    core::GuestClock& clock;
    // Whether the guest has yet to take the last rise, so that another one is lost. Device lock held.
    std::function<bool()> waits = {};
    // Whether IRQ0 is the PIT's to drive. Device lock held.
    std::function<bool()> is_heard = {};
  };

  Pit(const Config& config, const Wiring& wiring);

  core::Result<> attach(core::AddressSpace& io);

  void reset() override;
  std::string_view state_name() const override { return "pit"; }
  unsigned state_version() const override { return 1; }
  void visit_state(core::StateVisitor& visitor) override { state_.visit(visitor); }
  core::Result<> state_loaded() override;

 private:
  using Ticks = PitChannel::Ticks;

  struct State {
    std::array<PitChannel, 3> channel{PitChannel(), PitChannel(), PitChannel(false)};
    std::uint8_t system = 0;  // port 61h, as written
    bool irq = false;         // the level IRQ0 was given last
    std::uint32_t owed = 0;   // rises that passed without an interrupt of their own
    void visit(core::StateVisitor& v);
  };

  std::uint64_t read(std::uint64_t offset, unsigned width);
  void write(std::uint64_t offset, unsigned width, std::uint64_t value);
  std::uint64_t read_system(std::uint64_t offset, unsigned width);
  void write_system(std::uint64_t offset, unsigned width, std::uint64_t value);

  Ticks now() const;
  void write_control(std::uint8_t control);
  void counter0_changed();
  void set_irq(bool level);
  enum class Pace : std::uint8_t { Normal, CatchUp };
  void arm(Ticks earliest, Pace pace);
  void fire();

  core::GuestClock& clock_;
  bool makes_up_;
  std::function<bool()> waits_;
  std::function<bool()> is_heard_;
  State state_;
  Ticks due_ = 0;             // the rise the timer waits for
  bool was_unheard_ = false;  // at the last one, and rises have passed since
  core::IrqLine irq0_;
  std::unique_ptr<core::Timer> timer_;
  core::Handler<Pit> counters_handler_{*this, &Pit::read, &Pit::write};
  core::Handler<Pit> system_handler_{*this, &Pit::read_system, &Pit::write_system};
  core::Registration counters_port_;
  core::Registration system_port_;
};

}  // namespace devices::platform
