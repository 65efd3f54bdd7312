#include "vmm/cpu/soft/local_apic.h"

#include <algorithm>
#include <bit>

#include "core/base/bits.h"
#include "core/base/endian.h"
#include "vmm/cpu/soft/features.h"
#include "vmm/cpu/soft/local_apic_abi.h"

namespace vmm::cpu::soft {

namespace {

// [SDM 3A 11.4.4]
constexpr std::uint64_t kBaseAtReset = 0xfee0'0000;
constexpr std::uint64_t kPageMask = ~std::uint64_t{0xfff};
// As 82489DX and this machine's firmware have it: the boot CPU's LINT0 passes the 8259 until somebody says otherwise.
constexpr std::uint32_t kLint0ExtInt = static_cast<std::uint32_t>(DeliveryMode::ExtInt) << 8;
// A guest that asks for more gets fewer: the host has other things to do.
constexpr std::uint64_t kShortestPeriod_ns = 20'000;
constexpr std::uint32_t kWords = 8;  // of ISR, TMR, IRR

DeliveryMode mode_of(std::uint32_t bits) {
  return static_cast<DeliveryMode>(bits >> 8 & 7);
}

}  // namespace

ApicMessage decode_msi(std::uint64_t address, std::uint32_t data) {
  const bool logical = core::bit(address, 2);
  const bool redirect = core::bit(address, 3);
  ApicMessage message{.vector = static_cast<std::uint8_t>(data),
                      .mode = mode_of(data),
                      .level = core::bit(data, 15),
                      .logical = logical,
                      .destination = static_cast<std::uint32_t>(core::bits(address, 12, 8))};
  // The redirection hint lets the chipset choose among those that a logical destination names.
  if (redirect && logical && message.mode == DeliveryMode::Fixed) message.mode = DeliveryMode::LowestPriority;
  return message;
}

void LocalApic::reset() {
  base_ = kBaseAtReset | kBaseEnable | (cpu_.index == 0 ? kBaseBsp : 0);
  reset_registers();
  update_page();
}

void LocalApic::initialize() {
  const std::uint32_t id = reg(apic::kId);
  reset_registers();
  reg(apic::kId) = id;
  if (is_x2apic()) update_page();
}

void LocalApic::reset_registers() {
  registers_.fill(0);
  reg(apic::kId) = cpu_.index << 24;
  reg(apic::kVersion) = apic::kVersionValue;
  reg(apic::kDfr) = 0xffff'ffff;
  reg(apic::kSvr) = 0xff;
  for (std::uint32_t offset = apic::kLvtTimer; offset <= apic::kLvtError; offset += 16)
    reg(offset) = apic::kLvtMasked;
  if (cpu_.index == 0) reg(apic::kLvtLint0) = kLint0ExtInt;
  timer_deadline_ = kNever;
  tsc_deadline_ = 0;
  start_up_.reset();
}

void LocalApic::update_page() {
  page_ = is_enabled() && !is_x2apic() ? base_ & kPageMask : kNoPage;
  // [SDM 3A 11.12.10.2]
  if (is_x2apic()) reg(apic::kLdr) = cpu_.index >> 4 << 16 | 1u << (cpu_.index & 15);
}

// [SDM 3A 11.12.5] which changes of mode exist.
bool LocalApic::write_base(std::uint64_t value) {
  const std::uint64_t allowed = kBaseBsp | kBaseEnable | (cpu_.features->has(Feature::X2apic) ? kBaseX2apic : 0) |
                                (kPageMask & ((std::uint64_t{1} << Mmu::kPhysicalBits) - 1));
  if ((value & ~allowed) != 0) return false;
  const bool enable = (value & kBaseEnable) != 0;
  const bool x2apic = (value & kBaseX2apic) != 0;
  if (x2apic && !enable) return false;
  if (enable && is_x2apic() && !x2apic) return false;
  if (x2apic && !is_enabled()) return false;
  const bool was_x2apic = is_x2apic();
  const bool off = is_enabled() && !enable;
  base_ = value;
  if (off) reset_registers();
  if (x2apic && !was_x2apic) {
    reg(apic::kId) = cpu_.index;
    reg(apic::kIcrHigh) = 0;
  }
  update_page();
  look_again();
  return true;
}

std::uint8_t LocalApic::tpr() const {
  return static_cast<std::uint8_t>(reg(apic::kTpr));
}

void LocalApic::set_tpr(std::uint8_t value) {
  reg(apic::kTpr) = value;
  if (has_interrupt()) look_again();
}

namespace {

// The highest vector that is set in ISR or IRR; -1: none.
int highest(std::span<const std::uint32_t> words) {
  for (std::uint32_t i = kWords; i-- > 0;) {
    if (words[i] != 0) return static_cast<int>(i * 32 + static_cast<std::uint32_t>(std::bit_width(words[i])) - 1);
  }
  return -1;
}

}  // namespace

// [SDM 3A 11.8.3.1]
std::uint8_t LocalApic::priority() const {
  const int serviced = highest(std::span(registers_).subspan(apic::kIsr >> 4, kWords));
  const int task = tpr();
  if (serviced < 0 || task >> 4 >= serviced >> 4) return static_cast<std::uint8_t>(task);
  return static_cast<std::uint8_t>(serviced & 0xf0);
}

bool LocalApic::takes_fixed() const {
  return is_enabled() && (reg(apic::kSvr) & apic::kSvrEnable) != 0;
}

bool LocalApic::has_interrupt() const {
  if (!is_enabled()) return false;
  const int requested = highest(std::span(registers_).subspan(apic::kIrr >> 4, kWords));
  return requested >= 0 && requested >> 4 > priority() >> 4;
}

std::optional<std::uint8_t> LocalApic::take() {
  if (!has_interrupt()) return std::nullopt;
  const auto vector = static_cast<std::uint32_t>(highest(std::span(registers_).subspan(apic::kIrr >> 4, kWords)));
  const std::uint32_t bit = 1u << vector % 32;
  reg(apic::kIrr + vector / 32 * 16) &= ~bit;
  reg(apic::kIsr + vector / 32 * 16) |= bit;
  return static_cast<std::uint8_t>(vector);
}

bool LocalApic::passes_ext_int() const {
  if (!is_enabled()) return true;
  const std::uint32_t lint0 = reg(apic::kLvtLint0);
  return (lint0 & apic::kLvtMasked) == 0 && mode_of(lint0) == DeliveryMode::ExtInt;
}

std::optional<std::uint8_t> LocalApic::take_start_up() {
  const auto vector = start_up_;
  start_up_.reset();
  return vector;
}

// [SDM 3A 11.8.4] vectors below 16 are illegal.
void LocalApic::accept(std::uint8_t vector, bool level) {
  if (!takes_fixed()) return;
  if (vector < 16) return note_error(apic::kErrorReceiveVector);
  const std::uint32_t bit = 1u << vector % 32;
  const std::uint32_t at = vector / 32u * 16;
  reg(apic::kIrr + at) |= bit;
  reg(apic::kTmr + at) = level ? reg(apic::kTmr + at) | bit : reg(apic::kTmr + at) & ~bit;
  look_again();
}

void LocalApic::end_of_interrupt() {
  const int serviced = highest(std::span(registers_).subspan(apic::kIsr >> 4, kWords));
  if (serviced < 0) return;
  const auto vector = static_cast<std::uint32_t>(serviced);
  const std::uint32_t bit = 1u << vector % 32;
  const std::uint32_t at = vector / 32 * 16;
  reg(apic::kIsr + at) &= ~bit;
  if ((reg(apic::kTmr + at) & bit) != 0) bus_.end_level_interrupt(static_cast<std::uint8_t>(vector));
  if (has_interrupt()) look_again();
}

void LocalApic::note_error(std::uint32_t bit) {
  if ((reg(apic::kHiddenErrors) & bit) != 0) return;
  reg(apic::kHiddenErrors) |= bit;
  // The entry's own vector may be illegal, which is one more error but no further interrupt.
  if ((reg(apic::kLvtError) & apic::kLvtVector) >= 16) deliver_local(apic::kLvtError);
}

// [SDM 3A 11.5.1]
void LocalApic::deliver_local(std::uint32_t offset) {
  const std::uint32_t entry = reg(offset);
  if ((entry & apic::kLvtMasked) != 0) return;
  ApicMessage message{.vector = static_cast<std::uint8_t>(entry & apic::kLvtVector)};
  const bool has_mode = offset != apic::kLvtTimer && offset != apic::kLvtError;
  if (has_mode) message.mode = mode_of(entry);
  receive(message);
}

void LocalApic::receive(const ApicMessage& message) {
  switch (message.mode) {
    case DeliveryMode::Fixed:
    case DeliveryMode::LowestPriority: return accept(message.vector, message.level);
    case DeliveryMode::Nmi: cpu_.nmi_pending = true; break;
    case DeliveryMode::Init:
      if (!message.asserted) return;
      cpu_.init_pending = true;
      start_up_.reset();
      break;
    case DeliveryMode::StartUp: start_up_ = message.vector; break;
    default: return;  // SMI, and the 8259's by message: nothing here takes them
  }
  look_again();
}

void LocalApic::send_ipi() {
  const std::uint32_t low = reg(apic::kIcrLow);
  const std::uint32_t high = reg(apic::kIcrHigh);
  ApicMessage message{.vector = static_cast<std::uint8_t>(low),
                      .mode = mode_of(low),
                      .level = (low & apic::kIcrLevel) != 0,
                      .asserted = (low & apic::kIcrAssert) != 0,
                      .logical = (low & apic::kIcrLogical) != 0,
                      .extended = is_x2apic(),
                      .shorthand = static_cast<Shorthand>(low >> 18 & 3),
                      .destination = is_x2apic() ? high : high >> 24};
  const bool takes_vector = message.mode == DeliveryMode::Fixed || message.mode == DeliveryMode::LowestPriority;
  if (takes_vector && message.vector < 16) return note_error(apic::kErrorSendVector);
  // [SDM 3A 11.6.1] only INIT knows a level de-assert; all other IPIs are edges.
  if (message.mode != DeliveryMode::Init) {
    message.asserted = true;
    message.level = false;
  } else if (!message.level) {
    message.asserted = true;
  }
  bus_.send(message, cpu_.index);
}

// [SDM 3A 11.6.2, 11.12.10]
bool LocalApic::is_destination(const ApicMessage& message) const {
  const std::uint32_t wanted = message.destination;
  if (wanted == (message.extended ? 0xffff'ffff : 0xff)) return true;
  if (!message.logical) return wanted == (is_x2apic() ? reg(apic::kId) : reg(apic::kId) >> 24);
  const std::uint32_t ldr = reg(apic::kLdr);
  if (is_x2apic()) return ldr >> 16 == wanted >> 16 && (ldr & wanted & 0xffff) != 0;
  const std::uint32_t mine = ldr >> 24;
  if (reg(apic::kDfr) >> 28 == 0xf) return (mine & wanted) != 0;
  if (reg(apic::kDfr) >> 28 != 0) return false;
  return (wanted >> 4 == 0xf || mine >> 4 == wanted >> 4) && (mine & wanted & 0xf) != 0;
}

// --- The timer. [SDM 3A 11.5.4] Its clock has a period of 1 ns. ---

bool LocalApic::uses_tsc_deadline() const {
  return (reg(apic::kLvtTimer) & apic::kLvtTscDeadline) != 0;
}

std::uint64_t LocalApic::divider() const {
  const std::uint32_t code = (reg(apic::kDivide) & 3) | (reg(apic::kDivide) >> 1 & 4);
  return code == 7 ? 1 : std::uint64_t{2} << code;
}

std::uint32_t LocalApic::current_count() const {
  const std::uint64_t now = bus_.now();
  if (timer_deadline_ == kNever) return 0;
  if (timer_deadline_ <= now) {
    // It has come round and advance() has not seen it yet.
    const std::uint64_t count = reg(apic::kInitialCount);
    const bool periodic = (reg(apic::kLvtTimer) & apic::kLvtPeriodic) != 0 && count != 0;
    return periodic ? static_cast<std::uint32_t>(count - (now - timer_deadline_) / divider() % count) : 0;
  }
  return static_cast<std::uint32_t>(std::min<std::uint64_t>((timer_deadline_ - now) / divider(), 0xffff'ffff));
}

void LocalApic::start_timer(std::uint64_t ticks) {
  timer_deadline_ = ticks == 0 ? kNever : bus_.now() + ticks * divider();
  look_again();
}

std::uint64_t LocalApic::deadline() const {
  if (!uses_tsc_deadline()) return timer_deadline_;
  if (tsc_deadline_ == 0) return kNever;
  const std::uint64_t now = bus_.now();
  const std::uint64_t stamp = now + cpu_.tsc_offset;
  if (stamp >= tsc_deadline_) return now - std::min(now, stamp - tsc_deadline_);
  const std::uint64_t wait = tsc_deadline_ - stamp;
  return wait < kNever - now ? now + wait : kNever;
}

void LocalApic::advance(std::uint64_t now) {
  if (deadline() > now) return;
  if (uses_tsc_deadline()) {
    tsc_deadline_ = 0;
  } else if ((reg(apic::kLvtTimer) & apic::kLvtPeriodic) != 0) {
    const std::uint64_t period = std::max(reg(apic::kInitialCount) * divider(), kShortestPeriod_ns);
    timer_deadline_ += ((now - timer_deadline_) / period + 1) * period;
  } else {
    timer_deadline_ = kNever;
  }
  deliver_local(apic::kLvtTimer);
}

// --- The saved state. ---

void LocalApic::save_page(std::span<std::uint8_t, kPageBytes> page) const {
  std::ranges::fill(page, std::uint8_t{0});
  for (std::uint32_t offset = 0; offset < kPageBytes; offset += 16)
    core::store_le(page.data() + offset, reg(offset));
  core::store_le(page.data() + apic::kPpr, std::uint32_t{priority()});
  core::store_le(page.data() + apic::kCurrentCount, current_count());
  // The page has the ID in one form only, whatever the mode.
  core::store_le(page.data() + apic::kId, is_x2apic() ? reg(apic::kId) << 24 : reg(apic::kId));
}

core::Result<> LocalApic::load(std::uint64_t base, std::span<const std::uint8_t, kPageBytes> page,
                               std::uint64_t tsc_deadline) {
  reset();
  // One step at a time: from off, or to x2APIC mode, as the CPU itself would get there.
  if (!write_base(base & ~kBaseX2apic) || !write_base(base)) {
    return core::fail("the saved local APIC's base {:#x} is none that this CPU can have", base);
  }
  const std::uint32_t id = reg(apic::kId);
  const std::uint32_t ldr = reg(apic::kLdr);
  for (std::uint32_t offset = 0; offset < kPageBytes; offset += 16)
    reg(offset) = core::load_le<std::uint32_t>(page.data() + offset);
  reg(apic::kVersion) = apic::kVersionValue;
  if (is_x2apic()) {
    reg(apic::kId) = id;
    reg(apic::kLdr) = ldr;
  }
  reg(apic::kTpr) &= 0xff;
  reg(apic::kIrr) &= 0xffff'0000;  // there are no such vectors
  if (!cpu_.features->has(Feature::TscDeadline)) reg(apic::kLvtTimer) &= ~apic::kLvtTscDeadline;
  tsc_deadline_ = uses_tsc_deadline() ? tsc_deadline : 0;
  const std::uint32_t left = reg(apic::kCurrentCount);
  reg(apic::kCurrentCount) = reg(apic::kPpr) = 0;
  if (!uses_tsc_deadline()) start_timer(left);
  look_again();
  return {};
}

}  // namespace vmm::cpu::soft
