// ADD ... XOR, CMP, TEST, INC, DEC, NEG, NOT, XADD, ADCX, ADOX and the instructions that set single flags. [SDM 2]
// The decimal ones are in ops_decimal.cpp, CMPXCHG in ops_compare_exchange.cpp.
#include "vmm/cpu/soft/ops_arithmetic.h"

#include "vmm/cpu/soft/forms.h"

namespace vmm::cpu::soft {
namespace {

struct Add {
  static constexpr bool kWrites = true;
  template <class T>
  static T apply(ArithmeticFlags& flags, T a, T b) {
    return flags.add(a, b);
  }
  template <class T>
  static T value(T a, T b) {
    return static_cast<T>(a + b);
  }
};
struct Adc {
  static constexpr bool kWrites = true;
  template <class T>
  static T apply(ArithmeticFlags& flags, T a, T b) {
    return flags.add(a, b, flags.cf());
  }
};
struct Sub {
  static constexpr bool kWrites = true;
  template <class T>
  static T apply(ArithmeticFlags& flags, T a, T b) {
    return flags.subtract(a, b);
  }
  template <class T>
  static T value(T a, T b) {
    return static_cast<T>(a - b);
  }
};
struct Sbb {
  static constexpr bool kWrites = true;
  template <class T>
  static T apply(ArithmeticFlags& flags, T a, T b) {
    return flags.subtract(a, b, flags.cf());
  }
};
struct Cmp : Sub {
  static constexpr bool kWrites = false;
};
struct And {
  static constexpr bool kWrites = true;
  template <class T>
  static T apply(ArithmeticFlags& flags, T a, T b) {
    const T result = value(a, b);
    flags.set_logic(result);
    return result;
  }
  template <class T>
  static T value(T a, T b) {
    return static_cast<T>(a & b);
  }
};
struct Or {
  static constexpr bool kWrites = true;
  template <class T>
  static T apply(ArithmeticFlags& flags, T a, T b) {
    const T result = value(a, b);
    flags.set_logic(result);
    return result;
  }
  template <class T>
  static T value(T a, T b) {
    return static_cast<T>(a | b);
  }
};
struct Xor {
  static constexpr bool kWrites = true;
  template <class T>
  static T apply(ArithmeticFlags& flags, T a, T b) {
    const T result = value(a, b);
    flags.set_logic(result);
    return result;
  }
  template <class T>
  static T value(T a, T b) {
    return static_cast<T>(a ^ b);
  }
};
struct Test : And {
  static constexpr bool kWrites = false;
};

// value() is the result without the flags.
template <class O>
constexpr bool kHasValue = requires { O::template value<std::uint8_t>(0, 0); } && O::kWrites;

// Steps for a register and `b`, which sets it.
template <class O, class T, bool kQuiet>
Flow binary_reg(Cpu& cpu, const Op& op, T a, T b) {
  T result = 0;
  if constexpr (kQuiet) {
    result = O::template value<T>(a, b);
  } else {
    result = O::apply(cpu.flags, a, b);
  }
  if constexpr (O::kWrites) cpu.set_reg<T>(op.reg, result);
  return cpu.proceed(op, result);
}
template <class O, class T, bool kQuiet, Last kLast>
Flow reg_reg(Cpu& cpu, const Op& op, std::uint64_t last) {
  return binary_reg<O, T, kQuiet>(cpu, op, register_operand < T, kLast == Last::Destination > (cpu, op.reg, last),
                                  register_operand < T, kLast == Last::Source > (cpu, op.rm, last));
}
template <class O, class T, bool kQuiet, Last kLast>
Flow reg_imm(Cpu& cpu, const Op& op, std::uint64_t last) {
  return binary_reg<O, T, kQuiet>(cpu, op, register_operand < T, kLast == Last::Destination > (cpu, op.reg, last),
                                  static_cast<T>(op.immediate));
}
template <class O, class T, bool kQuiet, Quick kQuick, Last kLast>
Flow reg_mem(Cpu& cpu, const Op& op, std::uint64_t last) {
  return with_memory<T, kQuick, kLast>(cpu, op, last, [](Cpu& c, const Op& o, std::uint64_t l, T b) {
    return binary_reg<O, T, kQuiet>(c, o, register_operand < T, kLast == Last::Destination > (c, o.reg, l), b);
  });
}

template <class T>
T register_source(const Cpu& cpu, const Op& op) {
  return cpu.reg<T>(op.reg);
}
template <class T>
T immediate_source(const Cpu&, const Op& op) {
  return static_cast<T>(op.immediate);
}
template <class O, class T, T (*kSource)(const Cpu&, const Op&), Quick kQuick, bool kIndivisible>
Flow binary_mem(Cpu& cpu, const Op& op, std::uint64_t last) {
  if constexpr (O::kWrites) {
    const T b = kSource(cpu, op);
    return update<T, kQuick, kIndivisible>(cpu, op, [&cpu, b](T a) { return O::apply(cpu.flags, a, b); });
  } else {
    return with_memory<T, kQuick, Last::Unused>(cpu, op, last, [](Cpu& c, const Op& o, std::uint64_t, T a) {
      O::apply(c.flags, a, kSource(c, o));
      return c.proceed(o);
    });
  }
}
template <class O, class T, T (*kSource)(const Cpu&, const Op&)>
Step binary_mem_form(const Op& op) {
  if constexpr (O::kWrites) {
    if (is_locked(op)) return binary_mem<O, T, kSource, Quick::No, true>;
  }
  return for_quick<T>(op, Last::Unused,
                      [](auto quick, auto) -> Step { return binary_mem<O, T, kSource, quick.value, false>; });
}

// XOR r,r and SUB r,r: the usual way to get a zero.
template <class T, bool kQuiet>
Flow zero_reg(Cpu& cpu, const Op& op, std::uint64_t) {
  if constexpr (!kQuiet) cpu.flags.set_logic(T{0});
  cpu.set_reg<T>(op.reg, T{0});
  return cpu.proceed(op, 0);
}
// TEST r,r: the usual way to compare with zero.
template <class T, Last kLast>
Flow test_self(Cpu& cpu, const Op& op, std::uint64_t last) {
  cpu.flags.set_logic(register_operand < T, kLast == Last::Destination > (cpu, op.reg, last));
  return cpu.proceed(op);
}

template <class O, class T, bool kQuiet>
Step same_register_form(Last use) {
  if constexpr (std::is_same_v<O, Xor> || std::is_same_v<O, Sub>) return zero_reg<T, kQuiet>;
  if constexpr (std::is_same_v<O, Test>)
    return for_use<Last::Destination>(use, [](auto last) -> Step { return test_self<T, last.value>; });
  return reg_reg<O, T, kQuiet, Last::Unused>;
}
template <class O, class T, bool kQuiet>
Step reg_mem_form(Last use, const Op& op) {
  return for_quick<T, Last::Destination, Last::Base, Last::Index>(
      op, use, [](auto quick, auto last) -> Step { return reg_mem<O, T, kQuiet, quick.value, last.value>; });
}

template <class O, class T, bool kQuiet>
Step binary_form(Form form, const Instruction& instruction, const Op& op) {
  const Last use = register_use(instruction, op);
  switch (form) {
    case Form::RegReg:
      if (op.reg == op.rm) return same_register_form<O, T, kQuiet>(use);
      return for_use<Last::Destination, Last::Source>(
          use, [](auto last) -> Step { return reg_reg<O, T, kQuiet, last.value>; });
    case Form::RegImm:
      return for_use<Last::Destination>(use, [](auto last) -> Step { return reg_imm<O, T, kQuiet, last.value>; });
    case Form::RegMem: {
      const Last address = address_use(instruction, op);
      return reg_mem_form<O, T, kQuiet>(address != Last::Unused ? address : use, op);
    }
    case Form::MemReg: return binary_mem_form<O, T, register_source<T>>(op);
    case Form::MemImm: return binary_mem_form<O, T, immediate_source<T>>(op);
    default: return nullptr;
  }
}
template <class O>
StepChoice select_binary(const Instruction& instruction, Op& op) {
  const Form form = take_operands(instruction, op);
  const bool gives = O::kWrites && (form == Form::RegReg || form == Form::RegImm || form == Form::RegMem);
  return for_size(instruction.bits(0), [&]<class T>() -> StepChoice {
    const std::uint8_t given = gives ? op.reg : kNoRegister;
    if constexpr (kHasValue<O>) {
      if (instruction.is_quiet) return giving<T>(binary_form<O, T, true>(form, instruction, op), given);
    }
    return giving<T>(binary_form<O, T, false>(form, instruction, op), given);
  });
}

struct Inc {
  template <class T>
  static T apply(ArithmeticFlags& flags, T a) {
    const bool cf = flags.cf();
    const T result = flags.add(a, T{1});
    flags.set_cf(cf);
    return result;
  }
  template <class T>
  static T value(T a) {
    return static_cast<T>(a + 1);
  }
};
struct Dec {
  template <class T>
  static T apply(ArithmeticFlags& flags, T a) {
    const bool cf = flags.cf();
    const T result = flags.subtract(a, T{1});
    flags.set_cf(cf);
    return result;
  }
  template <class T>
  static T value(T a) {
    return static_cast<T>(a - 1);
  }
};
struct Neg {
  template <class T>
  static T apply(ArithmeticFlags& flags, T a) {
    return Sub::apply(flags, T{0}, a);
  }
  template <class T>
  static T value(T a) {
    return static_cast<T>(-a);
  }
};
struct Not {
  template <class T>
  static T apply(ArithmeticFlags&, T a) {
    return value(a);
  }
  template <class T>
  static T value(T a) {
    return static_cast<T>(~a);
  }
};

template <class O, class T, bool kQuiet, Last kLast>
Flow unary_reg(Cpu& cpu, const Op& op, std::uint64_t last) {
  const T a = register_operand < T, kLast == Last::Destination > (cpu, op.reg, last);
  T result = 0;
  if constexpr (kQuiet) {
    result = O::template value<T>(a);
  } else {
    result = O::apply(cpu.flags, a);
  }
  cpu.set_reg<T>(op.reg, result);
  return cpu.proceed(op, result);
}
template <class O, class T, Quick kQuick, bool kIndivisible>
Flow unary_mem(Cpu& cpu, const Op& op, std::uint64_t) {
  return update<T, kQuick, kIndivisible>(cpu, op, [&cpu](T a) { return O::apply(cpu.flags, a); });
}
template <class O>
StepChoice select_unary(const Instruction& instruction, Op& op) {
  const Form form = take_operands(instruction, op);
  return for_size(instruction.bits(0), [&]<class T>() -> StepChoice {
    if (form == Form::Reg) {
      const Last use = register_use(instruction, op);
      const Step step = for_bool(instruction.is_quiet, [use](auto quiet) {
        return for_use<Last::Destination>(
            use, [quiet](auto last) -> Step { return unary_reg<O, T, quiet.value, last.value>; });
      });
      return giving<T>(step, op.reg);
    }
    if (form != Form::Mem) return {};
    if (is_locked(op)) return {unary_mem<O, T, Quick::No, true>};
    return {
        for_quick<T>(op, Last::Unused, [](auto quick, auto) -> Step { return unary_mem<O, T, quick.value, false>; })};
  });
}

template <class T>
Flow xadd_reg(Cpu& cpu, const Op& op) {
  const T a = cpu.reg<T>(op.reg), b = cpu.reg<T>(op.rm);
  cpu.set_reg<T>(op.rm, a);
  cpu.set_reg<T>(op.reg, Add::apply(cpu.flags, a, b));
  return Flow::Next;
}
template <class T, bool kIndivisible>
Flow xadd_mem(Cpu& cpu, const Op& op) {
  const T b = cpu.reg<T>(op.reg);
  const std::uint8_t reg = op.reg;
  return update<T, Quick::No, kIndivisible>(cpu, op, [&cpu, b, reg](T a) {
    cpu.set_reg<T>(reg, a);
    return Add::apply(cpu.flags, a, b);
  });
}
Handler select_xadd(const Instruction& instruction, Op& op) {
  const Form form = take_operands(instruction, op);
  return for_size(instruction.bits(0), [&]<class T>() -> Handler {
    if (form == Form::RegReg) return xadd_reg<T>;
    return for_bool(is_locked(op), [](auto locked) -> Handler { return xadd_mem<T, locked.value>; });
  });
}

// ADCX and ADOX: two carry chains at once, in CF and in OF. [SDM 2]
template <class T, bool kOverflow, bool kMemory>
Flow add_chain(Cpu& cpu, const Op& op) {
  T b = 0;
  if constexpr (kMemory) {
    if (!load(cpu, op, b)) return Flow::Fault;
  } else {
    b = cpu.reg<T>(op.rm);
  }
  const T a = cpu.reg<T>(op.reg);
  const bool carry = kOverflow ? cpu.flags.of() : cpu.flags.cf();
  T result = 0;
  bool out = __builtin_add_overflow(a, b, &result);
  if (__builtin_add_overflow(result, T{carry}, &result)) out = true;
  cpu.set_reg<T>(op.reg, result);
  if constexpr (kOverflow) {
    cpu.flags.set_of(out);
  } else {
    cpu.flags.set_cf(out);
  }
  return Flow::Next;
}
template <bool kOverflow>
Handler select_add_chain(const Instruction& instruction, Op& op) {
  const Form form = take_operands(instruction, op);
  return for_wide_size(instruction.bits(0), [&]<class T>() {
    return for_bool(form == Form::RegMem, [](auto memory) -> Handler { return add_chain<T, kOverflow, memory.value>; });
  });
}

template <Handler kHandler>
Handler select_plain(const Instruction&, Op&) {
  return kHandler;
}
template <bool kValue>
Flow set_carry(Cpu& cpu, const Op&) {
  cpu.flags.set_cf(kValue);
  return Flow::Next;
}
Flow cmc(Cpu& cpu, const Op&) {
  cpu.flags.set_cf(!cpu.flags.cf());
  return Flow::Next;
}
Flow cld(Cpu& cpu, const Op&) {
  cpu.other_flags &= ~kDf;
  return Flow::Next;
}
Flow set_direction(Cpu& cpu, const Op&) {
  cpu.other_flags |= kDf;
  return Flow::Next;
}

constexpr StepTable kSteps{
    {ZYDIS_MNEMONIC_ADD, select_binary<Add>},   {ZYDIS_MNEMONIC_OR, select_binary<Or>},
    {ZYDIS_MNEMONIC_ADC, select_binary<Adc>},   {ZYDIS_MNEMONIC_SBB, select_binary<Sbb>},
    {ZYDIS_MNEMONIC_AND, select_binary<And>},   {ZYDIS_MNEMONIC_SUB, select_binary<Sub>},
    {ZYDIS_MNEMONIC_XOR, select_binary<Xor>},   {ZYDIS_MNEMONIC_CMP, select_binary<Cmp>},
    {ZYDIS_MNEMONIC_TEST, select_binary<Test>}, {ZYDIS_MNEMONIC_INC, select_unary<Inc>},
    {ZYDIS_MNEMONIC_DEC, select_unary<Dec>},    {ZYDIS_MNEMONIC_NEG, select_unary<Neg>},
    {ZYDIS_MNEMONIC_NOT, select_unary<Not>},
};
constexpr SelectorTable kSelectors{
    {ZYDIS_MNEMONIC_XADD, select_xadd},
    {ZYDIS_MNEMONIC_ADCX, select_add_chain<false>},
    {ZYDIS_MNEMONIC_ADOX, select_add_chain<true>},
    {ZYDIS_MNEMONIC_CMPXCHG, select_compare_exchange},
    {ZYDIS_MNEMONIC_CMPXCHG8B, select_compare_exchange8},
    {ZYDIS_MNEMONIC_CMPXCHG16B, select_compare_exchange16},
    {ZYDIS_MNEMONIC_CLC, select_plain<set_carry<false>>},
    {ZYDIS_MNEMONIC_STC, select_plain<set_carry<true>>},
    {ZYDIS_MNEMONIC_CMC, select_plain<cmc>},
    {ZYDIS_MNEMONIC_CLD, select_plain<cld>},
    {ZYDIS_MNEMONIC_STD, select_plain<set_direction>},
};

}  // namespace

StepChoice arithmetic_steps(const Instruction& instruction, Op& op) {
  return kSteps(instruction, op);
}
Handler arithmetic_family(const Instruction& instruction, Op& op) {
  const Handler handler = kSelectors(instruction, op);
  return handler != nullptr ? handler : select_decimal(instruction, op);
}

}  // namespace vmm::cpu::soft
