#include "devices/platform/legacy_replacement.h"

namespace devices::platform {

namespace {
constexpr unsigned kTimerIrq = 0;
constexpr unsigned kClockIrq = 8;
}  // namespace

LegacyReplacement::LegacyReplacement(core::IrqSink& isa)
    : isa_(isa),
      wires_{Wire{kTimerIrq, core::IrqLine(isa, kTimerIrq), {}}, Wire{kClockIrq, core::IrqLine(isa, kClockIrq), {}}} {}

void LegacyReplacement::set(bool on) {
  const std::scoped_lock guard(mutex_);
  chosen_ = on ? Hpet : Board;
  for (auto& wire : wires_)
    wire.line.set(wire.levels[chosen_]);
}

bool LegacyReplacement::board_is_heard() {
  const std::scoped_lock guard(mutex_);
  return chosen_ == Board;
}

void LegacyReplacement::set_input(Side side, unsigned input, bool level) {
  const std::scoped_lock guard(mutex_);
  for (auto& wire : wires_) {
    if (wire.input != input) continue;
    wire.levels[side] = level;
    if (side == chosen_) wire.line.set(level);
    return;
  }
  isa_.set_input(input, level);
}

}  // namespace devices::platform
