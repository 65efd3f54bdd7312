// MOV, MOVZX, MOVSX, MOVSXD, MOVBE, MOVNTI, LEA, XCHG, XLAT, BSWAP. [SDM 2]
// CMOVcc and SETcc are in ops_conditional.cpp, what moves nothing in ops_miscellaneous.cpp.
#include "vmm/cpu/soft/ops_move.h"

#include "vmm/cpu/soft/forms.h"

namespace vmm::cpu::soft {
namespace {

template <class T>
constexpr T swap_bytes(T value) {
  if constexpr (sizeof(T) == 2) return __builtin_bswap16(value);
  if constexpr (sizeof(T) == 4) return __builtin_bswap32(value);
  if constexpr (sizeof(T) == 8) return __builtin_bswap64(value);
  return value;
}

template <class T, Last kLast>
Flow mov_reg_reg(Cpu& cpu, const Op& op, std::uint64_t last) {
  const T value = register_operand < T, kLast == Last::Source > (cpu, op.rm, last);
  cpu.set_reg<T>(op.reg, value);
  return cpu.proceed(op, value);
}
template <class T>
Flow mov_reg_imm(Cpu& cpu, const Op& op, std::uint64_t) {
  const T value = static_cast<T>(op.immediate);
  cpu.set_reg<T>(op.reg, value);
  return cpu.proceed(op, value);
}
template <class T, Quick kQuick, bool kSwap, Last kLast>
Flow mov_reg_mem(Cpu& cpu, const Op& op, std::uint64_t last) {
  return with_memory<T, kQuick, kLast>(cpu, op, last, [](Cpu& c, const Op& o, std::uint64_t, T stored) {
    const T value = kSwap ? swap_bytes(stored) : stored;
    c.set_reg<T>(o.reg, value);
    return c.proceed(o, value);
  });
}
template <class T, Quick kQuick, bool kSwap, Last kLast>
Flow mov_mem_reg(Cpu& cpu, const Op& op, std::uint64_t last) {
  const T value = register_operand < T, kLast == Last::Source > (cpu, op.reg, last);
  return store_form<T, kQuick, kLast>(cpu, op, last, kSwap ? swap_bytes(value) : value);
}
template <class T, Quick kQuick, Last kLast>
Flow mov_mem_imm(Cpu& cpu, const Op& op, std::uint64_t last) {
  return store_form<T, kQuick, kLast>(cpu, op, last, static_cast<T>(op.immediate));
}

template <class T, bool kSwap>
Step load_form(const Instruction& instruction, const Op& op) {
  return for_quick<T, Last::Base, Last::Index>(op, address_use(instruction, op), [](auto quick, auto last) -> Step {
    return mov_reg_mem<T, quick.value, kSwap, last.value>;
  });
}
template <class T, bool kSwap>
Step store_register_form(const Instruction& instruction, const Op& op) {
  const Last use = op.reg == instruction.last ? Last::Source : address_use(instruction, op);
  return for_quick<T, Last::Source, Last::Base, Last::Index>(
      op, use, [](auto quick, auto last) -> Step { return mov_mem_reg<T, quick.value, kSwap, last.value>; });
}
template <class T>
Step store_immediate_form(const Instruction& instruction, const Op& op) {
  return for_quick<T, Last::Base, Last::Index>(op, address_use(instruction, op), [](auto quick, auto last) -> Step {
    return mov_mem_imm<T, quick.value, last.value>;
  });
}
template <class T, bool kSwap>
StepChoice mov_form(Form form, const Instruction& instruction, const Op& op) {
  switch (form) {
    case Form::RegReg: {
      const Last use = op.rm == instruction.last ? Last::Source : Last::Unused;
      return giving<T>(for_use<Last::Source>(use, [](auto last) -> Step { return mov_reg_reg<T, last.value>; }),
                       op.reg);
    }
    case Form::RegImm: return giving<T>(mov_reg_imm<T>, op.reg);
    case Form::RegMem: return giving<T>(load_form<T, kSwap>(instruction, op), op.reg);
    case Form::MemReg: return {store_register_form<T, kSwap>(instruction, op)};
    case Form::MemImm: return {store_immediate_form<T>(instruction, op)};
    default: return {};
  }
}
// MOV with segment, control and debug registers has Form::Other and is of other families.
template <bool kSwap>
StepChoice select_mov(const Instruction& instruction, Op& op) {
  const bool general = is_general(instruction, 0) || instruction.operand_is_memory(0);
  if (!general || (!is_general(instruction, 1) && !instruction.operand_is_memory(1) && !is_immediate(instruction, 1)))
    return {};
  const Form form = take_operands(instruction, op);
  return for_size(instruction.bits(0), [&]<class T>() { return mov_form<T, kSwap>(form, instruction, op); });
}

// From: unsigned to extend with zeros, signed to extend with the sign.
template <class To, class From>
Flow extend(Cpu& cpu, const Op& op, std::make_unsigned_t<From> value) {
  const auto extended = static_cast<To>(static_cast<std::make_signed_t<To>>(static_cast<From>(value)));
  cpu.set_reg<To>(op.reg, extended);
  return cpu.proceed(op, extended);
}
template <class To, class From, Last kLast>
Flow extend_reg(Cpu& cpu, const Op& op, std::uint64_t last) {
  return extend<To, From>(cpu, op, register_operand < std::make_unsigned_t<From>,
                          kLast == Last::Source > (cpu, op.rm, last));
}
template <class To, class From, Quick kQuick, Last kLast>
Flow extend_mem(Cpu& cpu, const Op& op, std::uint64_t last) {
  using Source = std::make_unsigned_t<From>;
  return with_memory<Source, kQuick, kLast>(
      cpu, op, last, [](Cpu& c, const Op& o, std::uint64_t, Source value) { return extend<To, From>(c, o, value); });
}
template <class To, class From>
Step extend_form(Form form, const Instruction& instruction, const Op& op) {
  if (form == Form::RegReg) {
    const Last use = op.rm == instruction.last ? Last::Source : Last::Unused;
    return for_use<Last::Source>(use, [](auto last) -> Step { return extend_reg<To, From, last.value>; });
  }
  return for_quick<To, Last::Base, Last::Index>(op, address_use(instruction, op), [](auto quick, auto last) -> Step {
    return extend_mem<To, From, quick.value, last.value>;
  });
}
template <bool kSigned>
StepChoice select_extend(const Instruction& instruction, Op& op) {
  const Form form = take_operands(instruction, op);
  return for_wide_size(instruction.bits(0), [&]<class To>() {
    return for_size(instruction.bits(1), [&]<class Source>() {
      using From = std::conditional_t<kSigned, std::make_signed_t<Source>, Source>;
      return giving<To>(extend_form<To, From>(form, instruction, op), op.reg);
    });
  });
}

template <class T, bool kWraps, Last kLast>
Flow lea(Cpu& cpu, const Op& op, std::uint64_t last) {
  const T address =
      static_cast<T>(kWraps ? effective_address(cpu, op) : quick_address<Quick::Wide, kLast>(cpu, op, last));
  cpu.set_reg<T>(op.reg, address);
  return cpu.proceed(op, address);
}
StepChoice select_lea(const Instruction& instruction, Op& op) {
  take_operands(instruction, op);
  return for_wide_size(instruction.bits(0), [&]<class T>() {
    const bool wraps = (op.flags & kAddress16) != 0 || ((op.flags & kAddress32) != 0 && sizeof(T) > 4);
    if (wraps) return giving<T>(lea<T, true, Last::Unused>, op.reg);
    const Step step = for_use<Last::Base, Last::Index>(address_use(instruction, op),
                                                       [](auto last) -> Step { return lea<T, false, last.value>; });
    return giving<T>(step, op.reg);
  });
}

template <class T>
Flow xchg_reg(Cpu& cpu, const Op& op, std::uint64_t) {
  const T a = cpu.reg<T>(op.reg), b = cpu.reg<T>(op.rm);
  cpu.set_reg<T>(op.rm, a);
  cpu.set_reg<T>(op.reg, b);
  return cpu.proceed(op);
}
template <class T>
Flow xchg_mem(Cpu& cpu, const Op& op, std::uint64_t) {
  const T value = cpu.reg<T>(op.reg);
  const std::uint8_t reg = op.reg;
  return update<T, Quick::No, true>(cpu, op, [&cpu, value, reg](T old) {
    cpu.set_reg<T>(reg, old);
    return value;
  });
}
StepChoice select_xchg(const Instruction& instruction, Op& op) {
  const Form form = take_operands(instruction, op);
  return for_size(instruction.bits(0),
                  [&]<class T>() -> StepChoice { return {form == Form::RegReg ? xchg_reg<T> : xchg_mem<T>}; });
}

Flow xlat(Cpu& cpu, const Op& op) {
  std::uint64_t address = cpu.general[3] + cpu.reg<std::uint8_t>(kRax);
  if ((op.flags & kAddress32) != 0) address = static_cast<std::uint32_t>(address);
  if ((op.flags & kAddress16) != 0) address = static_cast<std::uint16_t>(address);
  std::uint64_t linear = 0;
  std::uint8_t value = 0;
  if (!linear_address(cpu, op, address, 1, Access::Read, linear) || !cpu.mmu.read(linear, value)) return Flow::Fault;
  cpu.set_reg(kRax, value);
  return Flow::Next;
}
// Its memory operand is not a visible one.
Handler select_xlat(const Instruction& instruction, Op& op) {
  struct Override {
    ZydisInstructionAttributes attribute;
    SegmentIndex segment;
  };
  static constexpr Override kOverrides[] = {{ZYDIS_ATTRIB_HAS_SEGMENT_ES, kEs}, {ZYDIS_ATTRIB_HAS_SEGMENT_CS, kCs},
                                            {ZYDIS_ATTRIB_HAS_SEGMENT_SS, kSs}, {ZYDIS_ATTRIB_HAS_SEGMENT_DS, kDs},
                                            {ZYDIS_ATTRIB_HAS_SEGMENT_FS, kFs}, {ZYDIS_ATTRIB_HAS_SEGMENT_GS, kGs}};
  op.segment = kDs;
  for (const Override& one : kOverrides) {
    if ((instruction.decoded.attributes & one.attribute) != 0) op.segment = one.segment;
  }
  op.flags = static_cast<std::uint8_t>((op.flags & ~kAddressing) | address_flags(instruction, op.segment));
  return xlat;
}

template <class T>
Flow bswap(Cpu& cpu, const Op& op, std::uint64_t) {
  // With 16 bits undefined; processors give zero.
  const T value = sizeof(T) == 2 ? T{0} : swap_bytes(cpu.reg<T>(op.reg));
  cpu.set_reg<T>(op.reg, value);
  return cpu.proceed(op, value);
}
StepChoice select_bswap(const Instruction& instruction, Op& op) {
  take_operands(instruction, op);
  return for_wide_size(instruction.bits(0), [&]<class T>() { return giving<T>(bswap<T>, op.reg); });
}

constexpr StepTable kSteps{
    {ZYDIS_MNEMONIC_MOV, select_mov<false>},
    {ZYDIS_MNEMONIC_MOVNTI, select_mov<false>},
    {ZYDIS_MNEMONIC_MOVBE, select_mov<true>},
    {ZYDIS_MNEMONIC_MOVZX, select_extend<false>},
    {ZYDIS_MNEMONIC_MOVSX, select_extend<true>},
    {ZYDIS_MNEMONIC_MOVSXD, select_extend<true>},
    {ZYDIS_MNEMONIC_LEA, select_lea},
    {ZYDIS_MNEMONIC_XCHG, select_xchg},
    {ZYDIS_MNEMONIC_BSWAP, select_bswap},
    {ZYDIS_MNEMONIC_CMOVO, select_conditional_move},
    {ZYDIS_MNEMONIC_CMOVNO, select_conditional_move},
    {ZYDIS_MNEMONIC_CMOVB, select_conditional_move},
    {ZYDIS_MNEMONIC_CMOVNB, select_conditional_move},
    {ZYDIS_MNEMONIC_CMOVZ, select_conditional_move},
    {ZYDIS_MNEMONIC_CMOVNZ, select_conditional_move},
    {ZYDIS_MNEMONIC_CMOVBE, select_conditional_move},
    {ZYDIS_MNEMONIC_CMOVNBE, select_conditional_move},
    {ZYDIS_MNEMONIC_CMOVS, select_conditional_move},
    {ZYDIS_MNEMONIC_CMOVNS, select_conditional_move},
    {ZYDIS_MNEMONIC_CMOVP, select_conditional_move},
    {ZYDIS_MNEMONIC_CMOVNP, select_conditional_move},
    {ZYDIS_MNEMONIC_CMOVL, select_conditional_move},
    {ZYDIS_MNEMONIC_CMOVNL, select_conditional_move},
    {ZYDIS_MNEMONIC_CMOVLE, select_conditional_move},
    {ZYDIS_MNEMONIC_CMOVNLE, select_conditional_move},
    {ZYDIS_MNEMONIC_SETO, select_conditional_set},
    {ZYDIS_MNEMONIC_SETNO, select_conditional_set},
    {ZYDIS_MNEMONIC_SETB, select_conditional_set},
    {ZYDIS_MNEMONIC_SETNB, select_conditional_set},
    {ZYDIS_MNEMONIC_SETZ, select_conditional_set},
    {ZYDIS_MNEMONIC_SETNZ, select_conditional_set},
    {ZYDIS_MNEMONIC_SETBE, select_conditional_set},
    {ZYDIS_MNEMONIC_SETNBE, select_conditional_set},
    {ZYDIS_MNEMONIC_SETS, select_conditional_set},
    {ZYDIS_MNEMONIC_SETNS, select_conditional_set},
    {ZYDIS_MNEMONIC_SETP, select_conditional_set},
    {ZYDIS_MNEMONIC_SETNP, select_conditional_set},
    {ZYDIS_MNEMONIC_SETL, select_conditional_set},
    {ZYDIS_MNEMONIC_SETNL, select_conditional_set},
    {ZYDIS_MNEMONIC_SETLE, select_conditional_set},
    {ZYDIS_MNEMONIC_SETNLE, select_conditional_set},
};

}  // namespace

StepChoice move_steps(const Instruction& instruction, Op& op) {
  return kSteps(instruction, op);
}
Handler move_family(const Instruction& instruction, Op& op) {
  return instruction.decoded.mnemonic == ZYDIS_MNEMONIC_XLAT ? select_xlat(instruction, op)
                                                             : select_miscellaneous(instruction, op);
}

}  // namespace vmm::cpu::soft
