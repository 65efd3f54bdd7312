#include "devices/platform/rtc.h"

#include <algorithm>
#include <mutex>

#include "core/base/bits.h"
#include "devices/platform/rtc_abi.h"

namespace devices::platform {

using namespace rtc_abi;

namespace {

constexpr std::int64_t kNsPerSecond = 1'000'000'000;
constexpr std::int64_t kHalfSecond = kNsPerSecond / 2;
constexpr std::int64_t kLongAgo = std::int64_t{1} << 60;  // 36 years: keeps sums of loaded times in range
constexpr std::uint32_t kMostOwed = 64;                   // as many as a guest may catch up on: a second of 64 Hz
constexpr std::int64_t kCatchUpRate = 4;

std::int64_t to_crystal(std::int64_t ns) {
  return ns / kNsPerSecond * kCrystalHz + ns % kNsPerSecond * kCrystalHz / kNsPerSecond;
}

std::int64_t to_ns(std::int64_t clocks) {
  const auto part = clocks % kCrystalHz * kNsPerSecond;
  return clocks / kCrystalHz * kNsPerSecond + (part + kCrystalHz - 1) / kCrystalHz;
}

bool is_date(std::uint8_t index) {
  return index == kCentury || index == kSeconds || index == kMinutes || index == kHours ||
         (index >= kDayOfWeek && index <= kYear);
}

}  // namespace

void Rtc::State::visit(core::StateVisitor& v) {
  v.field("cmos", cmos);
  v.field("extended", extended);
  v.field("index", index);
  v.field("extended_index", extended_index);
  v.field("nmi_masked", nmi_masked);
  v.field("base_seconds", base_seconds);
  v.field("base_time", base_time);
  v.field("settled_second", settled_second);
  v.field("settled_period", settled_period);
  v.field("owed", owed);
}

Rtc::Rtc(const Config& config, Wiring wiring)
    : clock_(wiring.clock),
      makes_up_(config.makes_up),
      nmi_mask_(std::move(wiring.nmi_mask)),
      alarm_(std::move(wiring.alarm)),
      irq_(wiring.isa, 8),
      timer_(clock_.create_timer(lock(), [this] { fire(); })) {
  state_.cmos = cmos_contents(config.cmos);
  a() = kDivider32768 | 6;  // 1024 Hz
  b() = kHours24;
  state_.cmos[kRegisterD] = kValidRam;
  const auto start = std::chrono::floor<std::chrono::seconds>(config.start);
  state_.base_seconds = clamp_calendar(start.time_since_epoch().count());
  state_.base_time = -(config.start - start).count();
  state_.settled_second = state_.base_seconds;
  store_calendar(state_.base_seconds, state_.cmos);
}

core::Result<> Rtc::attach(core::AddressSpace& io) {
  auto ports = io.add({.start = kPort, .size = 4, .max_width = 1}, handler_, lock(), state_name());
  if (!ports) return core::fail_with(state_name(), ports);
  ports_ = std::move(*ports);
  index_posted_ = io.add_posted({kPort, 1});  // an index alone does nothing
  return {};
}

// What the RESET# pin does; the rest is on the battery. [MC146818A, RESET]
void Rtc::reset() {
  settle(now());
  b() &= static_cast<std::uint8_t>(~(kPeriodicEnable | kAlarmEnable | kUpdateEnable | kSquareWaveEnable));
  c() = 0;
  state_.index = state_.extended_index = 0;
  state_.owed = 0;
  set_nmi_mask(false);
  update_irq();
}

core::Result<> Rtc::state_loaded() {
  a() &= static_cast<std::uint8_t>(~kUpdateInProgress);
  c() &= kFlags;
  state_.cmos[kRegisterD] = kValidRam | (state_.cmos[kRegisterD] & kDateAlarm);
  state_.index &= kIndexMask;
  state_.extended_index &= kIndexMask;
  state_.base_seconds = clamp_calendar(state_.base_seconds);
  const auto time = now();
  state_.base_time = std::clamp<Ns>(state_.base_time, -kLongAgo, time);
  state_.settled_second = std::clamp(state_.settled_second, state_.base_seconds, second_at(time));
  if (const auto length = period(); length > 0) {
    state_.settled_period = std::clamp<std::int64_t>(state_.settled_period, 0, to_crystal(time) / length);
  }
  state_.owed = makes_up_ ? std::min(state_.owed, kMostOwed) : 0;
  set_nmi_mask(state_.nmi_masked);
  update_irq();
  return {};
}

// ---- time

bool Rtc::runs() const {
  return (state_.cmos[kRegisterB] & kSet) == 0 && (state_.cmos[kRegisterA] & kDividerMask) <= kDivider32768;
}

std::int64_t Rtc::second_at(Ns now) const {
  return state_.base_seconds + (now - state_.base_time) / kNsPerSecond;
}

Rtc::Ns Rtc::fraction_at(Ns now) const {
  return (now - state_.base_time) % kNsPerSecond;
}

Rtc::Ns Rtc::time_of(std::int64_t second) const {
  return state_.base_time + (second - state_.base_seconds) * kNsPerSecond;
}

// [MC146818A, table 5] for the 32768 Hz time base.
std::int64_t Rtc::period() const {
  const unsigned rate = state_.cmos[kRegisterA] & kRateMask;
  if (rate == 0 || (state_.cmos[kRegisterA] & kDividerMask) > kDivider32768) return 0;
  return std::int64_t{1} << (rate <= 2 ? rate + 6 : rate - 1);
}

void Rtc::stop_clock(Ns now) {
  store_calendar(second_at(now), state_.cmos);
}

// Takes the date from its bytes. The divider goes on: where in the second the clock is stays as it was.
void Rtc::start_clock(Ns now) {
  state_.base_time = now - fraction_at(now);
  state_.base_seconds = calendar_seconds(state_.cmos);
  state_.settled_second = state_.base_seconds;
}

// ---- flags and the interrupt

// Brings the flags up to now.
void Rtc::settle(Ns now) {
  settle_periodic(now);
  if (!runs()) return;
  const auto second = second_at(now);
  if (second <= state_.settled_second) return;
  c() |= kUpdateFlag;
  const auto alarm = next_alarm(state_.settled_second, state_.cmos);
  if (alarm && *alarm <= second) c() |= kAlarmFlag;
  state_.settled_second = second;
}

void Rtc::settle_periodic(Ns now) {
  const auto length = period();
  if (length == 0) return;
  const auto current = to_crystal(now) / length;
  const auto passed = current - state_.settled_period;
  if (passed <= 0) return;
  state_.settled_period = current;
  const int flagged = (c() & kPeriodicFlag) == 0 ? 1 : 0;
  if (makes_up_ && (b() & kPeriodicEnable) != 0) {
    state_.owed = static_cast<std::uint32_t>(std::min<std::int64_t>(state_.owed + passed - flagged, kMostOwed));
  }
  c() |= kPeriodicFlag;
}

void Rtc::update_irq() {
  irq_.set((b() & c() & kFlags) != 0);
  tell_alarm();
  arm(now());
}

void Rtc::arm(Ns now) {
  std::optional<Ns> next;
  const auto consider = [&next](std::optional<Ns> time) {
    if (time && (!next || *time < *next)) next = time;
  };
  if (!irq_.level()) {  // else the guest has to come first, and flags are settled when it does
    if ((b() & kPeriodicEnable) != 0) consider(next_periodic(now));
    if ((b() & kUpdateEnable) != 0 && runs()) consider(time_of(state_.settled_second + 1));
  }
  // An alarm wakes a guest that sleeps, whatever else it has not fetched.
  if ((b() & ~c() & kAlarmEnable) != 0 && runs()) consider(next_alarm_time());
  if (next) {
    timer_->arm(core::GuestTime(*next));
  } else {
    timer_->cancel();
  }
}

std::optional<Rtc::Ns> Rtc::next_periodic(Ns now) {
  const auto length = period();
  if (length == 0) return std::nullopt;
  const auto next = to_ns((state_.settled_period + 1) * length);
  return state_.owed == 0 ? next : std::min(next, now + to_ns(length) / kCatchUpRate);
}

std::optional<Rtc::Ns> Rtc::next_alarm_time() {
  const auto alarm = next_alarm(state_.settled_second, state_.cmos);
  return alarm ? std::optional(time_of(*alarm)) : std::nullopt;
}

void Rtc::fire() {
  settle(now());
  if (state_.owed > 0 && (b() & kPeriodicEnable) != 0 && (c() & kPeriodicFlag) == 0) {
    --state_.owed;
    c() |= kPeriodicFlag;
  }
  update_irq();
}

void Rtc::set_nmi_mask(bool masked) {
  state_.nmi_masked = masked;
  if (masked == std::exchange(told_nmi_masked_, masked)) return;
  if (nmi_mask_) nmi_mask_(masked);
}

void Rtc::tell_alarm() {
  const bool rings = (b() & c() & kAlarmFlag) != 0;
  if (rings && !told_alarm_ && alarm_) alarm_();
  told_alarm_ = rings;
}

bool Rtc::alarm_rings() {
  const std::scoped_lock guard(lock());
  settle(now());
  update_irq();
  return (b() & c() & kAlarmFlag) != 0;
}

std::optional<core::GuestTime> Rtc::next_ring() {
  const std::scoped_lock guard(lock());
  if ((b() & ~c() & kAlarmEnable) == 0 || !runs()) return std::nullopt;
  const auto time = next_alarm_time();
  return time ? std::optional(core::GuestTime(*time)) : std::nullopt;
}

void Rtc::set_shutdown_code(std::uint8_t code) {
  const std::scoped_lock guard(lock());
  state_.cmos[kShutdownCode] = code;
}

// ---- registers

std::uint64_t Rtc::read(std::uint64_t offset, unsigned) {
  switch (offset) {
    case 1: return read_cmos(state_.index);
    case 2: return state_.extended_index;
    case 3: return state_.extended[state_.extended_index];
    default: return 0xff;  // the index is write-only
  }
}

void Rtc::write(std::uint64_t offset, unsigned, std::uint64_t value) {
  const auto byte = static_cast<std::uint8_t>(value);
  switch (offset) {
    case 0:
      state_.index = byte & kIndexMask;
      set_nmi_mask((byte & kNmiMask) != 0);
      break;
    case 1: write_cmos(state_.index, byte); break;
    case 2: state_.extended_index = byte & kIndexMask; break;
    default: state_.extended[state_.extended_index] = byte; break;
  }
}

std::uint8_t Rtc::read_cmos(std::uint8_t index) {
  if (index == kCenturyPs2) index = kCentury;
  if (index == kRegisterC) return read_flags();
  const auto time = now();
  if (runs()) {
    if (is_date(index)) store_calendar(second_at(time), state_.cmos);
    if (index == kRegisterA && fraction_at(time) >= kNsPerSecond - kUpdateNs) return a() | kUpdateInProgress;
  }
  return state_.cmos[index];
}

std::uint8_t Rtc::read_flags() {
  settle(now());
  const bool interrupt = (b() & c()) != 0;
  const auto flags = static_cast<std::uint8_t>(c() | (interrupt ? kInterruptFlag : 0));
  c() = 0;
  update_irq();
  return flags;
}

void Rtc::write_cmos(std::uint8_t index, std::uint8_t value) {
  const auto time = now();
  if (index == kCenturyPs2) index = kCentury;
  settle(time);
  if (is_date(index)) {
    write_date(index, value, time);
  } else if (index == kRegisterA) {
    write_register_a(value, time);
  } else if (index == kRegisterB) {
    write_register_b(value, time);
  } else if (index == kRegisterD) {
    state_.cmos[index] = kValidRam | (value & kDateAlarm);
  } else if (index != kRegisterC) {  // that is read-only
    state_.cmos[index] = value;
  }
  update_irq();
}

void Rtc::write_date(std::uint8_t index, std::uint8_t value, Ns now) {
  if (runs()) stop_clock(now);
  state_.cmos[index] = value;
  if (runs()) start_clock(now);
}

void Rtc::write_register_a(std::uint8_t value, Ns now) {
  const bool ran = runs();
  if (ran) stop_clock(now);
  const bool was_reset = (a() & kDividerReset) == kDividerReset;
  a() = value & static_cast<std::uint8_t>(~kUpdateInProgress);
  // The first update follows half a second after the divider is let go. [MC146818A, Divider Control]
  if (was_reset && (a() & kDividerReset) != kDividerReset) state_.base_time = now - kHalfSecond;
  if (runs()) start_clock(now);
  state_.owed = 0;
  if (const auto length = period(); length > 0) state_.settled_period = to_crystal(now) / length;
}

void Rtc::write_register_b(std::uint8_t value, Ns now) {
  const bool ran = runs();
  if (ran && (value & kSet) != 0) stop_clock(now);
  // Setting SET clears the update-ended enable. [MC146818A, Register B]
  b() = (value & kSet) != 0 ? value & static_cast<std::uint8_t>(~kUpdateEnable) : value;
  if (!ran && runs()) start_clock(now);
  if ((b() & kPeriodicEnable) == 0) state_.owed = 0;
}

}  // namespace devices::platform
