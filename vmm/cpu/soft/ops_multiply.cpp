// MUL, IMUL, DIV, IDIV, MULX. [SDM 2]
//
// Multiplications leave SF, ZF and PF as the low half of the product says, as processors do where the manual leaves
// them undefined. Divisions leave all flags alone.
#include "vmm/cpu/soft/forms.h"

namespace vmm::cpu::soft {
namespace {

template <class T>
constexpr unsigned kBits = 8 * sizeof(T);

// The type of a product, signed and unsigned.
template <class T>
struct Wider;
template <>
struct Wider<std::uint8_t> {
  using Unsigned = std::uint16_t;
  using Signed = std::int16_t;
};
template <>
struct Wider<std::uint16_t> {
  using Unsigned = std::uint32_t;
  using Signed = std::int32_t;
};
template <>
struct Wider<std::uint32_t> {
  using Unsigned = std::uint64_t;
  using Signed = std::int64_t;
};
template <>
struct Wider<std::uint64_t> {
  __extension__ using Unsigned = unsigned __int128;
  __extension__ using Signed = __int128;
};

template <class T>
using Signed = std::make_signed_t<T>;

template <class T, bool kMemory>
bool source(Cpu& cpu, const Op& op, T& value) {
  if constexpr (kMemory) return load(cpu, op, value);
  value = cpu.reg<T>(op.rm);
  return true;
}

template <class T>
void set_product_flags(Cpu& cpu, T low, bool lost) {
  cpu.flags.set_logic(low);
  cpu.flags.assign_carries(lost, lost);
}

// AH:AL, DX:AX, EDX:EAX, RDX:RAX.
template <class T>
void set_pair(Cpu& cpu, T low, T high) {
  cpu.set_reg<T>(kRax, low);
  cpu.set_reg<T>(sizeof(T) == 1 ? kAh : kRdx, high);
}

template <class T, bool kSigned, bool kMemory>
Flow multiply_accumulator(Cpu& cpu, const Op& op) {
  using Wide = std::conditional_t<kSigned, typename Wider<T>::Signed, typename Wider<T>::Unsigned>;
  using Part = std::conditional_t<kSigned, Signed<T>, T>;
  T b = 0;
  if (!source<T, kMemory>(cpu, op, b)) return Flow::Fault;
  const Wide product = static_cast<Wide>(static_cast<Wide>(static_cast<Part>(cpu.reg<T>(kRax))) * static_cast<Part>(b));
  const T low = static_cast<T>(product), high = static_cast<T>(product >> kBits<T>);
  set_pair<T>(cpu, low, high);
  set_product_flags(cpu, low, product != static_cast<Wide>(static_cast<Part>(low)));
  return Flow::Next;
}

template <class T>
Flow multiply_into(Cpu& cpu, const Op& op, T a, T b) {
  Signed<T> product = 0;
  const bool lost = __builtin_mul_overflow(static_cast<Signed<T>>(a), static_cast<Signed<T>>(b), &product);
  cpu.set_reg<T>(op.reg, static_cast<T>(product));
  set_product_flags(cpu, static_cast<T>(product), lost);
  return Flow::Next;
}
template <class T, bool kMemory>
Flow multiply_reg(Cpu& cpu, const Op& op) {
  T b = 0;
  if (!source<T, kMemory>(cpu, op, b)) return Flow::Fault;
  return multiply_into<T>(cpu, op, cpu.reg<T>(op.reg), b);
}
template <class T, bool kMemory>
Flow multiply_imm(Cpu& cpu, const Op& op) {
  T b = 0;
  if (!source<T, kMemory>(cpu, op, b)) return Flow::Fault;
  return multiply_into<T>(cpu, op, b, static_cast<T>(op.immediate));
}

template <class T>
typename Wider<T>::Unsigned dividend(const Cpu& cpu) {
  using Wide = typename Wider<T>::Unsigned;
  const T low = cpu.reg<T>(kRax), high = cpu.reg<T>(sizeof(T) == 1 ? kAh : kRdx);
  return static_cast<Wide>(static_cast<Wide>(high) << kBits<T> | low);
}

template <class T, bool kMemory>
Flow divide(Cpu& cpu, const Op& op) {
  using Wide = typename Wider<T>::Unsigned;
  T divisor = 0;
  if (!source<T, kMemory>(cpu, op, divisor)) return Flow::Fault;
  const Wide value = dividend<T>(cpu);
  const T high = static_cast<T>(value >> kBits<T>), low = static_cast<T>(value);
  if (high >= divisor) return cpu.raise(Vector::DivideError);  // zero too
  if (high == 0) {                                             // a division of twice the size is slow
    set_pair<T>(cpu, static_cast<T>(low / divisor), static_cast<T>(low % divisor));
  } else {
    set_pair<T>(cpu, static_cast<T>(value / divisor), static_cast<T>(value % divisor));
  }
  return Flow::Next;
}

template <class T, bool kMemory>
Flow divide_signed(Cpu& cpu, const Op& op) {
  using Wide = typename Wider<T>::Signed;
  using Magnitude = typename Wider<T>::Unsigned;
  T bits = 0;
  if (!source<T, kMemory>(cpu, op, bits)) return Flow::Fault;
  const auto divisor = static_cast<Signed<T>>(bits);
  const Wide value = static_cast<Wide>(dividend<T>(cpu));
  if (divisor == 0) return cpu.raise(Vector::DivideError);
  // The smallest number by -1 is the one quotient that does not fit even twice the size.
  if (divisor == -1 && value == static_cast<Wide>(Magnitude{1} << (2 * kBits<T> - 1)))
    return cpu.raise(Vector::DivideError);
  const auto narrow = static_cast<Signed<T>>(value);
  if (narrow == value && divisor != -1) {
    set_pair<T>(cpu, static_cast<T>(narrow / divisor), static_cast<T>(narrow % divisor));
    return Flow::Next;
  }
  const Wide quotient = static_cast<Wide>(value / divisor);
  if (quotient != static_cast<Signed<T>>(quotient)) return cpu.raise(Vector::DivideError);
  set_pair<T>(cpu, static_cast<T>(quotient), static_cast<T>(value % divisor));
  return Flow::Next;
}

template <bool kSigned>
Handler accumulator_form(const Instruction& instruction, Form form) {
  return for_size(instruction.bits(0), [&]<class T>() -> Handler {
    return form == Form::Mem ? multiply_accumulator<T, kSigned, true> : multiply_accumulator<T, kSigned, false>;
  });
}
Handler select_mul(const Instruction& instruction, Op& op) {
  return accumulator_form<false>(instruction, take_operands(instruction, op));
}
Handler select_imul(const Instruction& instruction, Op& op) {
  const Form form = take_operands(instruction, op);
  if (form == Form::Mem || form == Form::Reg) return accumulator_form<true>(instruction, form);
  const bool immediate = is_immediate(instruction, 2);
  if (immediate) op.immediate = static_cast<std::uint64_t>(instruction.operands[2].imm.value.s);
  return for_wide_size(instruction.bits(0), [&]<class T>() -> Handler {
    if (immediate) return form == Form::RegMem ? multiply_imm<T, true> : multiply_imm<T, false>;
    return form == Form::RegMem ? multiply_reg<T, true> : multiply_reg<T, false>;
  });
}
Handler select_div(const Instruction& instruction, Op& op) {
  const Form form = take_operands(instruction, op);
  return for_size(instruction.bits(0),
                  [&]<class T>() -> Handler { return form == Form::Mem ? divide<T, true> : divide<T, false>; });
}
Handler select_idiv(const Instruction& instruction, Op& op) {
  const Form form = take_operands(instruction, op);
  return for_size(instruction.bits(0), [&]<class T>() -> Handler {
    return form == Form::Mem ? divide_signed<T, true> : divide_signed<T, false>;
  });
}

// MULX high, low, source: no flags. The high half stays if both go to one register.
template <class T, bool kMemory>
Flow mulx(Cpu& cpu, const Op& op) {
  using Wide = typename Wider<T>::Unsigned;
  T b = 0;
  if (!source<T, kMemory>(cpu, op, b)) return Flow::Fault;
  const Wide product = static_cast<Wide>(cpu.reg<T>(kRdx)) * b;
  cpu.set_reg<T>(static_cast<std::uint8_t>(op.extra), static_cast<T>(product));
  cpu.set_reg<T>(op.reg, static_cast<T>(product >> kBits<T>));
  return Flow::Next;
}
Handler select_mulx(const Instruction& instruction, Op& op) {
  op.reg = general_operand(instruction, 0);
  op.extra = general_operand(instruction, 1);
  const bool memory = instruction.operand_is_memory(2);
  if (!memory) op.rm = general_operand(instruction, 2);
  return for_wide_size(instruction.bits(0),
                       [&]<class T>() -> Handler { return memory ? mulx<T, true> : mulx<T, false>; });
}

constexpr SelectorTable kSelectors{
    {ZYDIS_MNEMONIC_MUL, select_mul},   {ZYDIS_MNEMONIC_IMUL, select_imul}, {ZYDIS_MNEMONIC_DIV, select_div},
    {ZYDIS_MNEMONIC_IDIV, select_idiv}, {ZYDIS_MNEMONIC_MULX, select_mulx},
};

}  // namespace

Handler multiply_family(const Instruction& instruction, Op& op) {
  return kSelectors(instruction, op);
}

}  // namespace vmm::cpu::soft
