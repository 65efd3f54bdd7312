#include "devices/platform/hpet.h"

#include <algorithm>

#include "core/base/bits.h"

namespace devices::platform {

using namespace hpet_abi;

namespace {

constexpr std::int64_t kNsPerTick = 10;
// A guest that asks for interrupts faster than every 10 us gets them every 10 us.
constexpr std::uint64_t kMinTicks = 1000;
// A timer is armed for no more than some years, and then again: keeps sums in range.
constexpr std::uint64_t kMostTicks = std::uint64_t{1} << 54;
// What is written further behind the counter is taken for what lies ahead: half of what a narrow comparator can tell,
// 21 s. A wide one that is written by halves lies further behind in between.
constexpr std::uint64_t kLatest = std::uint64_t{1} << 31;
constexpr unsigned kWidth = 8;

// What lines_ drives: in the place of PIT and RTC, and the I/O APIC's pins that nobody else has.
constexpr std::array<unsigned, 6> kInputs{0, 8, 20, 21, 22, 23};
constexpr std::uint64_t kPins = 0xf0'0000;
constexpr std::uint64_t kTimerReset = kPins << kRouteCapShift | SIZE_CAP | std::uint64_t{20} << kRouteShift;
constexpr std::uint64_t kTimerWritable = INT_TYPE_CNF | INT_ENB_CNF | MODE32_CNF | INT_ROUTE_CNF;
constexpr std::uint64_t kPeriodicWritable = kTimerWritable | TYPE_CNF | VAL_SET_CNF;
constexpr std::uint64_t kAllOnes = ~std::uint64_t{0};

// [IA-PC HPET 1.0a, 2.3.3] Only whole registers and their halves are accessed.
constexpr core::Register kRegisters[] = {
    {.name = "GCAP_ID", .offset = GCAP_ID, .width = 8, .reset = kCapabilities},                  // [2.3.4]
    {.name = "GEN_CONF", .offset = GEN_CONF, .width = 8, .writable = ENABLE_CNF | LEG_RT_CNF},   // [2.3.5]
    {.name = "GINTR_STA", .offset = GINTR_STA, .width = 8, .clear_on_one = (1 << kTimers) - 1},  // [2.3.6]
    {.name = "MAIN_CNT", .offset = MAIN_CNT, .width = 8, .writable = kAllOnes},                  // [2.3.7]
    {.name = "TIM0_CONF",
     .offset = 0x100,
     .width = 8,
     .reset = kTimerReset | PER_INT_CAP,
     .writable = kPeriodicWritable},
    {.name = "TIM0_COMP", .offset = 0x108, .width = 8, .reset = kAllOnes, .writable = kAllOnes},  // [2.3.9]
    {.name = "TIM1_CONF", .offset = 0x120, .width = 8, .reset = kTimerReset, .writable = kTimerWritable},
    {.name = "TIM1_COMP", .offset = 0x128, .width = 8, .reset = kAllOnes, .writable = kAllOnes},
    {.name = "TIM2_CONF", .offset = 0x140, .width = 8, .reset = kTimerReset, .writable = kTimerWritable},
    {.name = "TIM2_COMP", .offset = 0x148, .width = 8, .reset = kAllOnes, .writable = kAllOnes},
};

constexpr std::uint32_t config_offset(unsigned timer) {
  return TIM_CONF + timer * kTimerStride;
}
constexpr std::uint32_t comparator_offset(unsigned timer) {
  return TIM_COMP + timer * kTimerStride;
}

// `old` after a write of `width` bytes at `offset` in it.
std::uint64_t merged(std::uint64_t old, std::uint64_t offset, unsigned width, std::uint64_t value) {
  const auto lane = core::all_ones(width) << (8 * offset);
  return (old & ~lane) | ((value << (8 * offset)) & lane);
}

}  // namespace

void Hpet::TimerState::visit(core::StateVisitor& v) {
  v.field("period", period);
  v.field("due", due);
  v.field("waits", waits);
  v.field("pulsed", pulsed);
}

void Hpet::State::visit(core::StateVisitor& v) {
  v.field("offset", offset);
  v.field("timer", timer);
}

Hpet::Hpet(const Wiring& wiring) : wiring_(wiring), regs_(kRegisters, kRegistersEnd) {
  for (std::size_t i = 0; i < kInputs.size(); ++i)
    lines_[i] = core::IrqLine(wiring_.irqs.hpet(), kInputs[i]);
  for (unsigned timer = 0; timer < kTimers; ++timer)
    timers_[timer] = wiring_.clock.create_timer(lock(), [this, timer] { fire(timer); });
}

core::Result<> Hpet::attach(core::AddressSpace& mmio) {
  auto window = mmio.add({.start = kBase, .size = kSize, .max_width = kWidth}, *this, lock(), state_name());
  if (!window) return core::fail_with(state_name(), window);
  window_ = std::move(*window);
  return {};
}

void Hpet::reset() {
  regs_.reset();
  state_ = {};
  for (auto& timer : timers_)
    timer->cancel();
  update_irqs();
}

void Hpet::visit_state(core::StateVisitor& visitor) {
  settle();
  visitor.field("registers", regs_);
  visitor.field("state", state_);
}

core::Result<> Hpet::state_loaded() {
  for (const auto& row : kRegisters) {
    const auto changeable = row.writable | row.clear_on_one;
    regs_.set(row.offset, kWidth, (regs_.value(row.offset, kWidth) & changeable) | (row.reset & ~changeable));
  }
  for (unsigned i = 0; i < kTimers; ++i) {
    auto& timer = state_.timer[i];
    if (!core::bit(kPins, route(i))) set_config(i, (config(i) & ~INT_ROUTE_CNF) | (kTimerReset & INT_ROUTE_CNF));
    set_comparator(i, comparator(i));
    timer.period &= mask(i);
    timer.waits = timer.waits && runs();
    arm(i, 0);
  }
  update_irqs();
  return {};
}

// ---- the counter and what is in the registers

std::uint64_t Hpet::ticks() const {
  return static_cast<std::uint64_t>(wiring_.clock.now().count() / kNsPerTick);
}

std::uint64_t Hpet::counter() const {
  return runs() ? ticks() + state_.offset : regs_.value(MAIN_CNT, kWidth);
}

std::uint64_t Hpet::config(unsigned timer) const {
  return regs_.value(config_offset(timer), kWidth);
}

std::uint64_t Hpet::comparator(unsigned timer) const {
  return regs_.value(comparator_offset(timer), kWidth);
}

void Hpet::set_config(unsigned timer, std::uint64_t value) {
  regs_.set(config_offset(timer), kWidth, value);
}

void Hpet::set_comparator(unsigned timer, std::uint64_t value) {
  regs_.set(comparator_offset(timer), kWidth, value & mask(timer));
}

std::uint64_t Hpet::mask(unsigned timer) const {
  return (config(timer) & MODE32_CNF) != 0 ? core::all_ones(4) : kAllOnes;
}

bool Hpet::interrupts(unsigned timer) const {
  return (config(timer) & INT_ENB_CNF) != 0;
}

// The input of `timer`'s interrupts.
unsigned Hpet::route(unsigned timer) const {
  return static_cast<unsigned>(core::bits(config(timer), kRouteShift, kRouteBits));
}

// ---- accesses

std::uint64_t Hpet::read(std::uint64_t offset, unsigned width) {
  settle();
  const auto reg = core::align_down<std::uint64_t>(offset, kWidth);
  const auto value = reg == MAIN_CNT ? counter() : regs_.read(reg, kWidth);
  return (value >> (8 * (offset - reg))) & core::all_ones(width);
}

void Hpet::write(std::uint64_t offset, unsigned width, std::uint64_t value) {
  if (width < 4 || offset % width != 0) return;
  settle();
  const auto reg = core::align_down<std::uint64_t>(offset, kWidth);
  if (reg == MAIN_CNT && runs()) return;  // [2.3.7] only while it is halted
  for (unsigned timer = 0; timer < kTimers; ++timer) {
    if (reg == config_offset(timer)) return write_timer_config(timer, offset, width, value);
    if (reg == comparator_offset(timer)) return write_comparator(timer, offset, width, value);
  }
  write_general(offset, width, value);
}

void Hpet::write_general(std::uint64_t offset, unsigned width, std::uint64_t value) {
  const auto before = regs_.value(GEN_CONF, kWidth);
  const auto count = counter();
  regs_.write(offset, width, value);
  const auto changes = before ^ regs_.value(GEN_CONF, kWidth);
  if (changes != 0) {
    for (auto& timer : state_.timer)
      timer.pulsed = false;
  }
  if ((changes & ENABLE_CNF) != 0) {
    regs_.set(MAIN_CNT, kWidth, count);
    state_.offset = runs() ? count - ticks() : 0;
    for (unsigned timer = 0; timer < kTimers; ++timer)
      expect_match(timer, false);
  }
  update_irqs();
}

void Hpet::write_timer_config(unsigned timer, std::uint64_t offset, unsigned width, std::uint64_t value) {
  const auto before = config(timer);
  regs_.write(offset, width, value);
  // [2.3.8] A route that there is not is not taken.
  if (!core::bit(kPins, route(timer))) set_config(timer, (config(timer) & ~INT_ROUTE_CNF) | (before & INT_ROUTE_CNF));
  const auto changes = before ^ config(timer);
  if ((changes & ~VAL_SET_CNF) != 0) state_.timer[timer].pulsed = false;
  if ((changes & MODE32_CNF) != 0) {
    set_comparator(timer, comparator(timer));
    state_.timer[timer].period &= mask(timer);
    expect_match(timer, false);
  }
  arm(timer, 0);
  update_irqs();
}

// [2.3.9.2.2] In periodic mode the period is written, and the comparator with it if VAL_SET_CNF was set before.
void Hpet::write_comparator(unsigned timer, std::uint64_t offset, unsigned width, std::uint64_t value) {
  const auto periodic = (config(timer) & TYPE_CNF) != 0;
  auto& period = state_.timer[timer].period;
  if (periodic) period = merged(period, offset % kWidth, width, value) & mask(timer);
  if (periodic && (config(timer) & VAL_SET_CNF) == 0) return;
  set_config(timer, config(timer) & ~VAL_SET_CNF);
  set_comparator(timer, merged(comparator(timer), offset % kWidth, width, value));
  expect_match(timer, true);
}

// ---- matches

// Works out when the comparator will match. All ones is what a comparator holds that nobody uses.
void Hpet::expect_match(unsigned timer, bool may_be_late) {
  auto& state = state_.timer[timer];
  const auto all = mask(timer);
  const auto count = counter();
  auto left = (comparator(timer) - count) & all;
  const auto late = (count - comparator(timer)) & all;
  if (may_be_late && late < kLatest && comparator(timer) != all) left = 0;
  state.waits = runs() && left <= kAllOnes / 2;  // else it is thousands of years away
  state.due = state.waits ? count + left : 0;
  arm(timer, 0);
}

void Hpet::arm(unsigned timer, std::uint64_t least_ticks) {
  const auto& state = state_.timer[timer];
  if (!state.waits || !interrupts(timer)) {
    timers_[timer]->cancel();
    return;
  }
  const auto left = state.due - counter();
  const bool passed = left > kAllOnes / 2;
  const auto wait = std::clamp(passed ? 0 : left, least_ticks, kMostTicks);
  timers_[timer]->arm(core::GuestTime((static_cast<std::int64_t>(ticks() + wait)) * kNsPerTick));
}

void Hpet::fire(unsigned timer) {
  if (!matched(timer)) {  // it was further off than a timer is armed for
    arm(timer, 0);
    return;
  }
  expect_next(timer);
  arm(timer, kMinTicks);
  interrupt(timer);
}

bool Hpet::matched(unsigned timer) const {
  const auto& state = state_.timer[timer];
  return state.waits && counter() - state.due <= kAllOnes / 2;
}

// After a match. One that matched once matches again when the counter has come round, which it does not in 64 bits.
void Hpet::expect_next(unsigned timer) {
  auto& state = state_.timer[timer];
  const auto round = mask(timer) == kAllOnes ? 0 : mask(timer) + 1;
  const auto period = (config(timer) & TYPE_CNF) != 0 && state.period != 0 ? state.period : round;
  if (period == 0) {
    state.waits = false;
    return;
  }
  const auto step = ((counter() - state.due) / period + 1) * period;
  state.due += step;
  set_comparator(timer, comparator(timer) + step);
}

// What has matched since the last look without an interrupt, for which no timer is armed.
void Hpet::settle() {
  for (unsigned timer = 0; timer < kTimers; ++timer) {
    if (interrupts(timer) || !matched(timer)) continue;
    expect_next(timer);
    if ((config(timer) & INT_TYPE_CNF) != 0)
      regs_.set(GINTR_STA, kWidth, regs_.value(GINTR_STA, kWidth) | std::uint64_t{1} << timer);
  }
}

void Hpet::interrupt(unsigned timer) {
  if ((config(timer) & INT_TYPE_CNF) != 0) {
    regs_.set(GINTR_STA, kWidth, regs_.value(GINTR_STA, kWidth) | std::uint64_t{1} << timer);
  } else {
    state_.timer[timer].pulsed = false;
    update_irqs();
    state_.timer[timer].pulsed = true;
  }
  update_irqs();
}

void Hpet::update_irqs() {
  std::array<bool, kInputs.size()> levels{};
  for (unsigned timer = 0; timer < kTimers; ++timer) {
    if (!interrupts(timer) || !runs()) continue;
    const bool is_level = (config(timer) & INT_TYPE_CNF) != 0;
    const bool raised = is_level ? core::bit(regs_.value(GINTR_STA, kWidth), timer) : state_.timer[timer].pulsed;
    const bool replacing = replaces() && timer < 2;  // [2.3.5] timers 0 and 1 only
    const auto* input = std::ranges::find(kInputs, replacing ? kInputs[timer] : route(timer));
    if (raised) levels[static_cast<std::size_t>(input - kInputs.begin())] = true;
  }
  for (std::size_t i = 0; i < lines_.size(); ++i)
    lines_[i].set(levels[i]);
  wiring_.irqs.set(replaces());
}

}  // namespace devices::platform
