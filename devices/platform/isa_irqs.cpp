#include "devices/platform/isa_irqs.h"

namespace devices::platform {

namespace {
constexpr unsigned kIsaIrqs = 16;
constexpr unsigned kTimerIrq = 0;
constexpr unsigned kCascadeIrq = 2;
constexpr unsigned kTimerPin = 2;
}  // namespace

void IsaIrqs::set_input(unsigned input, bool level) {
  if (input >= drivers_.size() || input == kCascadeIrq) return;
  const std::scoped_lock guard(mutex_);
  auto& drivers = drivers_[input];
  if (!level && drivers == 0) return;
  drivers = level ? drivers + 1 : drivers - 1;
  if (drivers != (level ? 1U : 0U)) return;  // another driver holds the wire high
  if (input < kIsaIrqs) wiring_.pic.set_input(input, level);
  wiring_.ioapic.set_input(input == kTimerIrq ? kTimerPin : input, level);
}

}  // namespace devices::platform
