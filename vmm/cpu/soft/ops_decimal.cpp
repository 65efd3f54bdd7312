// What 64-bit mode has dropped: decimal adjustment, BOUND, SALC. [SDM 2; AAM and AAD with any base]
#include "vmm/cpu/soft/forms.h"
#include "vmm/cpu/soft/ops_arithmetic.h"

namespace vmm::cpu::soft {
namespace {

std::uint8_t al(const Cpu& cpu) {
  return cpu.reg<std::uint8_t>(kRax);
}

// Flags of an adjusted AL: OF is undefined and left clear.
void set_adjusted_flags(Cpu& cpu, std::uint8_t result, bool cf, bool af) {
  cpu.flags.set_logic(result);
  cpu.flags.assign((cpu.flags.value() & ~(kCf | kAf)) | (cf ? kCf : 0) | (af ? kAf : 0));
}

template <bool kSubtract>
Flow decimal_adjust(Cpu& cpu, const Op&) {
  const std::uint8_t old = al(cpu);
  const bool old_cf = cpu.flags.cf();
  const bool low = (old & 0xf) > 9 || cpu.flags.af();
  const bool high = old > 0x99 || old_cf;
  const unsigned change = (low ? 0x06u : 0u) + (high ? 0x60u : 0u);
  const auto result = static_cast<std::uint8_t>(kSubtract ? old - change : old + change);
  // DAS takes the borrow of its first subtraction into CF, DAA's carry implies `high`.
  const bool cf = high || (kSubtract && low && old < 6);
  cpu.set_reg(kRax, result);
  set_adjusted_flags(cpu, result, cf, low);
  return Flow::Next;
}

template <bool kSubtract>
Flow ascii_adjust(Cpu& cpu, const Op&) {
  const auto ax = cpu.reg<std::uint16_t>(kRax);
  const bool adjust = (ax & 0xf) > 9 || cpu.flags.af();
  unsigned result = ax;
  if (adjust) result = kSubtract ? result - 0x106 : result + 0x106;
  result &= 0xff0f;
  cpu.set_reg(kRax, static_cast<std::uint16_t>(result));
  set_adjusted_flags(cpu, static_cast<std::uint8_t>(result), adjust, adjust);
  return Flow::Next;
}

Flow aam(Cpu& cpu, const Op& op) {
  const auto divisor = static_cast<std::uint8_t>(op.immediate);
  if (divisor == 0) return cpu.raise(Vector::DivideError);
  const std::uint8_t value = al(cpu);
  const auto rest = static_cast<std::uint8_t>(value % divisor);
  cpu.set_reg(kAh, static_cast<std::uint8_t>(value / divisor));
  cpu.set_reg(kRax, rest);
  cpu.flags.set_logic(rest);
  return Flow::Next;
}
Flow aad(Cpu& cpu, const Op& op) {
  const auto factor = static_cast<std::uint8_t>(op.immediate);
  const auto result = static_cast<std::uint8_t>(al(cpu) + cpu.reg<std::uint8_t>(kAh) * factor);
  cpu.set_reg(kRax, std::uint16_t{result});
  cpu.flags.set_logic(result);
  return Flow::Next;
}

Flow salc(Cpu& cpu, const Op&) {
  cpu.set_reg(kRax, static_cast<std::uint8_t>(cpu.flags.cf() ? 0xff : 0));
  return Flow::Next;
}

template <class T, class Both>
Flow bound(Cpu& cpu, const Op& op) {
  Both bounds = 0;
  if (!load(cpu, op, bounds)) return Flow::Fault;
  const auto index = static_cast<std::make_signed_t<T>>(cpu.reg<T>(op.reg));
  const auto lower = static_cast<std::make_signed_t<T>>(static_cast<T>(bounds));
  const auto upper = static_cast<std::make_signed_t<T>>(static_cast<T>(bounds >> (8 * sizeof(T))));
  return index < lower || index > upper ? cpu.raise(Vector::BoundRange) : Flow::Next;
}

}  // namespace

Handler select_decimal(const Instruction& instruction, Op& op) {
  switch (instruction.decoded.mnemonic) {
    case ZYDIS_MNEMONIC_DAA: return decimal_adjust<false>;
    case ZYDIS_MNEMONIC_DAS: return decimal_adjust<true>;
    case ZYDIS_MNEMONIC_AAA: return ascii_adjust<false>;
    case ZYDIS_MNEMONIC_AAS: return ascii_adjust<true>;
    case ZYDIS_MNEMONIC_AAM:
    case ZYDIS_MNEMONIC_AAD:
      op.immediate = static_cast<std::uint64_t>(instruction.operands[0].imm.value.s);
      return instruction.decoded.mnemonic == ZYDIS_MNEMONIC_AAM ? aam : aad;
    case ZYDIS_MNEMONIC_SALC: return salc;
    case ZYDIS_MNEMONIC_BOUND:
      take_operands(instruction, op);
      return instruction.bits(0) == 16 ? Handler{bound<std::uint16_t, std::uint32_t>}
                                       : Handler{bound<std::uint32_t, std::uint64_t>};
    default: return nullptr;
  }
}

}  // namespace vmm::cpu::soft
