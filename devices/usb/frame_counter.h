// A frame number that nobody has to count: it follows from guest time whenever it is asked for.
#pragma once

#include <cstdint>

#include "core/event/guest_clock.h"
#include "core/state/state.h"

namespace devices::usb {

class FrameCounter {
 public:
  FrameCounter(const core::GuestClock& clock, core::GuestTime unit) : clock_(clock), unit_(unit) {}

  void reset() { state_ = {}; }
  bool is_running() const { return state_.running; }
  void start() {
    if (state_.running) return;
    state_.running = true;
    state_.since_ns = clock_.now().count();
  }
  void stop() {
    state_.count = now();
    state_.running = false;
  }
  void set(std::uint64_t count) {  // while it stands still
    if (!state_.running) state_.count = count;
  }

  // Not wrapped: the register shows the low bits.
  std::uint64_t now() const {
    if (!state_.running) return state_.count;
    // Unsigned: a state that was loaded and is not valid may say any time.
    const auto passed = static_cast<std::uint64_t>(clock_.now().count()) - static_cast<std::uint64_t>(state_.since_ns);
    return state_.count + passed / static_cast<std::uint64_t>(unit_.count());
  }
  // Of a count before that of start(), when it was started.
  core::GuestTime begin_of(std::uint64_t count) const {
    const auto ahead = count > state_.count ? count - state_.count : 0;
    return core::GuestTime(state_.since_ns) + static_cast<std::int64_t>(ahead) * unit_;
  }

  void visit(core::StateVisitor& visitor) { state_.visit(visitor); }
  bool valid() const {
    return state_.since_ns >= 0 && state_.since_ns <= clock_.now().count() && state_.count < kMostCount;
  }

 private:
  static constexpr std::uint64_t kMostCount = std::uint64_t{1} << 48;  // microframes: a thousand years

  struct State {
    bool running = false;
    std::int64_t since_ns = 0;
    std::uint64_t count = 0;  // at that time
    void visit(core::StateVisitor& v) {
      v.field("running", running);
      v.field("since_ns", since_ns);
      v.field("count", count);
    }
  };

  const core::GuestClock& clock_;
  core::GuestTime unit_;
  State state_;
};

}  // namespace devices::usb
