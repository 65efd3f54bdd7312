// The families of MMX and SSE instructions: which table an instruction is in. [SDM 1 9-12]
#include "vmm/cpu/soft/vector.h"

namespace vmm::cpu::soft {
namespace {

bool names_register_of(const Instruction& instruction, ZydisRegisterClass wanted) {
  return is_register_of(instruction, 0, wanted) || is_register_of(instruction, 1, wanted);
}

// MMX

template <class T>
Flow move_to_mmx(Cpu& cpu, const Op& op) {
  if (!begin_mmx(cpu)) return Flow::Fault;
  set_mmx(cpu, op.reg, cpu.reg<T>(op.rm));
  return Flow::Next;
}
template <class T>
Flow load_mmx(Cpu& cpu, const Op& op) {
  T value{};
  if (!begin_mmx(cpu) || !load(cpu, op, value)) return Flow::Fault;
  set_mmx(cpu, op.reg, value);
  return Flow::Next;
}
template <class T>
Flow move_from_mmx(Cpu& cpu, const Op& op) {
  if (!begin_mmx(cpu)) return Flow::Fault;
  enter_mmx(cpu);
  cpu.set_reg(op.reg, static_cast<T>(cpu.x87.registers[op.rm].mantissa));
  return Flow::Next;
}
template <class T>
Flow store_mmx(Cpu& cpu, const Op& op) {
  if (!begin_mmx(cpu) || !store(cpu, op, static_cast<T>(cpu.x87.registers[op.reg].mantissa))) return Flow::Fault;
  enter_mmx(cpu);
  return Flow::Next;
}
Flow copy_mmx(Cpu& cpu, const Op& op) {
  if (!begin_mmx(cpu)) return Flow::Fault;
  set_mmx(cpu, op.reg, cpu.x87.registers[op.rm].mantissa);
  return Flow::Next;
}

Handler mmx_move(const Instruction& instruction) {
  const bool wide = instruction.decoded.mnemonic != ZYDIS_MNEMONIC_MOVD;
  if (instruction.operand_is_memory(0)) return wide ? store_mmx<std::uint64_t> : store_mmx<std::uint32_t>;
  if (instruction.operand_is_memory(1)) return wide ? load_mmx<std::uint64_t> : load_mmx<std::uint32_t>;
  const bool to_mmx = is_register_of(instruction, 0, ZYDIS_REGCLASS_MMX);
  if (to_mmx && is_register_of(instruction, 1, ZYDIS_REGCLASS_MMX)) return copy_mmx;
  if (to_mmx) return wide ? move_to_mmx<std::uint64_t> : move_to_mmx<std::uint32_t>;
  return wide ? move_from_mmx<std::uint64_t> : move_from_mmx<std::uint32_t>;
}

template <class Source>
Flow shuffle_words(Cpu& cpu, const Op& op) {
  __m128i value;
  if (!begin_mmx(cpu) || !Source::load(cpu, op, value)) return Flow::Fault;
  const std::uint64_t source = low_half(value);
  std::uint64_t result = 0;
  for (unsigned word = 0; word < 4; ++word) {
    const auto chosen = static_cast<unsigned>(op.immediate >> (2 * word) & 3);
    result |= (source >> (16 * chosen) & 0xffff) << (16 * word);
  }
  set_mmx(cpu, op.reg, result);
  return Flow::Next;
}
// PALIGNR [SDM 2 PALIGNR]
template <class Source>
Flow align_right(Cpu& cpu, const Op& op) {
  __m128i value;
  if (!begin_mmx(cpu) || !Source::load(cpu, op, value)) return Flow::Fault;
  const std::uint64_t low = low_half(value);
  const std::uint64_t high = cpu.x87.registers[op.reg].mantissa;
  const auto bits = static_cast<unsigned>(op.immediate & 0xff) * 8;
  std::uint64_t result = 0;
  if (bits == 0) {
    result = low;
  } else if (bits < 64) {
    result = low >> bits | high << (64 - bits);
  } else if (bits < 128) {
    result = high >> (bits - 64);
  }
  set_mmx(cpu, op.reg, result);
  return Flow::Next;
}
void insert_word(Cpu& cpu, const Op& op, std::uint16_t word) {
  const auto shift = static_cast<unsigned>(op.immediate & 3) * 16;
  const std::uint64_t kept = cpu.x87.registers[op.reg].mantissa & ~(std::uint64_t{0xffff} << shift);
  set_mmx(cpu, op.reg, kept | std::uint64_t{word} << shift);
}
Flow insert_from_register(Cpu& cpu, const Op& op) {
  if (!begin_mmx(cpu)) return Flow::Fault;
  insert_word(cpu, op, cpu.reg<std::uint16_t>(op.rm));
  return Flow::Next;
}
Flow insert_from_memory(Cpu& cpu, const Op& op) {
  std::uint16_t word = 0;
  if (!begin_mmx(cpu) || !load(cpu, op, word)) return Flow::Fault;
  insert_word(cpu, op, word);
  return Flow::Next;
}
Flow extract_word(Cpu& cpu, const Op& op) {
  if (!begin_mmx(cpu)) return Flow::Fault;
  enter_mmx(cpu);
  const auto shift = static_cast<unsigned>(op.immediate & 3) * 16;
  cpu.set_reg(op.reg, static_cast<std::uint32_t>(cpu.x87.registers[op.rm].mantissa >> shift & 0xffff));
  return Flow::Next;
}
Flow sign_mask(Cpu& cpu, const Op& op) {
  if (!begin_mmx(cpu)) return Flow::Fault;
  enter_mmx(cpu);
  const int mask = _mm_movemask_epi8(low_half(cpu.x87.registers[op.rm].mantissa));
  cpu.set_reg(op.reg, static_cast<std::uint32_t>(mask));
  return Flow::Next;
}
Flow store_masked(Cpu& cpu, const Op& op) {
  if (!begin_mmx(cpu)) return Flow::Fault;
  const std::uint64_t mask = cpu.x87.registers[op.rm].mantissa & 0x8080808080808080;
  std::uint64_t linear = 0;
  if (mask != 0 && (!linear_address(cpu, op, effective_address(cpu, op), 8, Access::Write, linear) ||
                    !cpu.mmu.probe(linear, 8, Access::Write))) {
    return Flow::Fault;
  }
  const std::uint64_t bytes = cpu.x87.registers[op.reg].mantissa;  // a store may void the op
  for (unsigned byte = 0; byte < 8; ++byte) {
    const auto value = static_cast<std::uint8_t>(bytes >> (8 * byte));
    if ((mask >> (8 * byte) & 0x80) != 0 && !cpu.mmu.write(linear + byte, value)) return Flow::Fault;
  }
  enter_mmx(cpu);
  return Flow::Next;
}

using FromMmxMemory = FromMemory<std::uint64_t>;
constexpr VectorForms kMmxRows[] = {
    {ZYDIS_MNEMONIC_PSHUFW, shuffle_words<FromMmx>, shuffle_words<FromMmxMemory>, nullptr},
    {ZYDIS_MNEMONIC_PALIGNR, align_right<FromMmx>, align_right<FromMmxMemory>, nullptr},
    {ZYDIS_MNEMONIC_PINSRW, insert_from_register, insert_from_memory, nullptr},
    {ZYDIS_MNEMONIC_PEXTRW, extract_word, nullptr, nullptr},
    {ZYDIS_MNEMONIC_PMOVMSKB, sign_mask, nullptr, nullptr},
    {ZYDIS_MNEMONIC_MASKMOVQ, store_masked, nullptr, nullptr},
};

}  // namespace

Handler mmx_family(const Instruction& instruction, Op& op) {
  // Those with registers of both kinds are SSE's.
  if (!names_register_of(instruction, ZYDIS_REGCLASS_MMX) || names_register_of(instruction, ZYDIS_REGCLASS_XMM)) {
    return nullptr;
  }
  Handler found = nullptr;
  switch (instruction.decoded.mnemonic) {
    case ZYDIS_MNEMONIC_MOVD:
    case ZYDIS_MNEMONIC_MOVQ:
    case ZYDIS_MNEMONIC_MOVNTQ: found = mmx_move(instruction); break;
    case ZYDIS_MNEMONIC_CVTPS2PI:
    case ZYDIS_MNEMONIC_CVTTPS2PI:
    case ZYDIS_MNEMONIC_CVTPD2PI:
    case ZYDIS_MNEMONIC_CVTTPD2PI: found = sse_convert_form(instruction); break;  // from memory
    default: found = find_form(kMmxRows, instruction); break;
  }
  if (found == nullptr) found = packed_integer_form(instruction, true);
  if (found == nullptr) return nullptr;
  name_vector_operands(instruction, op);
  if (instruction.decoded.mnemonic == ZYDIS_MNEMONIC_MASKMOVQ) name_masked_destination(instruction, op);
  return found;
}

Handler sse_family(const Instruction& instruction, Op& op) {
  // MOVSD and CMPSD are strings' names too. Only conversions from memory to general registers name no XMM register.
  Handler found = nullptr;
  if (!names_register_of(instruction, ZYDIS_REGCLASS_XMM)) {
    if (names_register_of(instruction, ZYDIS_REGCLASS_MMX)) return nullptr;
    found = sse_to_general_form(instruction);
    if (found != nullptr) name_vector_operands(instruction, op);
    return found;
  }
  found = packed_integer_form(instruction, false);
  if (found == nullptr) found = sse_move_form(instruction);
  if (found == nullptr) found = sse_float_form(instruction);
  if (found == nullptr) found = sse_convert_form(instruction);
  if (found == nullptr) found = sse_immediate_form(instruction);
  if (found == nullptr) return nullptr;
  name_vector_operands(instruction, op);
  if (instruction.decoded.mnemonic == ZYDIS_MNEMONIC_MASKMOVDQU) name_masked_destination(instruction, op);
  return found;
}

}  // namespace vmm::cpu::soft
