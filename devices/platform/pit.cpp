#include "devices/platform/pit.h"

#include <algorithm>
#include <utility>

#include "core/base/bits.h"
#include "devices/platform/pit_abi.h"

namespace devices::platform {

using namespace pit_abi;

namespace {

constexpr std::int64_t kNsPerSecond = 1'000'000'000;
// A guest that asks for interrupts faster than every 10 us gets them every 10 us.
constexpr std::int64_t kMinTicks = 12;
// No more than this is made up for: 64 ms at 1 kHz, some seconds of the BIOS's clock.
constexpr std::uint32_t kMostOwed = 64;
constexpr std::int64_t kCatchUpRate = 4;
constexpr std::int64_t kUnheardTicks = kFrequency;

// Whole seconds are whole numbers of ticks, so neither direction drifts or overflows.
std::int64_t to_ticks(core::GuestTime time) {
  return time.count() / kNsPerSecond * kFrequency + time.count() % kNsPerSecond * kFrequency / kNsPerSecond;
}

core::GuestTime to_time(std::int64_t ticks) {
  const auto part = ticks % kFrequency * kNsPerSecond;
  return core::GuestTime(ticks / kFrequency * kNsPerSecond + (part + kFrequency - 1) / kFrequency);
}

}  // namespace

void Pit::State::visit(core::StateVisitor& v) {
  v.field("channel", channel);
  v.field("system", system);
  v.field("irq", irq);
  v.field("owed", owed);
}

Pit::Pit(const Config& config, const Wiring& wiring)
    : clock_(wiring.clock),
      makes_up_(config.makes_up),
      waits_(wiring.waits),
      is_heard_(wiring.is_heard),
      irq0_(wiring.isa, 0),
      timer_(clock_.create_timer(lock(), [this] { fire(); })) {}

core::Result<> Pit::attach(core::AddressSpace& io) {
  auto counters = io.add({.start = kPort, .size = 4, .max_width = 1}, counters_handler_, lock(), state_name());
  if (!counters) return core::fail_with(state_name(), counters);
  auto system = io.add({.start = kSystemPort, .size = 1, .max_width = 1}, system_handler_, lock(), "port61");
  if (!system) return core::fail_with(state_name(), system);
  counters_port_ = std::move(*counters);
  system_port_ = std::move(*system);
  return {};
}

void Pit::reset() {
  state_ = {};
  counter0_changed();
}

core::Result<> Pit::state_loaded() {
  const auto time = now();
  for (auto& channel : state_.channel)
    channel.sanitise(time);
  state_.system &= kSystemWritable;
  state_.owed = makes_up_ ? std::min(state_.owed, kMostOwed) : 0;
  irq0_.set(state_.irq);
  arm(time, Pace::CatchUp);
  return {};
}

Pit::Ticks Pit::now() const {
  return to_ticks(clock_.now());
}

std::uint64_t Pit::read(std::uint64_t offset, unsigned) {
  return offset < state_.channel.size() ? state_.channel[offset].read(now()) : 0;
}

void Pit::write(std::uint64_t offset, unsigned, std::uint64_t value) {
  const auto byte = static_cast<std::uint8_t>(value);
  if (offset == state_.channel.size()) {
    write_control(byte);
    return;
  }
  state_.channel[offset].write(byte, now());
  if (offset == 0) counter0_changed();
}

void Pit::write_control(std::uint8_t control) {
  const auto time = now();
  const unsigned counter = control >> 6;
  if (counter == kReadBack) {
    for (unsigned i = 0; i < state_.channel.size(); ++i) {
      if (!core::bit(control, i + 1)) continue;
      if ((control & kReadBackNoCount) == 0) state_.channel[i].latch_count(time);
      if ((control & kReadBackNoStatus) == 0) state_.channel[i].latch_status(time);
    }
  } else if ((control >> 4 & 3) == kLatchCommand) {
    state_.channel[counter].latch_count(time);
  } else {
    state_.channel[counter].write_control(control, time);
    if (counter == 0) counter0_changed();
  }
}

std::uint64_t Pit::read_system(std::uint64_t, unsigned) {
  const auto time = now();
  const bool refresh = time / kRefreshTicks % 2 != 0;
  return state_.system | (refresh ? kRefresh : 0U) | (state_.channel[2].output(time) ? kOutput2 : 0U);
}

void Pit::write_system(std::uint64_t, unsigned, std::uint64_t value) {
  state_.system = static_cast<std::uint8_t>(value & kSystemWritable);
  state_.channel[2].set_gate((value & kGate2) != 0, now());
}

void Pit::counter0_changed() {
  const auto time = now();
  state_.owed = 0;
  set_irq(state_.channel[0].output(time));
  arm(time, Pace::Normal);
}

void Pit::set_irq(bool level) {
  state_.irq = level;
  irq0_.set(level);
}

// Arms for the next rise, or sooner to catch up, but not before `earliest`.
void Pit::arm(Ticks earliest, Pace pace) {
  const auto time = now();
  auto& counter = state_.channel[0];
  was_unheard_ = false;
  const auto rise = counter.next_rise(time);
  if (!rise) {
    timer_->cancel();
    return;
  }
  due_ = *rise;
  auto wake = due_;
  if (state_.owed > 0 && pace == Pace::CatchUp)
    wake = std::min(wake, time + counter.period().value_or(0) / kCatchUpRate);
  timer_->arm(to_time(std::max(wake, earliest)));
}

void Pit::fire() {
  const auto time = now();
  const auto period = state_.channel[0].period();
  if (period && is_heard_ && !is_heard_()) {
    state_.owed = 0;
    was_unheard_ = true;
    timer_->arm(to_time(time + kUnheardTicks));
    return;
  }
  if (std::exchange(was_unheard_, false)) due_ = time;
  if (time >= due_) {
    const auto rises = makes_up_ && period ? 1 + (time - due_) / *period : 1;
    state_.owed += static_cast<std::uint32_t>(std::min<Ticks>(rises, kMostOwed));
  }
  // A guest that is late gets the rest after it has come, not before. It may also never come, by masking the 8259's
  // output: then this edge is for the I/O APIC.
  const bool is_lost = makes_up_ && period && waits_ && waits_();
  if (state_.owed > 0) {
    state_.owed = std::min(is_lost ? state_.owed : state_.owed - 1, kMostOwed);
    set_irq(false);
    set_irq(true);
  }
  arm(time + kMinTicks, is_lost ? Pace::Normal : Pace::CatchUp);
}

}  // namespace devices::platform
