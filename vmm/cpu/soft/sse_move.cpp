// Moves of SSE to SSE4.1. [SDM 1 10.4.1, 10.4.6, 11.4.1.1, 11.4.4]
#include "vmm/cpu/soft/vector.h"

namespace vmm::cpu::soft {
Flow store_masked_bytes(Cpu& cpu, const Op& op) {
  const auto mask = static_cast<unsigned>(_mm_movemask_epi8(cpu.xmm[op.rm].integer()));
  if (mask == 0) return Flow::Next;
  std::uint64_t linear = 0;
  if (!linear_address(cpu, op, effective_address(cpu, op), 16, Access::Write, linear) ||
      !cpu.mmu.probe(linear, 16, Access::Write)) {
    return Flow::Fault;
  }
  const Xmm bytes = cpu.xmm[op.reg];  // a store may void the op
  for (unsigned byte = 0; byte < 16; ++byte) {
    if ((mask >> byte & 1) != 0 && !cpu.mmu.write(linear + byte, bytes.bytes[byte])) return Flow::Fault;
  }
  return Flow::Next;
}

namespace {

// Loads and register forms are operations; the halves they keep are the destination's.
void copy(__m128i& d, __m128i s) {
  d = s;
}
void copy_low_quarter(__m128i& d, __m128i s) {
  d = _mm_castps_si128(_mm_move_ss(_mm_castsi128_ps(d), _mm_castsi128_ps(s)));
}
void copy_low_half(__m128i& d, __m128i s) {
  d = _mm_castpd_si128(_mm_move_sd(_mm_castsi128_pd(d), _mm_castsi128_pd(s)));
}
void copy_low_to_high(__m128i& d, __m128i s) {
  d = _mm_unpacklo_epi64(d, s);
}
void copy_high_to_low(__m128i& d, __m128i s) {
  d = _mm_unpackhi_epi64(s, d);
}
void copy_extended(__m128i& d, __m128i s) {
  d = _mm_move_epi64(s);
}

Flow store_aligned(Cpu& cpu, const Op& op) {
  std::uint64_t linear = 0;
  if (!begin_sse(cpu) || !aligned_address(cpu, op, Access::Write, linear)) return Flow::Fault;
  return cpu.mmu.write(linear, cpu.xmm[op.reg]) ? Flow::Next : Flow::Fault;
}
Flow store_unaligned(Cpu& cpu, const Op& op) {
  return begin_sse(cpu) && store(cpu, op, cpu.xmm[op.reg]) ? Flow::Next : Flow::Fault;
}
template <class T, unsigned kElement>
Flow store_part(Cpu& cpu, const Op& op) {
  return begin_sse(cpu) && store(cpu, op, cpu.xmm[op.reg].get<T>(kElement)) ? Flow::Next : Flow::Fault;
}

template <class T>
Flow to_general(Cpu& cpu, const Op& op) {
  if (!begin_sse(cpu)) return Flow::Fault;
  cpu.set_reg(op.reg, cpu.xmm[op.rm].get<T>());
  return Flow::Next;
}
template <class T>
Flow from_general(Cpu& cpu, const Op& op) {
  if (!begin_sse(cpu)) return Flow::Fault;
  cpu.xmm[op.reg].set_integer(low_half(std::uint64_t{cpu.reg<T>(op.rm)}));
  return Flow::Next;
}
template <auto kMask>
Flow sign_mask(Cpu& cpu, const Op& op) {
  if (!begin_sse(cpu)) return Flow::Fault;
  cpu.set_reg(op.reg, static_cast<std::uint32_t>(kMask(cpu.xmm[op.rm].integer())));
  return Flow::Next;
}

Flow mmx_to_xmm(Cpu& cpu, const Op& op) {
  if (!begin_sse(cpu) || !begin_mmx(cpu)) return Flow::Fault;
  enter_mmx(cpu);
  cpu.xmm[op.reg].set_integer(low_half(cpu.x87.registers[op.rm].mantissa));
  return Flow::Next;
}
Flow xmm_to_mmx(Cpu& cpu, const Op& op) {
  if (!begin_sse(cpu) || !begin_mmx(cpu)) return Flow::Fault;
  set_mmx(cpu, op.reg, cpu.xmm[op.rm].get<std::uint64_t>());
  return Flow::Next;
}

Flow store_masked(Cpu& cpu, const Op& op) {
  return begin_sse(cpu) ? store_masked_bytes(cpu, op) : Flow::Fault;
}

struct MoveForms {
  ZydisMnemonic mnemonic = ZYDIS_MNEMONIC_INVALID;
  Handler registers = nullptr, load = nullptr, store = nullptr;
};

template <class Memory>
constexpr MoveForms whole(ZydisMnemonic mnemonic, Handler store) {
  return {mnemonic, xmm_operation<copy, FromXmm>, xmm_operation<copy, Memory>, store};
}

constexpr int (*kByteSigns)(__m128i) = [](__m128i value) { return _mm_movemask_epi8(value); };
constexpr int (*kSingleSigns)(__m128i) = [](__m128i value) { return _mm_movemask_ps(_mm_castsi128_ps(value)); };
constexpr int (*kDoubleSigns)(__m128i) = [](__m128i value) { return _mm_movemask_pd(_mm_castsi128_pd(value)); };

constexpr MoveForms kMoves[] = {
    whole<FromAligned>(ZYDIS_MNEMONIC_MOVAPS, store_aligned),
    whole<FromAligned>(ZYDIS_MNEMONIC_MOVAPD, store_aligned),
    whole<FromAligned>(ZYDIS_MNEMONIC_MOVDQA, store_aligned),
    whole<FromUnaligned>(ZYDIS_MNEMONIC_MOVUPS, store_unaligned),
    whole<FromUnaligned>(ZYDIS_MNEMONIC_MOVUPD, store_unaligned),
    whole<FromUnaligned>(ZYDIS_MNEMONIC_MOVDQU, store_unaligned),
    {ZYDIS_MNEMONIC_LDDQU, nullptr, xmm_operation<copy, FromUnaligned>, nullptr},
    {ZYDIS_MNEMONIC_MOVNTDQA, nullptr, xmm_operation<copy, FromAligned>, nullptr},
    {ZYDIS_MNEMONIC_MOVNTPS, nullptr, nullptr, store_aligned},
    {ZYDIS_MNEMONIC_MOVNTPD, nullptr, nullptr, store_aligned},
    {ZYDIS_MNEMONIC_MOVNTDQ, nullptr, nullptr, store_aligned},
    {ZYDIS_MNEMONIC_MOVSS, xmm_operation<copy_low_quarter, FromXmm>, xmm_operation<copy, FromMemory<std::uint32_t>>,
     store_part<std::uint32_t, 0>},
    {ZYDIS_MNEMONIC_MOVSD, xmm_operation<copy_low_half, FromXmm>, xmm_operation<copy, FromMemory<std::uint64_t>>,
     store_part<std::uint64_t, 0>},
    {ZYDIS_MNEMONIC_MOVLPS, nullptr, xmm_operation<copy_low_half, FromMemory<std::uint64_t>>,
     store_part<std::uint64_t, 0>},
    {ZYDIS_MNEMONIC_MOVLPD, nullptr, xmm_operation<copy_low_half, FromMemory<std::uint64_t>>,
     store_part<std::uint64_t, 0>},
    {ZYDIS_MNEMONIC_MOVHPS, nullptr, xmm_operation<copy_low_to_high, FromMemory<std::uint64_t>>,
     store_part<std::uint64_t, 1>},
    {ZYDIS_MNEMONIC_MOVHPD, nullptr, xmm_operation<copy_low_to_high, FromMemory<std::uint64_t>>,
     store_part<std::uint64_t, 1>},
    {ZYDIS_MNEMONIC_MOVHLPS, xmm_operation<copy_high_to_low, FromXmm>, nullptr, nullptr},
    {ZYDIS_MNEMONIC_MOVLHPS, xmm_operation<copy_low_to_high, FromXmm>, nullptr, nullptr},
    {ZYDIS_MNEMONIC_MOVMSKPS, sign_mask<kSingleSigns>, nullptr, nullptr},
    {ZYDIS_MNEMONIC_MOVMSKPD, sign_mask<kDoubleSigns>, nullptr, nullptr},
    {ZYDIS_MNEMONIC_PMOVMSKB, sign_mask<kByteSigns>, nullptr, nullptr},
    {ZYDIS_MNEMONIC_MASKMOVDQU, store_masked, nullptr, nullptr},
    {ZYDIS_MNEMONIC_MOVQ2DQ, mmx_to_xmm, nullptr, nullptr},
    {ZYDIS_MNEMONIC_MOVDQ2Q, xmm_to_mmx, nullptr, nullptr},
};

// MOVD and MOVQ: both ways between XMM, general registers and memory.
Handler narrow_move(const Instruction& instruction) {
  const bool wide = instruction.decoded.mnemonic == ZYDIS_MNEMONIC_MOVQ;
  if (!wide && instruction.decoded.mnemonic != ZYDIS_MNEMONIC_MOVD) return nullptr;
  if (instruction.operand_is_memory(0)) return wide ? store_part<std::uint64_t, 0> : store_part<std::uint32_t, 0>;
  if (instruction.operand_is_memory(1)) {
    return wide ? xmm_operation<copy, FromMemory<std::uint64_t>> : xmm_operation<copy, FromMemory<std::uint32_t>>;
  }
  const bool to_xmm = is_register_of(instruction, 0, ZYDIS_REGCLASS_XMM);
  if (to_xmm && is_register_of(instruction, 1, ZYDIS_REGCLASS_XMM)) return xmm_operation<copy_extended, FromXmm>;
  if (to_xmm) return wide ? from_general<std::uint64_t> : from_general<std::uint32_t>;
  return wide ? to_general<std::uint64_t> : to_general<std::uint32_t>;
}

}  // namespace

Handler sse_move_form(const Instruction& instruction) {
  for (const MoveForms& forms : kMoves) {
    if (forms.mnemonic != instruction.decoded.mnemonic) continue;
    if (instruction.operand_is_memory(0)) return forms.store;
    return instruction.operand_is_memory(1) ? forms.load : forms.registers;
  }
  return narrow_move(instruction);
}

}  // namespace vmm::cpu::soft
