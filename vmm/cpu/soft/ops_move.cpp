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

template <class T>
Flow mov_reg_reg(Cpu& cpu, const Op& op) {
  cpu.set_reg<T>(op.reg, cpu.reg<T>(op.rm));
  return cpu.proceed(op);
}
template <class T>
Flow mov_reg_imm(Cpu& cpu, const Op& op) {
  cpu.set_reg<T>(op.reg, static_cast<T>(op.immediate));
  return cpu.proceed(op);
}
template <class T, bool kQuick, bool kSwap>
Flow mov_reg_mem(Cpu& cpu, const Op& op) {
  return with_memory<T, kQuick>(cpu, op, [](Cpu& c, const Op& o, T value) {
    c.set_reg<T>(o.reg, kSwap ? swap_bytes(value) : value);
    return c.proceed(o);
  });
}
template <class T, bool kQuick, bool kSwap>
Flow mov_mem_reg(Cpu& cpu, const Op& op) {
  const T value = cpu.reg<T>(op.reg);
  return store_form<T, kQuick>(cpu, op, kSwap ? swap_bytes(value) : value);
}
template <class T, bool kQuick>
Flow mov_mem_imm(Cpu& cpu, const Op& op) {
  return store_form<T, kQuick>(cpu, op, static_cast<T>(op.immediate));
}

template <class T, bool kSwap>
Handler mov_form(Form form, const Op& op) {
  switch (form) {
    case Form::RegReg: return mov_reg_reg<T>;
    case Form::RegImm: return mov_reg_imm<T>;
    case Form::RegMem:
      return for_bool(is_quick(op), [](auto quick) -> Handler { return mov_reg_mem<T, quick.value, kSwap>; });
    case Form::MemReg:
      return for_bool(is_quick(op), [](auto quick) -> Handler { return mov_mem_reg<T, quick.value, kSwap>; });
    case Form::MemImm: return for_bool(is_quick(op), [](auto quick) -> Handler { return mov_mem_imm<T, quick.value>; });
    default: return nullptr;
  }
}
// MOV with segment, control and debug registers has Form::Other and is of other families.
template <bool kSwap>
Handler select_mov(const Instruction& instruction, Op& op) {
  const bool general = is_general(instruction, 0) || instruction.operand_is_memory(0);
  if (!general || (!is_general(instruction, 1) && !instruction.operand_is_memory(1) && !is_immediate(instruction, 1)))
    return nullptr;
  const Form form = take_operands(instruction, op);
  op.flags |= kProceeds;
  return for_size(instruction.bits(0), [&]<class T>() { return mov_form<T, kSwap>(form, op); });
}

// From: unsigned to extend with zeros, signed to extend with the sign.
template <class To, class From>
void extend(Cpu& cpu, const Op& op, std::make_unsigned_t<From> value) {
  cpu.set_reg<To>(op.reg, static_cast<To>(static_cast<From>(value)));
}
template <class To, class From>
Flow extend_reg(Cpu& cpu, const Op& op) {
  extend<To, From>(cpu, op, cpu.reg<std::make_unsigned_t<From>>(op.rm));
  return cpu.proceed(op);
}
template <class To, class From, bool kQuick>
Flow extend_mem(Cpu& cpu, const Op& op) {
  using Source = std::make_unsigned_t<From>;
  return with_memory<Source, kQuick>(cpu, op, [](Cpu& c, const Op& o, Source value) {
    extend<To, From>(c, o, value);
    return c.proceed(o);
  });
}
template <bool kSigned>
Handler select_extend(const Instruction& instruction, Op& op) {
  const Form form = take_operands(instruction, op);
  op.flags |= kProceeds;
  return for_wide_size(instruction.bits(0), [&]<class To>() -> Handler {
    return for_size(instruction.bits(1), [&]<class Source>() -> Handler {
      using From = std::conditional_t<kSigned, std::make_signed_t<Source>, Source>;
      if (form == Form::RegReg) return extend_reg<To, From>;
      return for_bool(is_quick(op), [](auto quick) -> Handler { return extend_mem<To, From, quick.value>; });
    });
  });
}

template <class T, bool kWraps>
Flow lea(Cpu& cpu, const Op& op) {
  cpu.set_reg<T>(op.reg, static_cast<T>(kWraps ? effective_address(cpu, op) : quick_address(cpu, op)));
  return cpu.proceed(op);
}
Handler select_lea(const Instruction& instruction, Op& op) {
  take_operands(instruction, op);
  op.flags |= kProceeds;
  return for_wide_size(instruction.bits(0), [&]<class T>() {
    const bool wraps = (op.flags & kAddress16) != 0 || ((op.flags & kAddress32) != 0 && sizeof(T) > 4);
    return for_bool(wraps, [](auto wrapped) -> Handler { return lea<T, wrapped.value>; });
  });
}

template <class T>
Flow xchg_reg(Cpu& cpu, const Op& op) {
  const T a = cpu.reg<T>(op.reg), b = cpu.reg<T>(op.rm);
  cpu.set_reg<T>(op.rm, a);
  cpu.set_reg<T>(op.reg, b);
  return cpu.proceed(op);
}
template <class T>
Flow xchg_mem(Cpu& cpu, const Op& op) {
  const T value = cpu.reg<T>(op.reg);
  const std::uint8_t reg = op.reg;
  return update<T, false, true>(cpu, op, [&cpu, value, reg](T old) {
    cpu.set_reg<T>(reg, old);
    return value;
  });
}
Handler select_xchg(const Instruction& instruction, Op& op) {
  const Form form = take_operands(instruction, op);
  op.flags |= kProceeds;
  return for_size(instruction.bits(0),
                  [&]<class T>() -> Handler { return form == Form::RegReg ? xchg_reg<T> : xchg_mem<T>; });
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
  op.flags &= static_cast<std::uint8_t>(~(kFlat | kAddress32 | kAddress16));
  const bool code64 = (instruction.mode & Mode::kCodeMask) == Mode::kCode64;
  if (code64 && op.segment != kFs && op.segment != kGs) op.flags |= kFlat;
  if (instruction.decoded.address_width == 32) op.flags |= kAddress32;
  if (instruction.decoded.address_width == 16) op.flags |= kAddress16;
  return xlat;
}

template <class T>
Flow bswap(Cpu& cpu, const Op& op) {
  // With 16 bits undefined; processors give zero.
  cpu.set_reg<T>(op.rm, sizeof(T) == 2 ? T{0} : swap_bytes(cpu.reg<T>(op.rm)));
  return cpu.proceed(op);
}
Handler select_bswap(const Instruction& instruction, Op& op) {
  take_operands(instruction, op);
  op.flags |= kProceeds;
  return for_wide_size(instruction.bits(0), []<class T>() -> Handler { return bswap<T>; });
}

constexpr SelectorTable kSelectors{
    {ZYDIS_MNEMONIC_MOV, select_mov<false>},
    {ZYDIS_MNEMONIC_MOVNTI, select_mov<false>},
    {ZYDIS_MNEMONIC_MOVBE, select_mov<true>},
    {ZYDIS_MNEMONIC_MOVZX, select_extend<false>},
    {ZYDIS_MNEMONIC_MOVSX, select_extend<true>},
    {ZYDIS_MNEMONIC_MOVSXD, select_extend<true>},
    {ZYDIS_MNEMONIC_LEA, select_lea},
    {ZYDIS_MNEMONIC_XCHG, select_xchg},
    {ZYDIS_MNEMONIC_XLAT, select_xlat},
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

Handler move_family(const Instruction& instruction, Op& op) {
  const Handler handler = kSelectors(instruction, op);
  return handler != nullptr ? handler : select_miscellaneous(instruction, op);
}

}  // namespace vmm::cpu::soft
