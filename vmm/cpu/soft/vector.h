// What MMX and SSE instructions have in common: when they may run, where their operands come from, and handlers made of
// an operation on host registers. [SDM 1 9, 10; SDM 3A 13.1]
//
// An operation is the guest's own instruction, executed by the host on copies of the operands: void(__m128i&
// destination, __m128i source). That makes every result exact, and ties the model's features to the host's.
#pragma once

#include <Zydis/Zydis.h>
#include <cstdint>
#include <emmintrin.h>
#include <span>

#include "vmm/cpu/soft/cpu.h"
#include "vmm/cpu/soft/decoder.h"
#include "vmm/cpu/soft/operands.h"
#include "vmm/cpu/soft/x87.h"

namespace vmm::cpu::soft {

// #UD or #NM. Always false.
[[gnu::cold]] bool refuse_sse(Cpu& cpu);
inline bool begin_sse(Cpu& cpu) {
  if (((cpu.cr0 & (kCr0Em | kCr0Ts)) | (~cpu.cr4 & kCr4Osfxsr)) == 0) [[likely]]
    return true;
  return refuse_sse(cpu);
}

// #UD, #NM, or a pending x87 exception's #MF. False if it raised.
[[gnu::cold]] bool refuse_mmx(Cpu& cpu);
inline bool begin_mmx(Cpu& cpu) {
  if ((cpu.cr0 & (kCr0Em | kCr0Ts)) == 0 && pending_exceptions(cpu.x87) == 0) [[likely]]
    return true;
  return refuse_mmx(cpu);
}
// [SDM 1 9.5.1] Every MMX instruction but EMMS does this.
inline void enter_mmx(Cpu& cpu) {
  cpu.x87.top = 0;
  cpu.x87.occupied = 0xff;
}
inline void set_mmx(Cpu& cpu, unsigned index, std::uint64_t value) {
  enter_mmx(cpu);
  cpu.x87.registers[index].mantissa = value;
  cpu.x87.registers[index].sign_exponent = 0xffff;
}

inline __m128i low_half(std::uint64_t value) {
  return _mm_cvtsi64_si128(static_cast<long long>(value));
}
inline std::uint64_t low_half(__m128i value) {
  return static_cast<std::uint64_t>(_mm_cvtsi128_si64(value));
}

// False after #GP(0) where the address is not a multiple of 16. [SDM 2 2.4.1]
bool aligned_address(Cpu& cpu, const Op& op, Access access, std::uint64_t& linear);

// Sources. Memory of less than 16 bytes is extended by zeros.
struct FromXmm {
  static bool load(Cpu& cpu, const Op& op, __m128i& value) {
    value = cpu.xmm[op.rm].integer();
    return true;
  }
};
struct FromMmx {
  static bool load(Cpu& cpu, const Op& op, __m128i& value) {
    value = low_half(cpu.x87.registers[op.rm].mantissa);
    return true;
  }
};
struct FromImmediate {  // as a shift count
  static bool load(Cpu&, const Op& op, __m128i& value) {
    value = low_half(op.immediate & 0xff);
    return true;
  }
};
struct FromAligned {
  static bool load(Cpu& cpu, const Op& op, __m128i& value) {
    std::uint64_t linear = 0;
    Xmm memory;
    if (!aligned_address(cpu, op, Access::Read, linear) || !cpu.mmu.read(linear, memory)) return false;
    value = memory.integer();
    return true;
  }
};
struct FromUnaligned {
  static bool load(Cpu& cpu, const Op& op, __m128i& value) {
    Xmm memory;
    if (!soft::load(cpu, op, memory)) return false;
    value = memory.integer();
    return true;
  }
};
template <class T>
struct FromMemory {
  static bool load(Cpu& cpu, const Op& op, __m128i& value) {
    T memory{};
    if (!soft::load(cpu, op, memory)) return false;
    value = low_half(std::uint64_t{memory});
    return true;
  }
};

template <auto kOperation, class Source>
Flow xmm_operation(Cpu& cpu, const Op& op) {
  __m128i source;
  if (!begin_sse(cpu) || !Source::load(cpu, op, source)) return Flow::Fault;
  __m128i destination = cpu.xmm[op.reg].integer();
  kOperation(destination, source);
  cpu.xmm[op.reg].set_integer(destination);
  return Flow::Next;
}
template <auto kOperation, class Source>
Flow mmx_operation(Cpu& cpu, const Op& op) {
  __m128i source;
  if (!begin_mmx(cpu) || !Source::load(cpu, op, source)) return Flow::Fault;
  __m128i destination = low_half(cpu.x87.registers[op.reg].mantissa);
  kOperation(destination, source);
  set_mmx(cpu, op.reg, low_half(destination));
  return Flow::Next;
}

// What executes an instruction whose second operand is a register, memory, or an immediate.
struct VectorForms {
  ZydisMnemonic mnemonic = ZYDIS_MNEMONIC_INVALID;
  Handler registers = nullptr, memory = nullptr, immediate = nullptr;

  Handler of(const Instruction& instruction) const {
    if (instruction.operand_is_memory(0) || instruction.operand_is_memory(1)) return memory;
    return instruction.operands.size() > 1 && instruction.operands[1].type == ZYDIS_OPERAND_TYPE_IMMEDIATE ? immediate
                                                                                                           : registers;
  }
};
inline Handler find_form(std::span<const VectorForms> table, const Instruction& instruction) {
  for (const VectorForms& row : table) {
    if (row.mnemonic == instruction.decoded.mnemonic) return row.of(instruction);
  }
  return nullptr;
}

inline bool is_register_of(const Instruction& instruction, unsigned operand, ZydisRegisterClass wanted) {
  return operand < instruction.operands.size() && instruction.operands[operand].type == ZYDIS_OPERAND_TYPE_REGISTER &&
         ZydisRegisterGetClass(instruction.operands[operand].reg.value) == wanted;
}
// op.reg and op.rm by the order of operands: numbers for XMM and MMX, byte offsets for general registers.
void name_vector_operands(const Instruction& instruction, Op& op);
// MASKMOVQ and MASKMOVDQU: the implied memory operand is DS:rDI, another segment allowed.
void name_masked_destination(const Instruction& instruction, Op& op);

// One table each; nullptr: not theirs.
Handler packed_integer_form(const Instruction& instruction, bool mmx);
Handler sse_float_form(const Instruction& instruction);
Handler sse_convert_form(const Instruction& instruction);
Handler sse_to_general_form(const Instruction& instruction);  // a part of the former
Handler sse_move_form(const Instruction& instruction);
Handler sse_immediate_form(const Instruction& instruction);

// [V]MASKMOVDQU, once the unit may be used. The whole range is checked if any byte is stored. [SDM 2B MASKMOVDQU]
Flow store_masked_bytes(Cpu& cpu, const Op& op);

}  // namespace vmm::cpu::soft
