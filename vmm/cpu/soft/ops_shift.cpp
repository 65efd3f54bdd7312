// Shifts and rotates. [SDM 2 SAL/SAR/SHL/SHR, RCL/RCR/ROL/ROR, SHLD, SHRD, SARX/SHLX/SHRX, RORX]
//
// Counts are taken modulo 32, or 64 for operands of 64 bits; zero then changes no flag. Where a flag is undefined it
// comes out as the formula for a count of one says, unless noted.
#include <bit>

#include "vmm/cpu/soft/forms.h"

namespace vmm::cpu::soft {
namespace {

template <class T>
constexpr unsigned kBits = 8 * sizeof(T);
template <class T>
constexpr unsigned kCountMask = sizeof(T) == 8 ? 63 : 31;

template <class T>
constexpr bool top_bit(T value) {
  return (value >> (kBits<T> - 1)) != 0;
}
// Result, CF and OF; AF clear.
template <class T>
void set_shift_flags(ArithmeticFlags& flags, T result, bool cf, bool of) {
  constexpr unsigned kTop = kBits<T> - 1;
  flags.set(result, static_cast<T>(std::uint64_t{cf} << kTop | std::uint64_t{cf != of} << (kTop - 1)));
}

// apply(): `count` is not zero. value(): the result without the flags.
struct Shl {
  template <class T>
  static T apply(ArithmeticFlags& flags, T a, unsigned count) {
    // A shift by one is an addition of the operand to itself, whose carries are its bits.
    const std::uint64_t carries = std::uint64_t{a} << (count - 1);
    const T result = static_cast<T>(carries << 1);
    flags.set(result, static_cast<T>(carries));
    return result;
  }
  template <class T>
  static T value(T a, unsigned count) {
    return static_cast<T>(std::uint64_t{a} << count);
  }
};
struct Shr {
  template <class T>
  static T apply(ArithmeticFlags& flags, T a, unsigned count) {
    const std::uint64_t before = std::uint64_t{a} >> (count - 1);
    const T result = static_cast<T>(before >> 1);
    set_shift_flags(flags, result, (before & 1) != 0, top_bit(a));
    return result;
  }
  template <class T>
  static T value(T a, unsigned count) {
    return static_cast<T>(a >> count);
  }
};
struct Sar {
  template <class T>
  static T apply(ArithmeticFlags& flags, T a, unsigned count) {
    const std::int64_t before = std::int64_t{static_cast<std::make_signed_t<T>>(a)} >> (count - 1);
    const T result = static_cast<T>(before >> 1);
    set_shift_flags(flags, result, (before & 1) != 0, false);
    return result;
  }
  template <class T>
  static T value(T a, unsigned count) {
    return static_cast<T>(static_cast<std::make_signed_t<T>>(a) >> count);
  }
};
struct Rol {
  template <class T>
  static T apply(ArithmeticFlags& flags, T a, unsigned count) {
    const T result = std::rotl(a, static_cast<int>(count % kBits<T>));
    const bool cf = (result & 1) != 0;
    flags.assign_carries(cf, top_bit(result) != cf);
    return result;
  }
  template <class T>
  static T value(T a, unsigned count) {
    return static_cast<T>(std::rotl(a, static_cast<int>(count % kBits<T>)));
  }
};
struct Ror {
  template <class T>
  static T apply(ArithmeticFlags& flags, T a, unsigned count) {
    const T result = std::rotr(a, static_cast<int>(count % kBits<T>));
    const bool cf = top_bit(result);
    flags.assign_carries(cf, top_bit(static_cast<T>(result << 1)) != cf);
    return result;
  }
  template <class T>
  static T value(T a, unsigned count) {
    return static_cast<T>(std::rotr(a, static_cast<int>(count % kBits<T>)));
  }
};
// Rotates through CF have one bit more than the operand.
template <class T>
constexpr unsigned carry_count(unsigned count) {
  return sizeof(T) < 4 ? count % (kBits<T> + 1) : count;
}
struct Rcl {
  template <class T>
  static T apply(ArithmeticFlags& flags, T a, unsigned count) {
    const unsigned n = carry_count<T>(count);
    if (n == 0) return a;
    const std::uint64_t wide = a;
    const std::uint64_t wrapped = n > 1 ? wide >> (kBits<T> + 1 - n) : 0;
    const T result = static_cast<T>(wide << n | std::uint64_t{flags.cf()} << (n - 1) | wrapped);
    const bool cf = (wide >> (kBits<T> - n) & 1) != 0;
    flags.assign_carries(cf, top_bit(result) != cf);
    return result;
  }
};
struct Rcr {
  template <class T>
  static T apply(ArithmeticFlags& flags, T a, unsigned count) {
    const unsigned n = carry_count<T>(count);
    if (n == 0) return a;
    const std::uint64_t wide = a;
    const std::uint64_t wrapped = n > 1 ? wide << (kBits<T> + 1 - n) : 0;
    const T result = static_cast<T>(wide >> n | std::uint64_t{flags.cf()} << (kBits<T> - n) | wrapped);
    const bool cf = (wide >> (n - 1) & 1) != 0;
    flags.assign_carries(cf, top_bit(result) != top_bit(static_cast<T>(result << 1)));
    return result;
  }
};

enum class Count : std::uint8_t { Immediate, Cl };
template <class T, Count kCount>
unsigned shift_count(const Cpu& cpu, const Op& op) {
  const std::uint64_t count = kCount == Count::Cl ? cpu.reg<std::uint8_t>(kRcx) : op.immediate;
  return static_cast<unsigned>(count & kCountMask<T>);
}

template <class O, class T, Count kCount>
Flow shift_reg(Cpu& cpu, const Op& op, std::uint64_t) {
  const unsigned count = shift_count<T, kCount>(cpu, op);
  const T a = cpu.reg<T>(op.reg);
  const T result = count == 0 ? a : O::apply(cpu.flags, a, count);
  cpu.set_reg<T>(op.reg, result);
  return cpu.proceed(op, result);
}
// Immediate counts that are not zero, which nearly all are.
template <class O, class T, bool kQuiet, Last kLast>
Flow shift_reg_by(Cpu& cpu, const Op& op, std::uint64_t last) {
  const T a = register_operand < T, kLast == Last::Destination > (cpu, op.reg, last);
  const auto count = static_cast<unsigned>(op.immediate);
  T result = 0;
  if constexpr (kQuiet) {
    result = O::template value<T>(a, count);
  } else {
    result = O::apply(cpu.flags, a, count);
  }
  cpu.set_reg<T>(op.reg, result);
  return cpu.proceed(op, result);
}
template <class O, class T, Count kCount>
Flow shift_mem(Cpu& cpu, const Op& op, std::uint64_t) {
  const unsigned count = shift_count<T, kCount>(cpu, op);
  return update<T, Quick::No, false>(cpu, op,
                                     [&cpu, count](T a) { return count == 0 ? a : O::apply(cpu.flags, a, count); });
}
template <class O, class T, bool kQuiet>
Step shift_by_form(Last use) {
  return for_use<Last::Destination>(use, [](auto last) -> Step { return shift_reg_by<O, T, kQuiet, last.value>; });
}
template <class O, class T>
Step shift_form(const Instruction& instruction, const Op& op) {
  const bool memory = instruction.operand_is_memory(0);
  if (!is_immediate(instruction, 1)) return memory ? shift_mem<O, T, Count::Cl> : shift_reg<O, T, Count::Cl>;
  if (memory) return shift_mem<O, T, Count::Immediate>;
  if (op.immediate == 0) return shift_reg<O, T, Count::Immediate>;
  const Last use = register_use(instruction, op);
  if constexpr (requires { O::template value<T>(0, 1); }) {
    if (instruction.is_quiet) return shift_by_form<O, T, true>(use);
  }
  return shift_by_form<O, T, false>(use);
}
template <class O>
StepChoice select_shift(const Instruction& instruction, Op& op) {
  take_operands(instruction, op);
  return for_size(instruction.bits(0), [&]<class T>() -> StepChoice {
    if (is_immediate(instruction, 1)) op.immediate &= kCountMask<T>;
    return giving<T>(shift_form<O, T>(instruction, op), instruction.operand_is_memory(0) ? kNoRegister : op.reg);
  });
}

// Two operands side by side, shifted until `count` bits of the second one have come into the first one. Counts beyond
// 16 with 16 bits are undefined: the pair is rotated then.
template <class T, bool kLeft>
T double_shift(ArithmeticFlags& flags, T a, T b, unsigned count) {
  if (count == 0) return a;
  T result = 0;
  bool cf = false;
  if constexpr (sizeof(T) == 2) {
    const std::uint32_t pair = kLeft ? std::uint32_t{a} << 16 | b : std::uint32_t{b} << 16 | a;
    const std::uint32_t turned =
        kLeft ? std::rotl(pair, static_cast<int>(count)) : std::rotr(pair, static_cast<int>(count));
    result = static_cast<T>(kLeft ? turned >> 16 : turned);
    cf = kLeft ? (turned & 1) != 0 : (turned >> 31) != 0;
  } else {
    result = kLeft ? static_cast<T>(a << count | b >> (kBits<T> - count))
                   : static_cast<T>(a >> count | b << (kBits<T> - count));
    cf = ((kLeft ? a >> (kBits<T> - count) : a >> (count - 1)) & 1) != 0;
  }
  set_shift_flags(flags, result, cf, top_bit(result) != top_bit(a));
  return result;
}
template <class T, bool kLeft, Count kCount>
Flow double_shift_reg(Cpu& cpu, const Op& op, std::uint64_t) {
  const unsigned count = shift_count<T, kCount>(cpu, op);
  cpu.set_reg<T>(op.reg, double_shift<T, kLeft>(cpu.flags, cpu.reg<T>(op.reg), cpu.reg<T>(op.rm), count));
  return cpu.proceed(op);
}
template <class T, bool kLeft, Count kCount>
Flow double_shift_mem(Cpu& cpu, const Op& op, std::uint64_t) {
  const unsigned count = shift_count<T, kCount>(cpu, op);
  const T b = cpu.reg<T>(op.reg);
  return update<T, Quick::No, false>(cpu, op,
                                     [&cpu, b, count](T a) { return double_shift<T, kLeft>(cpu.flags, a, b, count); });
}
template <bool kLeft>
StepChoice select_double_shift(const Instruction& instruction, Op& op) {
  const Form form = take_operands(instruction, op);
  const bool immediate = is_immediate(instruction, 2);
  if (immediate) op.immediate = static_cast<std::uint64_t>(instruction.operands[2].imm.value.s);
  return for_wide_size(instruction.bits(0), [&]<class T>() -> StepChoice {
    if (form == Form::MemReg)
      return {immediate ? double_shift_mem<T, kLeft, Count::Immediate> : double_shift_mem<T, kLeft, Count::Cl>};
    return {immediate ? double_shift_reg<T, kLeft, Count::Immediate> : double_shift_reg<T, kLeft, Count::Cl>};
  });
}

// SHLX, SHRX, SARX, RORX: no flags, and the count from any register or an immediate.
struct Shlx {
  template <class T>
  static T apply(T a, unsigned count) {
    return static_cast<T>(a << count);
  }
};
struct Shrx {
  template <class T>
  static T apply(T a, unsigned count) {
    return static_cast<T>(a >> count);
  }
};
struct Sarx {
  template <class T>
  static T apply(T a, unsigned count) {
    return static_cast<T>(static_cast<std::make_signed_t<T>>(a) >> count);
  }
};
struct Rorx {
  template <class T>
  static T apply(T a, unsigned count) {
    return std::rotr(a, static_cast<int>(count));
  }
};
template <class O, class T, bool kMemory, bool kImmediate>
Flow shift_without_flags(Cpu& cpu, const Op& op) {
  T a = 0;
  if constexpr (kMemory) {
    if (!load(cpu, op, a)) return Flow::Fault;
  } else {
    a = cpu.reg<T>(op.rm);
  }
  const std::uint64_t count = kImmediate ? op.immediate : cpu.reg<T>(static_cast<std::uint8_t>(op.extra));
  cpu.set_reg<T>(op.reg, O::apply(a, static_cast<unsigned>(count & kCountMask<T>)));
  return Flow::Next;
}
template <class O>
Handler select_shift_without_flags(const Instruction& instruction, Op& op) {
  const Form form = take_operands(instruction, op);
  constexpr bool kImmediate = std::is_same_v<O, Rorx>;
  if constexpr (kImmediate) {
    op.immediate = static_cast<std::uint64_t>(instruction.operands[2].imm.value.s);
  } else {
    op.extra = general_operand(instruction, 2);
  }
  return for_wide_size(instruction.bits(0), [&]<class T>() -> Handler {
    return form == Form::RegMem ? shift_without_flags<O, T, true, kImmediate>
                                : shift_without_flags<O, T, false, kImmediate>;
  });
}

constexpr StepTable kSteps{
    {ZYDIS_MNEMONIC_SHL, select_shift<Shl>},           {ZYDIS_MNEMONIC_SHR, select_shift<Shr>},
    {ZYDIS_MNEMONIC_SAR, select_shift<Sar>},           {ZYDIS_MNEMONIC_ROL, select_shift<Rol>},
    {ZYDIS_MNEMONIC_ROR, select_shift<Ror>},           {ZYDIS_MNEMONIC_RCL, select_shift<Rcl>},
    {ZYDIS_MNEMONIC_RCR, select_shift<Rcr>},           {ZYDIS_MNEMONIC_SHLD, select_double_shift<true>},
    {ZYDIS_MNEMONIC_SHRD, select_double_shift<false>},
};
constexpr SelectorTable kSelectors{
    {ZYDIS_MNEMONIC_SHLX, select_shift_without_flags<Shlx>},
    {ZYDIS_MNEMONIC_SHRX, select_shift_without_flags<Shrx>},
    {ZYDIS_MNEMONIC_SARX, select_shift_without_flags<Sarx>},
    {ZYDIS_MNEMONIC_RORX, select_shift_without_flags<Rorx>},
};

}  // namespace

StepChoice shift_steps(const Instruction& instruction, Op& op) {
  return kSteps(instruction, op);
}
Handler shift_family(const Instruction& instruction, Op& op) {
  return kSelectors(instruction, op);
}

}  // namespace vmm::cpu::soft
