// One counter of an 8254, as a function of time: nothing runs while it counts. Times are ticks of its clock since
// power-on and never go back. A count is loaded at the tick of its write, not one clock later, as QEMU has it.
#pragma once

#include <cstdint>
#include <optional>

#include "core/state/state.h"
#include "devices/platform/pit_abi.h"

namespace devices::platform {

class PitChannel {
 public:
  using Ticks = std::int64_t;

  explicit PitChannel(bool gate = true) : gate_(gate) {}

  void write_control(std::uint8_t control, Ticks now);
  void write(std::uint8_t value, Ticks now);
  std::uint8_t read(Ticks now);
  void latch_count(Ticks now);
  void latch_status(Ticks now);
  void set_gate(bool gate, Ticks now);
  bool gate() const { return gate_; }

  bool output(Ticks now);
  // When OUT next goes from low to high, after `now`; nullopt if it never will by itself.
  std::optional<Ticks> next_rise(Ticks now);
  // The time between two rises, if it goes on for ever.
  std::optional<Ticks> period() const;

  void visit(core::StateVisitor& v);
  void sanitise(Ticks now);  // after a load

 private:
  enum class Phase : std::uint8_t { Idle, Counting, Paused };

  bool repeats() const { return mode_ == pit_abi::kRateGenerator || mode_ == pit_abi::kSquareWave; }
  bool triggered() const { return mode_ == pit_abi::kHardwareOneShot || mode_ == pit_abi::kHardwareStrobe; }
  Ticks modulus() const { return bcd_ ? 10'000 : 0x10000; }
  Ticks high_half(Ticks count) const { return (count + 1) / 2; }
  Ticks elapsed(Ticks now) const { return phase_ == Phase::Counting ? now - start_ : held_; }
  // A running rate was given a new count, which it takes at take_at_.
  bool waits_for_period() const { return null_count_ && has_count_ && repeats() && phase_ == Phase::Counting; }
  bool takes_at_half() const { return mode_ == pit_abi::kSquareWave && take_at_ < start_ + count_; }
  std::uint16_t value(Ticks now) const;
  void settle(Ticks now);
  void start(Ticks now);
  void pause(Ticks now);
  void count_written(std::uint16_t raw, Ticks now);

  std::uint8_t mode_ = pit_abi::kTerminalCount;
  std::uint8_t access_ = pit_abi::kBothBytes;
  bool bcd_ = false;
  bool gate_;
  bool has_count_ = false;          // one was written since the control word
  bool null_count_ = false;         // and has not reached the counting element
  std::uint32_t reload_ = 0x10000;  // the count register
  std::uint32_t count_ = 0x10000;   // what the counting element started from
  Phase phase_ = Phase::Idle;
  Ticks start_ = 0;  // Counting: when it started
  Ticks held_ = 0;   // otherwise: how far it had come
  Ticks take_at_ = 0;
  bool write_high_next_ = false;
  bool read_high_next_ = false;
  std::uint8_t low_byte_ = 0;
  bool count_latched_ = false;
  bool status_latched_ = false;
  std::uint16_t latched_count_ = 0;
  std::uint8_t latched_status_ = 0;
};

}  // namespace devices::platform
