// The register table of the local APIC and what its registers do: by page and by MSR. [SDM 3A 11.4.1, 11.12.1.2]
#include <algorithm>

#include "vmm/cpu/soft/features.h"
#include "vmm/cpu/soft/local_apic.h"
#include "vmm/cpu/soft/local_apic_abi.h"

namespace vmm::cpu::soft {

namespace {

enum class MsrAccess : std::uint8_t { None, Read, Write, ReadWrite };

struct ApicRegister {
  const char* name = "";
  std::uint32_t offset = 0;
  std::uint32_t writable = 0;
  MsrAccess msr = MsrAccess::ReadWrite;
  std::uint32_t (*read)(LocalApic&) = nullptr;         // nullptr: what is stored
  void (*write)(LocalApic&, std::uint32_t) = nullptr;  // nullptr: store; gets the writable bits
  bool msr_may_only_write_zero = false;
  unsigned count = 1;  // of registers in a row
};

bool is_readable(MsrAccess access) {
  return access == MsrAccess::Read || access == MsrAccess::ReadWrite;
}
bool is_writable(MsrAccess access) {
  return access == MsrAccess::Write || access == MsrAccess::ReadWrite;
}

}  // namespace

struct LocalApicRegisters {
  static std::uint32_t read_ppr(LocalApic& apic) { return apic.priority(); }
  static std::uint32_t read_current_count(LocalApic& apic) { return apic.current_count(); }
  static std::uint32_t read_nothing(LocalApic&) { return 0; }
  static void write_nothing(LocalApic&, std::uint32_t) {}

  static void write_tpr(LocalApic& apic, std::uint32_t value) { apic.set_tpr(static_cast<std::uint8_t>(value)); }
  static void write_eoi(LocalApic& apic, std::uint32_t) { apic.end_of_interrupt(); }
  static void write_dfr(LocalApic& apic, std::uint32_t value) { apic.reg(apic::kDfr) = value | 0x0fff'ffff; }
  // [SDM 3A 11.4.7.2] without its software's leave all local interrupts are masked.
  static void write_svr(LocalApic& apic, std::uint32_t value) {
    apic.reg(apic::kSvr) = value;
    if ((value & apic::kSvrEnable) != 0) return;
    for (std::uint32_t offset = apic::kLvtTimer; offset <= apic::kLvtError; offset += 16)
      apic.reg(offset) |= apic::kLvtMasked;
  }
  // [SDM 3A 11.5.3] a write shows what has come together since the last one.
  static void write_esr(LocalApic& apic, std::uint32_t) {
    apic.reg(apic::kEsr) = apic.reg(apic::kHiddenErrors);
    apic.reg(apic::kHiddenErrors) = 0;
  }
  static void write_icr_low(LocalApic& apic, std::uint32_t value) {
    apic.reg(apic::kIcrLow) = value;
    apic.send_ipi();
  }
  static void write_self_ipi(LocalApic& apic, std::uint32_t value) {
    apic.accept(static_cast<std::uint8_t>(value), false);
  }
  static std::uint32_t masked(const LocalApic& apic, std::uint32_t value) {
    return (apic.reg(apic::kSvr) & apic::kSvrEnable) != 0 ? value : value | apic::kLvtMasked;
  }
  // [SDM 3A 11.5.4] a change of the timer's mode to or from TSC deadline disarms it.
  static void write_lvt_timer(LocalApic& apic, std::uint32_t value) {
    const bool had_deadline = apic.uses_tsc_deadline();
    if (!apic.cpu_.features->has(Feature::TscDeadline)) value &= ~apic::kLvtTscDeadline;
    apic.reg(apic::kLvtTimer) = masked(apic, value);
    if (apic.uses_tsc_deadline() == had_deadline) return;
    apic.timer_deadline_ = LocalApic::kNever;
    apic.tsc_deadline_ = 0;
    apic.reg(apic::kInitialCount) = 0;
  }
  template <std::uint32_t kOffset>
  static void write_lvt(LocalApic& apic, std::uint32_t value) {
    apic.reg(kOffset) = masked(apic, value);
    apic.look_again();  // LINT0 may let the 8259 through now
  }
  static void write_initial_count(LocalApic& apic, std::uint32_t value) {
    if (apic.uses_tsc_deadline()) return;
    apic.reg(apic::kInitialCount) = value;
    apic.start_timer(value);
  }
  // What is left goes on at the new rate.
  static void write_divide(LocalApic& apic, std::uint32_t value) {
    const std::uint32_t left = apic.current_count();
    apic.reg(apic::kDivide) = value;
    if (apic.timer_deadline_ != LocalApic::kNever) apic.start_timer(left);
  }

  static const ApicRegister* find(std::uint32_t offset);
};

namespace {

using Registers = LocalApicRegisters;
using apic::kLvtMasked;
using apic::kLvtMode;
using apic::kLvtVector;

constexpr std::uint32_t kPin = kLvtVector | kLvtMode | 1u << 13 | apic::kLvtPinLevel | kLvtMasked;
constexpr std::uint32_t kEvent = kLvtVector | kLvtMode | kLvtMasked;
constexpr std::uint32_t kTimer = kLvtVector | kLvtMasked | apic::kLvtPeriodic | apic::kLvtTscDeadline;
constexpr std::uint32_t kIcr =
    kLvtVector | kLvtMode | apic::kIcrLogical | apic::kIcrAssert | apic::kIcrLevel | 3u << 18;

constexpr ApicRegister kRegisters[] = {
    {"ID", apic::kId, 0xff00'0000, MsrAccess::Read},                                                    // 11.4.6
    {"Version", apic::kVersion, 0, MsrAccess::Read},                                                    // 11.4.8
    {"TPR", apic::kTpr, 0xff, MsrAccess::ReadWrite, nullptr, Registers::write_tpr},                     // 11.8.3.1
    {"APR", apic::kApr, 0, MsrAccess::None, Registers::read_ppr},                                       // 11.6.2.4
    {"PPR", apic::kPpr, 0, MsrAccess::Read, Registers::read_ppr},                                       // 11.8.3.1
    {"EOI", apic::kEoi, ~0u, MsrAccess::Write, Registers::read_nothing, Registers::write_eoi, true},    // 11.8.5
    {"Remote read", 0xc0, 0, MsrAccess::None},                                                          // table 11-1
    {"LDR", apic::kLdr, 0xff00'0000, MsrAccess::Read},                                                  // 11.6.2.2
    {"DFR", apic::kDfr, 0xf000'0000, MsrAccess::None, nullptr, Registers::write_dfr},                   // 11.6.2.2
    {"SVR", apic::kSvr, 0x1ff, MsrAccess::ReadWrite, nullptr, Registers::write_svr},                    // 11.9
    {"ISR", apic::kIsr, 0, MsrAccess::Read, nullptr, nullptr, false, 8},                                // 11.8.4
    {"TMR", apic::kTmr, 0, MsrAccess::Read, nullptr, nullptr, false, 8},                                // 11.8.4
    {"IRR", apic::kIrr, 0, MsrAccess::Read, nullptr, nullptr, false, 8},                                // 11.8.4
    {"ESR", apic::kEsr, ~0u, MsrAccess::ReadWrite, nullptr, Registers::write_esr, true},                // 11.5.3
    {"ICR low", apic::kIcrLow, kIcr, MsrAccess::ReadWrite, nullptr, Registers::write_icr_low},          // 11.6.1
    {"ICR high", apic::kIcrHigh, 0xff00'0000, MsrAccess::None},                                         // 11.6.1
    {"LVT timer", apic::kLvtTimer, kTimer, MsrAccess::ReadWrite, nullptr, Registers::write_lvt_timer},  // 11.5.1
    {"LVT thermal", apic::kLvtThermal, kEvent, MsrAccess::ReadWrite, nullptr, Registers::write_lvt<apic::kLvtThermal>},
    {"LVT performance", apic::kLvtPerformance, kEvent, MsrAccess::ReadWrite, nullptr,
     Registers::write_lvt<apic::kLvtPerformance>},
    {"LVT LINT0", apic::kLvtLint0, kPin, MsrAccess::ReadWrite, nullptr, Registers::write_lvt<apic::kLvtLint0>},
    {"LVT LINT1", apic::kLvtLint1, kPin, MsrAccess::ReadWrite, nullptr, Registers::write_lvt<apic::kLvtLint1>},
    {"LVT error", apic::kLvtError, kLvtVector | kLvtMasked, MsrAccess::ReadWrite, nullptr,
     Registers::write_lvt<apic::kLvtError>},
    {"Initial count", apic::kInitialCount, ~0u, MsrAccess::ReadWrite, nullptr,
     Registers::write_initial_count},                                                                      // 11.5.4
    {"Current count", apic::kCurrentCount, 0, MsrAccess::Read, Registers::read_current_count},             // 11.5.4
    {"Divide configuration", apic::kDivide, 0xb, MsrAccess::ReadWrite, nullptr, Registers::write_divide},  // 11.5.4
    {"Self IPI", apic::kSelfIpi, 0xff, MsrAccess::Write, Registers::read_nothing,
     Registers::write_self_ipi},  // 11.12.11
};

constexpr std::uint32_t kX2apicReservedSvr = ~std::uint32_t{0x1ff};

}  // namespace

const ApicRegister* LocalApicRegisters::find(std::uint32_t offset) {
  const auto* found = std::ranges::find_if(kRegisters, [offset](const ApicRegister& row) {
    return offset >= row.offset && offset < row.offset + 16 * row.count;
  });
  return found == std::end(kRegisters) ? nullptr : found;
}

std::uint32_t LocalApic::mmio_read(std::uint32_t offset) {
  if (offset % 16 != 0) return 0;
  const ApicRegister* row = LocalApicRegisters::find(offset);
  if (row == nullptr || offset == apic::kSelfIpi) {
    note_error(apic::kErrorRegister);
    return 0;
  }
  return row->read != nullptr ? row->read(*this) : reg(offset);
}

void LocalApic::mmio_write(std::uint32_t offset, std::uint32_t value) {
  if (offset % 16 != 0) return;
  const ApicRegister* row = LocalApicRegisters::find(offset);
  if (row == nullptr || offset == apic::kSelfIpi) return note_error(apic::kErrorRegister);
  if (row->writable == 0) return;
  if (row->write != nullptr) return row->write(*this, value & row->writable);
  reg(offset) = value & row->writable;
}

bool LocalApic::read_msr(std::uint32_t index, std::uint64_t& value) {
  if (index == apic::kMsrBase) {
    value = base_;
    return true;
  }
  if (index == apic::kMsrTscDeadline) {
    value = tsc_deadline_;
    return cpu_.features->has(Feature::TscDeadline);
  }
  const std::uint32_t offset = (index - apic::kMsrX2apic) << 4;
  const ApicRegister* row = LocalApicRegisters::find(offset);
  if (!is_x2apic() || row == nullptr || !is_readable(row->msr)) return false;
  value = row->read != nullptr ? row->read(*this) : reg(offset);
  if (offset == apic::kIcrLow) value |= std::uint64_t{reg(apic::kIcrHigh)} << 32;
  return true;
}

bool LocalApic::write_msr(std::uint32_t index, std::uint64_t value) {
  if (index == apic::kMsrBase) return write_base(value);
  if (index != apic::kMsrTscDeadline) return write_x2apic((index - apic::kMsrX2apic) << 4, value);
  if (!cpu_.features->has(Feature::TscDeadline)) return false;
  if (uses_tsc_deadline()) {
    tsc_deadline_ = value;
    look_again();
  }
  return true;
}

// [SDM 3A 11.12.1.2] reserved bits are #GP there.
bool LocalApic::write_x2apic(std::uint32_t offset, std::uint64_t value) {
  const ApicRegister* row = LocalApicRegisters::find(offset);
  if (!is_x2apic() || row == nullptr || !is_writable(row->msr)) return false;
  if (row->msr_may_only_write_zero && value != 0) return false;
  const bool is_command = offset == apic::kIcrLow;
  // Delivery status and the like may be written as they were read.
  const std::uint64_t reserved = is_command             ? ~std::uint64_t{row->writable | apic::kLvtStatus} & 0xffff'ffff
                                 : offset == apic::kSvr ? ~std::uint64_t{0} << 32 | kX2apicReservedSvr
                                 : offset < apic::kLvtTimer || offset > apic::kLvtError
                                     ? ~std::uint64_t{row->writable}
                                     : ~std::uint64_t{row->writable | apic::kLvtStatus | 1u << 14};
  if ((value & reserved) != 0) return false;
  if (is_command) reg(apic::kIcrHigh) = static_cast<std::uint32_t>(value >> 32);
  const auto low = static_cast<std::uint32_t>(value) & row->writable;
  if (row->write != nullptr) {
    row->write(*this, low);
  } else {
    reg(offset) = low;
  }
  return true;
}

}  // namespace vmm::cpu::soft
