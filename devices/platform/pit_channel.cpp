#include "devices/platform/pit_channel.h"

#include <algorithm>
#include <utility>

namespace devices::platform {

using namespace pit_abi;

namespace {

constexpr std::int64_t kLongAgo = std::int64_t{1} << 50;  // 30 years of ticks: keeps sums of loaded times in range

// The chip takes digits as they come; beyond 9 they count as what they are worth, at most the whole range.
std::uint32_t from_bcd(std::uint16_t raw) {
  const auto digit = [raw](unsigned at) { return std::uint32_t{raw} >> (4 * at) & 15U; };
  return std::min(digit(3) * 1000 + digit(2) * 100 + digit(1) * 10 + digit(0), 10'000U);
}

std::uint16_t to_bcd(std::int64_t value) {
  return static_cast<std::uint16_t>(value / 1000 % 10 << 12 | value / 100 % 10 << 8 | value / 10 % 10 << 4 |
                                    value % 10);
}

}  // namespace

void PitChannel::visit(core::StateVisitor& v) {
  v.field("mode", mode_);
  v.field("access", access_);
  v.field("bcd", bcd_);
  v.field("gate", gate_);
  v.field("has_count", has_count_);
  v.field("null_count", null_count_);
  v.field("reload", reload_);
  v.field("count", count_);
  v.field("phase", phase_);
  v.field("start", start_);
  v.field("held", held_);
  v.field("take_at", take_at_);
  v.field("write_high_next", write_high_next_);
  v.field("read_high_next", read_high_next_);
  v.field("low_byte", low_byte_);
  v.field("count_latched", count_latched_);
  v.field("status_latched", status_latched_);
  v.field("latched_count", latched_count_);
  v.field("latched_status", latched_status_);
}

void PitChannel::sanitise(Ticks now) {
  mode_ = std::min<std::uint8_t>(mode_, kHardwareStrobe);
  if (access_ < kLowByte || access_ > kBothBytes) access_ = kBothBytes;
  reload_ = std::clamp<std::uint32_t>(reload_, 1, 0x10000);
  count_ = std::clamp<std::uint32_t>(count_, 1, 0x10000);
  if (phase_ > Phase::Paused) phase_ = Phase::Idle;
  // Half a square wave may have begun before the clock did.
  if (start_ > now || start_ < -kLongAgo) start_ = now;
  held_ = std::clamp<Ticks>(held_, 0, 0x20000);
  if (waits_for_period()) take_at_ = std::clamp<Ticks>(take_at_, start_, start_ + count_);
}

void PitChannel::write_control(std::uint8_t control, Ticks now) {
  settle(now);
  held_ = 0;
  const auto mode = static_cast<std::uint8_t>(control >> 1 & 7);
  mode_ = mode > kHardwareStrobe ? static_cast<std::uint8_t>(mode & 3) : mode;  // bit 2 is "don't care" for 2 and 3
  access_ = control >> 4 & 3;
  bcd_ = (control & 1) != 0;
  has_count_ = false;
  null_count_ = true;
  phase_ = Phase::Idle;
  write_high_next_ = read_high_next_ = false;
  count_latched_ = status_latched_ = false;
}

void PitChannel::write(std::uint8_t value, Ticks now) {
  settle(now);
  if (access_ == kLowByte) {
    count_written(value, now);
  } else if (access_ == kHighByte) {
    count_written(static_cast<std::uint16_t>(value << 8), now);
  } else if (!write_high_next_) {
    low_byte_ = value;
    write_high_next_ = true;
    // The first of two bytes stops the count and takes OUT low. [8254, Mode 0]
    if (mode_ == kTerminalCount) {
      pause(now);
      phase_ = Phase::Idle;
    }
  } else {
    write_high_next_ = false;
    count_written(static_cast<std::uint16_t>(value << 8 | low_byte_), now);
  }
}

void PitChannel::count_written(std::uint16_t raw, Ticks now) {
  const auto count = bcd_ ? from_bcd(raw) : raw;
  reload_ = count == 0 ? static_cast<std::uint32_t>(modulus()) : count;
  null_count_ = true;
  const bool first = !has_count_;
  has_count_ = true;
  if (triggered()) return;  // waits for the gate
  if (!repeats() || first) {
    start(now);
    return;
  }
  if (phase_ != Phase::Counting) return;
  // A running rate takes the new count where its period ends, a square wave where its half period does.
  start_ += elapsed(now) / count_ * count_;
  const bool in_high_half = mode_ == kSquareWave && elapsed(now) < high_half(count_);
  take_at_ = start_ + (in_high_half ? high_half(count_) : Ticks{count_});
}

// Loads the counting element.
void PitChannel::start(Ticks now) {
  count_ = reload_;
  null_count_ = false;
  start_ = now;
  held_ = 0;
  phase_ = gate_ || triggered() ? Phase::Counting : Phase::Paused;
}

void PitChannel::pause(Ticks now) {
  if (phase_ != Phase::Counting) return;
  const Ticks gone = elapsed(now);
  if (repeats()) {
    held_ = gone % count_;
  } else {
    held_ = gone < count_ ? gone : count_ + (gone - count_) % modulus();
  }
  phase_ = Phase::Paused;
}

void PitChannel::set_gate(bool gate, Ticks now) {
  settle(now);
  if (gate == std::exchange(gate_, gate)) return;
  if (triggered()) {
    if (gate && has_count_) start(now);
  } else if (!gate) {
    pause(now);
  } else if (phase_ == Phase::Paused) {
    if (repeats()) {
      start(now);
    } else {
      start_ = now - held_;
      phase_ = Phase::Counting;
    }
  }
}

void PitChannel::settle(Ticks now) {
  if (!waits_for_period() || now < take_at_) return;
  start_ = take_at_ - (takes_at_half() ? high_half(reload_) : 0);
  count_ = reload_;
  null_count_ = false;
}

bool PitChannel::output(Ticks now) {
  settle(now);
  const Ticks gone = elapsed(now);
  if (phase_ == Phase::Idle) return mode_ != kTerminalCount;
  switch (mode_) {
    case kTerminalCount:
    case kHardwareOneShot: return gone >= count_;
    case kRateGenerator: return phase_ == Phase::Paused || count_ == 1 || gone % count_ != count_ - 1;
    case kSquareWave: return phase_ == Phase::Paused || count_ == 1 || gone % count_ < high_half(count_);
    default: return gone != count_;
  }
}

std::optional<PitChannel::Ticks> PitChannel::next_rise(Ticks now) {
  settle(now);
  if (phase_ != Phase::Counting) return std::nullopt;
  const Ticks gone = elapsed(now);
  if (repeats()) {
    if (count_ == 1) return std::nullopt;  // not allowed in these modes [8254, Minimum and Maximum initial counts]
    if (waits_for_period() && takes_at_half()) return take_at_ - high_half(reload_) + reload_;
    return start_ + (gone / count_ + 1) * count_;
  }
  const Ticks rise = mode_ == kTerminalCount || mode_ == kHardwareOneShot ? count_ : Ticks{count_} + 1;
  if (gone >= rise) return std::nullopt;
  return start_ + rise;
}

std::optional<PitChannel::Ticks> PitChannel::period() const {
  if (!repeats() || phase_ != Phase::Counting || count_ == 1) return std::nullopt;
  return count_;
}

std::uint16_t PitChannel::value(Ticks now) const {
  const Ticks gone = elapsed(now);
  Ticks left = 0;
  if (mode_ == kRateGenerator) {
    left = count_ - gone % count_;
  } else if (mode_ == kSquareWave) {  // counts down by two in each half
    const Ticks at = gone % count_;
    left = (count_ & ~1U) - 2 * (at < high_half(count_) ? at : at - high_half(count_));
  } else {
    left = (count_ - gone) % modulus();
    if (left < 0) left += modulus();
  }
  left %= modulus();
  return bcd_ ? to_bcd(left) : static_cast<std::uint16_t>(left);
}

std::uint8_t PitChannel::read(Ticks now) {
  settle(now);
  if (status_latched_) {
    status_latched_ = false;
    return latched_status_;
  }
  const auto current = count_latched_ ? latched_count_ : value(now);
  const bool high = access_ == kHighByte || (access_ == kBothBytes && read_high_next_);
  const bool last = access_ != kBothBytes || read_high_next_;
  if (access_ == kBothBytes) read_high_next_ = !read_high_next_;
  if (last) count_latched_ = false;
  return static_cast<std::uint8_t>(high ? current >> 8 : current);
}

void PitChannel::latch_count(Ticks now) {
  settle(now);
  if (count_latched_) return;
  latched_count_ = value(now);
  count_latched_ = true;
}

void PitChannel::latch_status(Ticks now) {
  if (status_latched_) return;
  latched_status_ =
      static_cast<std::uint8_t>((output(now) ? kStatusOutput : 0) | (null_count_ ? kStatusNullCount : 0) |
                                access_ << kStatusAccessShift | mode_ << kStatusModeShift | (bcd_ ? 1 : 0));
  status_latched_ = true;
}

}  // namespace devices::platform
