// Packed instructions that raise no floating-point exceptions, in both register files: the integer ones of MMX to
// SSE4.2, the bitwise and shuffling ones of SSE, AES-NI. [SDM 2 4, 5]
#include "vmm/cpu/soft/vector.h"

namespace vmm::cpu::soft {
namespace {

// Element by element: what the low halves give is what MMX gives.
struct PackedForms {
  VectorForms xmm, mmx;
};

template <auto kOperation>
constexpr VectorForms xmm_row(ZydisMnemonic mnemonic) {
  return {mnemonic, xmm_operation<kOperation, FromXmm>, xmm_operation<kOperation, FromAligned>, nullptr};
}
// With a memory operand that is smaller than the register.
template <auto kOperation, class Memory>
constexpr VectorForms narrow_row(ZydisMnemonic mnemonic) {
  return {mnemonic, xmm_operation<kOperation, FromXmm>, xmm_operation<kOperation, FromMemory<Memory>>, nullptr};
}
template <auto kOperation, class Memory = std::uint64_t>
constexpr VectorForms mmx_row(ZydisMnemonic mnemonic) {
  return {mnemonic, mmx_operation<kOperation, FromMmx>, mmx_operation<kOperation, FromMemory<Memory>>, nullptr};
}

template <auto kOperation>
constexpr PackedForms row(ZydisMnemonic mnemonic) {
  return {xmm_row<kOperation>(mnemonic), mmx_row<kOperation>(mnemonic)};
}
// MMX's m32 form.
template <auto kOperation>
constexpr PackedForms unpack_low_row(ZydisMnemonic mnemonic) {
  return {xmm_row<kOperation>(mnemonic), mmx_row<kOperation, std::uint32_t>(mnemonic)};
}
template <auto kOperation>
constexpr PackedForms shift_row(ZydisMnemonic mnemonic) {
  PackedForms forms = row<kOperation>(mnemonic);
  forms.xmm.immediate = xmm_operation<kOperation, FromImmediate>;
  forms.mmx.immediate = mmx_operation<kOperation, FromImmediate>;
  return forms;
}

// The result's halves come from one operand each: MMX's come from the two halves of one.
template <auto kOperation>
void joined(__m128i& destination, __m128i source) {
  destination = _mm_unpacklo_epi64(destination, source);
  kOperation(destination, destination);
}
template <auto kOperation>
constexpr PackedForms joined_row(ZydisMnemonic mnemonic) {
  return {xmm_row<kOperation>(mnemonic), mmx_row<joined<kOperation>>(mnemonic)};
}

// MMX's unpacking of high halves is that of low ones, after moving them there.
template <auto kUnpackLow>
void unpack_high(__m128i& destination, __m128i source) {
  destination = _mm_srli_epi64(destination, 32);
  kUnpackLow(destination, _mm_srli_epi64(source, 32));
}

void shuffle_mmx(__m128i& destination, __m128i source) {
  const __m128i indexes = _mm_and_si128(source, low_half(0x8787878787878787));
  asm("pshufb %1, %0" : "+x"(destination) : "x"(indexes));
}

// BLENDV: the third operand is XMM0; memory is aligned.
template <auto kOperation, class Source>
Flow blend(Cpu& cpu, const Op& op) {
  __m128i source;
  if (!begin_sse(cpu) || !Source::load(cpu, op, source)) return Flow::Fault;
  __m128i destination = cpu.xmm[op.reg].integer();
  kOperation(destination, source, cpu.xmm[0].integer());
  cpu.xmm[op.reg].set_integer(destination);
  return Flow::Next;
}
template <auto kOperation>
constexpr VectorForms blend_row(ZydisMnemonic mnemonic) {
  return {mnemonic, blend<kOperation, FromXmm>, blend<kOperation, FromAligned>, nullptr};
}

template <class Source>
Flow test(Cpu& cpu, const Op& op) {
  __m128i source;
  if (!begin_sse(cpu) || !Source::load(cpu, op, source)) return Flow::Fault;
  bool zero = false;
  bool carry = false;
  asm("ptest %3, %2" : "=@ccz"(zero), "=@ccc"(carry) : "x"(cpu.xmm[op.reg].integer()), "x"(source));
  cpu.flags.assign((zero ? kZf : 0) | (carry ? kCf : 0));
  return Flow::Next;
}

constexpr PackedForms kBothFiles[] = {
    row<[](__m128i& d, __m128i s) { asm("paddb %1, %0"
                                        : "+x"(d)
                                        : "x"(s)); }>(ZYDIS_MNEMONIC_PADDB),
    row<[](__m128i& d, __m128i s) { asm("paddw %1, %0"
                                        : "+x"(d)
                                        : "x"(s)); }>(ZYDIS_MNEMONIC_PADDW),
    row<[](__m128i& d, __m128i s) { asm("paddd %1, %0"
                                        : "+x"(d)
                                        : "x"(s)); }>(ZYDIS_MNEMONIC_PADDD),
    row<[](__m128i& d, __m128i s) { asm("paddq %1, %0"
                                        : "+x"(d)
                                        : "x"(s)); }>(ZYDIS_MNEMONIC_PADDQ),
    row<[](__m128i& d, __m128i s) { asm("paddsb %1, %0"
                                        : "+x"(d)
                                        : "x"(s)); }>(ZYDIS_MNEMONIC_PADDSB),
    row<[](__m128i& d, __m128i s) { asm("paddsw %1, %0"
                                        : "+x"(d)
                                        : "x"(s)); }>(ZYDIS_MNEMONIC_PADDSW),
    row<[](__m128i& d, __m128i s) { asm("paddusb %1, %0"
                                        : "+x"(d)
                                        : "x"(s)); }>(ZYDIS_MNEMONIC_PADDUSB),
    row<[](__m128i& d, __m128i s) { asm("paddusw %1, %0"
                                        : "+x"(d)
                                        : "x"(s)); }>(ZYDIS_MNEMONIC_PADDUSW),
    row<[](__m128i& d, __m128i s) { asm("psubb %1, %0"
                                        : "+x"(d)
                                        : "x"(s)); }>(ZYDIS_MNEMONIC_PSUBB),
    row<[](__m128i& d, __m128i s) { asm("psubw %1, %0"
                                        : "+x"(d)
                                        : "x"(s)); }>(ZYDIS_MNEMONIC_PSUBW),
    row<[](__m128i& d, __m128i s) { asm("psubd %1, %0"
                                        : "+x"(d)
                                        : "x"(s)); }>(ZYDIS_MNEMONIC_PSUBD),
    row<[](__m128i& d, __m128i s) { asm("psubq %1, %0"
                                        : "+x"(d)
                                        : "x"(s)); }>(ZYDIS_MNEMONIC_PSUBQ),
    row<[](__m128i& d, __m128i s) { asm("psubsb %1, %0"
                                        : "+x"(d)
                                        : "x"(s)); }>(ZYDIS_MNEMONIC_PSUBSB),
    row<[](__m128i& d, __m128i s) { asm("psubsw %1, %0"
                                        : "+x"(d)
                                        : "x"(s)); }>(ZYDIS_MNEMONIC_PSUBSW),
    row<[](__m128i& d, __m128i s) { asm("psubusb %1, %0"
                                        : "+x"(d)
                                        : "x"(s)); }>(ZYDIS_MNEMONIC_PSUBUSB),
    row<[](__m128i& d, __m128i s) { asm("psubusw %1, %0"
                                        : "+x"(d)
                                        : "x"(s)); }>(ZYDIS_MNEMONIC_PSUBUSW),
    row<[](__m128i& d, __m128i s) { asm("pmullw %1, %0"
                                        : "+x"(d)
                                        : "x"(s)); }>(ZYDIS_MNEMONIC_PMULLW),
    row<[](__m128i& d, __m128i s) { asm("pmulhw %1, %0"
                                        : "+x"(d)
                                        : "x"(s)); }>(ZYDIS_MNEMONIC_PMULHW),
    row<[](__m128i& d, __m128i s) { asm("pmulhuw %1, %0"
                                        : "+x"(d)
                                        : "x"(s)); }>(ZYDIS_MNEMONIC_PMULHUW),
    row<[](__m128i& d, __m128i s) { asm("pmulhrsw %1, %0"
                                        : "+x"(d)
                                        : "x"(s)); }>(ZYDIS_MNEMONIC_PMULHRSW),
    row<[](__m128i& d, __m128i s) { asm("pmuludq %1, %0"
                                        : "+x"(d)
                                        : "x"(s)); }>(ZYDIS_MNEMONIC_PMULUDQ),
    row<[](__m128i& d, __m128i s) { asm("pmaddwd %1, %0"
                                        : "+x"(d)
                                        : "x"(s)); }>(ZYDIS_MNEMONIC_PMADDWD),
    row<[](__m128i& d, __m128i s) { asm("pmaddubsw %1, %0"
                                        : "+x"(d)
                                        : "x"(s)); }>(ZYDIS_MNEMONIC_PMADDUBSW),
    row<[](__m128i& d, __m128i s) { asm("pavgb %1, %0"
                                        : "+x"(d)
                                        : "x"(s)); }>(ZYDIS_MNEMONIC_PAVGB),
    row<[](__m128i& d, __m128i s) { asm("pavgw %1, %0"
                                        : "+x"(d)
                                        : "x"(s)); }>(ZYDIS_MNEMONIC_PAVGW),
    row<[](__m128i& d, __m128i s) { asm("psadbw %1, %0"
                                        : "+x"(d)
                                        : "x"(s)); }>(ZYDIS_MNEMONIC_PSADBW),
    row<[](__m128i& d, __m128i s) { asm("pminub %1, %0"
                                        : "+x"(d)
                                        : "x"(s)); }>(ZYDIS_MNEMONIC_PMINUB),
    row<[](__m128i& d, __m128i s) { asm("pmaxub %1, %0"
                                        : "+x"(d)
                                        : "x"(s)); }>(ZYDIS_MNEMONIC_PMAXUB),
    row<[](__m128i& d, __m128i s) { asm("pminsw %1, %0"
                                        : "+x"(d)
                                        : "x"(s)); }>(ZYDIS_MNEMONIC_PMINSW),
    row<[](__m128i& d, __m128i s) { asm("pmaxsw %1, %0"
                                        : "+x"(d)
                                        : "x"(s)); }>(ZYDIS_MNEMONIC_PMAXSW),
    row<[](__m128i& d, __m128i s) { asm("pand %1, %0"
                                        : "+x"(d)
                                        : "x"(s)); }>(ZYDIS_MNEMONIC_PAND),
    row<[](__m128i& d, __m128i s) { asm("pandn %1, %0"
                                        : "+x"(d)
                                        : "x"(s)); }>(ZYDIS_MNEMONIC_PANDN),
    row<[](__m128i& d, __m128i s) { asm("por %1, %0"
                                        : "+x"(d)
                                        : "x"(s)); }>(ZYDIS_MNEMONIC_POR),
    row<[](__m128i& d, __m128i s) { asm("pxor %1, %0"
                                        : "+x"(d)
                                        : "x"(s)); }>(ZYDIS_MNEMONIC_PXOR),
    row<[](__m128i& d, __m128i s) { asm("pcmpeqb %1, %0"
                                        : "+x"(d)
                                        : "x"(s)); }>(ZYDIS_MNEMONIC_PCMPEQB),
    row<[](__m128i& d, __m128i s) { asm("pcmpeqw %1, %0"
                                        : "+x"(d)
                                        : "x"(s)); }>(ZYDIS_MNEMONIC_PCMPEQW),
    row<[](__m128i& d, __m128i s) { asm("pcmpeqd %1, %0"
                                        : "+x"(d)
                                        : "x"(s)); }>(ZYDIS_MNEMONIC_PCMPEQD),
    row<[](__m128i& d, __m128i s) { asm("pcmpgtb %1, %0"
                                        : "+x"(d)
                                        : "x"(s)); }>(ZYDIS_MNEMONIC_PCMPGTB),
    row<[](__m128i& d, __m128i s) { asm("pcmpgtw %1, %0"
                                        : "+x"(d)
                                        : "x"(s)); }>(ZYDIS_MNEMONIC_PCMPGTW),
    row<[](__m128i& d, __m128i s) { asm("pcmpgtd %1, %0"
                                        : "+x"(d)
                                        : "x"(s)); }>(ZYDIS_MNEMONIC_PCMPGTD),
    row<[](__m128i& d, __m128i s) { asm("psignb %1, %0"
                                        : "+x"(d)
                                        : "x"(s)); }>(ZYDIS_MNEMONIC_PSIGNB),
    row<[](__m128i& d, __m128i s) { asm("psignw %1, %0"
                                        : "+x"(d)
                                        : "x"(s)); }>(ZYDIS_MNEMONIC_PSIGNW),
    row<[](__m128i& d, __m128i s) { asm("psignd %1, %0"
                                        : "+x"(d)
                                        : "x"(s)); }>(ZYDIS_MNEMONIC_PSIGND),
    row<[](__m128i& d, __m128i s) { asm("pabsb %1, %0"
                                        : "+x"(d)
                                        : "x"(s)); }>(ZYDIS_MNEMONIC_PABSB),
    row<[](__m128i& d, __m128i s) { asm("pabsw %1, %0"
                                        : "+x"(d)
                                        : "x"(s)); }>(ZYDIS_MNEMONIC_PABSW),
    row<[](__m128i& d, __m128i s) { asm("pabsd %1, %0"
                                        : "+x"(d)
                                        : "x"(s)); }>(ZYDIS_MNEMONIC_PABSD),
    joined_row<[](__m128i& d, __m128i s) { asm("packsswb %1, %0"
                                               : "+x"(d)
                                               : "x"(s)); }>(ZYDIS_MNEMONIC_PACKSSWB),
    joined_row<[](__m128i& d, __m128i s) { asm("packssdw %1, %0"
                                               : "+x"(d)
                                               : "x"(s)); }>(ZYDIS_MNEMONIC_PACKSSDW),
    joined_row<[](__m128i& d, __m128i s) { asm("packuswb %1, %0"
                                               : "+x"(d)
                                               : "x"(s)); }>(ZYDIS_MNEMONIC_PACKUSWB),
    joined_row<[](__m128i& d, __m128i s) { asm("phaddw %1, %0"
                                               : "+x"(d)
                                               : "x"(s)); }>(ZYDIS_MNEMONIC_PHADDW),
    joined_row<[](__m128i& d, __m128i s) { asm("phaddd %1, %0"
                                               : "+x"(d)
                                               : "x"(s)); }>(ZYDIS_MNEMONIC_PHADDD),
    joined_row<[](__m128i& d, __m128i s) { asm("phaddsw %1, %0"
                                               : "+x"(d)
                                               : "x"(s)); }>(ZYDIS_MNEMONIC_PHADDSW),
    joined_row<[](__m128i& d, __m128i s) { asm("phsubw %1, %0"
                                               : "+x"(d)
                                               : "x"(s)); }>(ZYDIS_MNEMONIC_PHSUBW),
    joined_row<[](__m128i& d, __m128i s) { asm("phsubd %1, %0"
                                               : "+x"(d)
                                               : "x"(s)); }>(ZYDIS_MNEMONIC_PHSUBD),
    joined_row<[](__m128i& d, __m128i s) { asm("phsubsw %1, %0"
                                               : "+x"(d)
                                               : "x"(s)); }>(ZYDIS_MNEMONIC_PHSUBSW),
    shift_row<[](__m128i& d, __m128i s) { asm("psllw %1, %0"
                                              : "+x"(d)
                                              : "x"(s)); }>(ZYDIS_MNEMONIC_PSLLW),
    shift_row<[](__m128i& d, __m128i s) { asm("pslld %1, %0"
                                              : "+x"(d)
                                              : "x"(s)); }>(ZYDIS_MNEMONIC_PSLLD),
    shift_row<[](__m128i& d, __m128i s) { asm("psllq %1, %0"
                                              : "+x"(d)
                                              : "x"(s)); }>(ZYDIS_MNEMONIC_PSLLQ),
    shift_row<[](__m128i& d, __m128i s) { asm("psrlw %1, %0"
                                              : "+x"(d)
                                              : "x"(s)); }>(ZYDIS_MNEMONIC_PSRLW),
    shift_row<[](__m128i& d, __m128i s) { asm("psrld %1, %0"
                                              : "+x"(d)
                                              : "x"(s)); }>(ZYDIS_MNEMONIC_PSRLD),
    shift_row<[](__m128i& d, __m128i s) { asm("psrlq %1, %0"
                                              : "+x"(d)
                                              : "x"(s)); }>(ZYDIS_MNEMONIC_PSRLQ),
    shift_row<[](__m128i& d, __m128i s) { asm("psraw %1, %0"
                                              : "+x"(d)
                                              : "x"(s)); }>(ZYDIS_MNEMONIC_PSRAW),
    shift_row<[](__m128i& d, __m128i s) { asm("psrad %1, %0"
                                              : "+x"(d)
                                              : "x"(s)); }>(ZYDIS_MNEMONIC_PSRAD),
    unpack_low_row<[](__m128i& d, __m128i s) { asm("punpcklbw %1, %0"
                                                   : "+x"(d)
                                                   : "x"(s)); }>(ZYDIS_MNEMONIC_PUNPCKLBW),
    unpack_low_row<[](__m128i& d, __m128i s) { asm("punpcklwd %1, %0"
                                                   : "+x"(d)
                                                   : "x"(s)); }>(ZYDIS_MNEMONIC_PUNPCKLWD),
    unpack_low_row<[](__m128i& d, __m128i s) { asm("punpckldq %1, %0"
                                                   : "+x"(d)
                                                   : "x"(s)); }>(ZYDIS_MNEMONIC_PUNPCKLDQ),
};

constexpr VectorForms kMmxOnly[] = {
    mmx_row<unpack_high<[](__m128i& d, __m128i s) { asm("punpcklbw %1, %0"
                                                        : "+x"(d)
                                                        : "x"(s)); }>>(
        ZYDIS_MNEMONIC_PUNPCKHBW),
    mmx_row<unpack_high<[](__m128i& d, __m128i s) { asm("punpcklwd %1, %0"
                                                        : "+x"(d)
                                                        : "x"(s)); }>>(
        ZYDIS_MNEMONIC_PUNPCKHWD),
    mmx_row<unpack_high<[](__m128i& d, __m128i s) { asm("punpckldq %1, %0"
                                                        : "+x"(d)
                                                        : "x"(s)); }>>(
        ZYDIS_MNEMONIC_PUNPCKHDQ),
    mmx_row<shuffle_mmx>(ZYDIS_MNEMONIC_PSHUFB),
};

constexpr VectorForms kXmmOnly[] = {
    xmm_row<[](__m128i& d, __m128i s) { asm("punpckhbw %1, %0"
                                            : "+x"(d)
                                            : "x"(s)); }>(ZYDIS_MNEMONIC_PUNPCKHBW),
    xmm_row<[](__m128i& d, __m128i s) { asm("punpckhwd %1, %0"
                                            : "+x"(d)
                                            : "x"(s)); }>(ZYDIS_MNEMONIC_PUNPCKHWD),
    xmm_row<[](__m128i& d, __m128i s) { asm("punpckhdq %1, %0"
                                            : "+x"(d)
                                            : "x"(s)); }>(ZYDIS_MNEMONIC_PUNPCKHDQ),
    xmm_row<[](__m128i& d, __m128i s) { asm("punpcklqdq %1, %0"
                                            : "+x"(d)
                                            : "x"(s)); }>(ZYDIS_MNEMONIC_PUNPCKLQDQ),
    xmm_row<[](__m128i& d, __m128i s) { asm("punpckhqdq %1, %0"
                                            : "+x"(d)
                                            : "x"(s)); }>(ZYDIS_MNEMONIC_PUNPCKHQDQ),
    xmm_row<[](__m128i& d, __m128i s) { asm("pshufb %1, %0"
                                            : "+x"(d)
                                            : "x"(s)); }>(ZYDIS_MNEMONIC_PSHUFB),
    xmm_row<[](__m128i& d, __m128i s) { asm("pcmpeqq %1, %0"
                                            : "+x"(d)
                                            : "x"(s)); }>(ZYDIS_MNEMONIC_PCMPEQQ),
    xmm_row<[](__m128i& d, __m128i s) { asm("pcmpgtq %1, %0"
                                            : "+x"(d)
                                            : "x"(s)); }>(ZYDIS_MNEMONIC_PCMPGTQ),
    xmm_row<[](__m128i& d, __m128i s) { asm("packusdw %1, %0"
                                            : "+x"(d)
                                            : "x"(s)); }>(ZYDIS_MNEMONIC_PACKUSDW),
    xmm_row<[](__m128i& d, __m128i s) { asm("pmuldq %1, %0"
                                            : "+x"(d)
                                            : "x"(s)); }>(ZYDIS_MNEMONIC_PMULDQ),
    xmm_row<[](__m128i& d, __m128i s) { asm("pmulld %1, %0"
                                            : "+x"(d)
                                            : "x"(s)); }>(ZYDIS_MNEMONIC_PMULLD),
    xmm_row<[](__m128i& d, __m128i s) { asm("pminsb %1, %0"
                                            : "+x"(d)
                                            : "x"(s)); }>(ZYDIS_MNEMONIC_PMINSB),
    xmm_row<[](__m128i& d, __m128i s) { asm("pminsd %1, %0"
                                            : "+x"(d)
                                            : "x"(s)); }>(ZYDIS_MNEMONIC_PMINSD),
    xmm_row<[](__m128i& d, __m128i s) { asm("pminuw %1, %0"
                                            : "+x"(d)
                                            : "x"(s)); }>(ZYDIS_MNEMONIC_PMINUW),
    xmm_row<[](__m128i& d, __m128i s) { asm("pminud %1, %0"
                                            : "+x"(d)
                                            : "x"(s)); }>(ZYDIS_MNEMONIC_PMINUD),
    xmm_row<[](__m128i& d, __m128i s) { asm("pmaxsb %1, %0"
                                            : "+x"(d)
                                            : "x"(s)); }>(ZYDIS_MNEMONIC_PMAXSB),
    xmm_row<[](__m128i& d, __m128i s) { asm("pmaxsd %1, %0"
                                            : "+x"(d)
                                            : "x"(s)); }>(ZYDIS_MNEMONIC_PMAXSD),
    xmm_row<[](__m128i& d, __m128i s) { asm("pmaxuw %1, %0"
                                            : "+x"(d)
                                            : "x"(s)); }>(ZYDIS_MNEMONIC_PMAXUW),
    xmm_row<[](__m128i& d, __m128i s) { asm("pmaxud %1, %0"
                                            : "+x"(d)
                                            : "x"(s)); }>(ZYDIS_MNEMONIC_PMAXUD),
    xmm_row<[](__m128i& d, __m128i s) { asm("phminposuw %1, %0"
                                            : "+x"(d)
                                            : "x"(s)); }>(ZYDIS_MNEMONIC_PHMINPOSUW),
    xmm_row<[](__m128i& d, __m128i s) { asm("aesenc %1, %0"
                                            : "+x"(d)
                                            : "x"(s)); }>(ZYDIS_MNEMONIC_AESENC),
    xmm_row<[](__m128i& d, __m128i s) { asm("aesenclast %1, %0"
                                            : "+x"(d)
                                            : "x"(s)); }>(ZYDIS_MNEMONIC_AESENCLAST),
    xmm_row<[](__m128i& d, __m128i s) { asm("aesdec %1, %0"
                                            : "+x"(d)
                                            : "x"(s)); }>(ZYDIS_MNEMONIC_AESDEC),
    xmm_row<[](__m128i& d, __m128i s) { asm("aesdeclast %1, %0"
                                            : "+x"(d)
                                            : "x"(s)); }>(ZYDIS_MNEMONIC_AESDECLAST),
    xmm_row<[](__m128i& d, __m128i s) { asm("aesimc %1, %0"
                                            : "+x"(d)
                                            : "x"(s)); }>(ZYDIS_MNEMONIC_AESIMC),
    xmm_row<[](__m128i& d, __m128i s) { asm("andps %1, %0"
                                            : "+x"(d)
                                            : "x"(s)); }>(ZYDIS_MNEMONIC_ANDPS),
    xmm_row<[](__m128i& d, __m128i s) { asm("andnps %1, %0"
                                            : "+x"(d)
                                            : "x"(s)); }>(ZYDIS_MNEMONIC_ANDNPS),
    xmm_row<[](__m128i& d, __m128i s) { asm("orps %1, %0"
                                            : "+x"(d)
                                            : "x"(s)); }>(ZYDIS_MNEMONIC_ORPS),
    xmm_row<[](__m128i& d, __m128i s) { asm("xorps %1, %0"
                                            : "+x"(d)
                                            : "x"(s)); }>(ZYDIS_MNEMONIC_XORPS),
    xmm_row<[](__m128i& d, __m128i s) { asm("andpd %1, %0"
                                            : "+x"(d)
                                            : "x"(s)); }>(ZYDIS_MNEMONIC_ANDPD),
    xmm_row<[](__m128i& d, __m128i s) { asm("andnpd %1, %0"
                                            : "+x"(d)
                                            : "x"(s)); }>(ZYDIS_MNEMONIC_ANDNPD),
    xmm_row<[](__m128i& d, __m128i s) { asm("orpd %1, %0"
                                            : "+x"(d)
                                            : "x"(s)); }>(ZYDIS_MNEMONIC_ORPD),
    xmm_row<[](__m128i& d, __m128i s) { asm("xorpd %1, %0"
                                            : "+x"(d)
                                            : "x"(s)); }>(ZYDIS_MNEMONIC_XORPD),
    xmm_row<[](__m128i& d, __m128i s) { asm("unpcklps %1, %0"
                                            : "+x"(d)
                                            : "x"(s)); }>(ZYDIS_MNEMONIC_UNPCKLPS),
    xmm_row<[](__m128i& d, __m128i s) { asm("unpckhps %1, %0"
                                            : "+x"(d)
                                            : "x"(s)); }>(ZYDIS_MNEMONIC_UNPCKHPS),
    xmm_row<[](__m128i& d, __m128i s) { asm("unpcklpd %1, %0"
                                            : "+x"(d)
                                            : "x"(s)); }>(ZYDIS_MNEMONIC_UNPCKLPD),
    xmm_row<[](__m128i& d, __m128i s) { asm("unpckhpd %1, %0"
                                            : "+x"(d)
                                            : "x"(s)); }>(ZYDIS_MNEMONIC_UNPCKHPD),
    xmm_row<[](__m128i& d, __m128i s) { asm("rcpps %1, %0"
                                            : "+x"(d)
                                            : "x"(s)); }>(ZYDIS_MNEMONIC_RCPPS),
    xmm_row<[](__m128i& d, __m128i s) { asm("rsqrtps %1, %0"
                                            : "+x"(d)
                                            : "x"(s)); }>(ZYDIS_MNEMONIC_RSQRTPS),
    xmm_row<[](__m128i& d, __m128i s) { asm("movsldup %1, %0"
                                            : "+x"(d)
                                            : "x"(s)); }>(ZYDIS_MNEMONIC_MOVSLDUP),
    xmm_row<[](__m128i& d, __m128i s) { asm("movshdup %1, %0"
                                            : "+x"(d)
                                            : "x"(s)); }>(ZYDIS_MNEMONIC_MOVSHDUP),
    narrow_row<[](__m128i& d, __m128i s) { asm("rcpss %1, %0"
                                               : "+x"(d)
                                               : "x"(s)); }, std::uint32_t>(
        ZYDIS_MNEMONIC_RCPSS),
    narrow_row<[](__m128i& d, __m128i s) { asm("rsqrtss %1, %0"
                                               : "+x"(d)
                                               : "x"(s)); }, std::uint32_t>(
        ZYDIS_MNEMONIC_RSQRTSS),
    narrow_row<[](__m128i& d, __m128i s) { asm("movddup %1, %0"
                                               : "+x"(d)
                                               : "x"(s)); }, std::uint64_t>(
        ZYDIS_MNEMONIC_MOVDDUP),
    narrow_row<[](__m128i& d, __m128i s) { asm("cvtdq2pd %1, %0"
                                               : "+x"(d)
                                               : "x"(s)); }, std::uint64_t>(
        ZYDIS_MNEMONIC_CVTDQ2PD),
    narrow_row<[](__m128i& d, __m128i s) { asm("pmovsxbw %1, %0"
                                               : "+x"(d)
                                               : "x"(s)); }, std::uint64_t>(
        ZYDIS_MNEMONIC_PMOVSXBW),
    narrow_row<[](__m128i& d, __m128i s) { asm("pmovsxbd %1, %0"
                                               : "+x"(d)
                                               : "x"(s)); }, std::uint32_t>(
        ZYDIS_MNEMONIC_PMOVSXBD),
    narrow_row<[](__m128i& d, __m128i s) { asm("pmovsxbq %1, %0"
                                               : "+x"(d)
                                               : "x"(s)); }, std::uint16_t>(
        ZYDIS_MNEMONIC_PMOVSXBQ),
    narrow_row<[](__m128i& d, __m128i s) { asm("pmovsxwd %1, %0"
                                               : "+x"(d)
                                               : "x"(s)); }, std::uint64_t>(
        ZYDIS_MNEMONIC_PMOVSXWD),
    narrow_row<[](__m128i& d, __m128i s) { asm("pmovsxwq %1, %0"
                                               : "+x"(d)
                                               : "x"(s)); }, std::uint32_t>(
        ZYDIS_MNEMONIC_PMOVSXWQ),
    narrow_row<[](__m128i& d, __m128i s) { asm("pmovsxdq %1, %0"
                                               : "+x"(d)
                                               : "x"(s)); }, std::uint64_t>(
        ZYDIS_MNEMONIC_PMOVSXDQ),
    narrow_row<[](__m128i& d, __m128i s) { asm("pmovzxbw %1, %0"
                                               : "+x"(d)
                                               : "x"(s)); }, std::uint64_t>(
        ZYDIS_MNEMONIC_PMOVZXBW),
    narrow_row<[](__m128i& d, __m128i s) { asm("pmovzxbd %1, %0"
                                               : "+x"(d)
                                               : "x"(s)); }, std::uint32_t>(
        ZYDIS_MNEMONIC_PMOVZXBD),
    narrow_row<[](__m128i& d, __m128i s) { asm("pmovzxbq %1, %0"
                                               : "+x"(d)
                                               : "x"(s)); }, std::uint16_t>(
        ZYDIS_MNEMONIC_PMOVZXBQ),
    narrow_row<[](__m128i& d, __m128i s) { asm("pmovzxwd %1, %0"
                                               : "+x"(d)
                                               : "x"(s)); }, std::uint64_t>(
        ZYDIS_MNEMONIC_PMOVZXWD),
    narrow_row<[](__m128i& d, __m128i s) { asm("pmovzxwq %1, %0"
                                               : "+x"(d)
                                               : "x"(s)); }, std::uint32_t>(
        ZYDIS_MNEMONIC_PMOVZXWQ),
    narrow_row<[](__m128i& d, __m128i s) { asm("pmovzxdq %1, %0"
                                               : "+x"(d)
                                               : "x"(s)); }, std::uint64_t>(
        ZYDIS_MNEMONIC_PMOVZXDQ),
    blend_row<[](__m128i& d, __m128i s, __m128i mask) { asm("pblendvb %1, %0"
                                                            : "+x"(d)
                                                            : "x"(s), "Yz"(mask)); }>(
        ZYDIS_MNEMONIC_PBLENDVB),
    blend_row<[](__m128i& d, __m128i s, __m128i mask) { asm("blendvps %1, %0"
                                                            : "+x"(d)
                                                            : "x"(s), "Yz"(mask)); }>(
        ZYDIS_MNEMONIC_BLENDVPS),
    blend_row<[](__m128i& d, __m128i s, __m128i mask) { asm("blendvpd %1, %0"
                                                            : "+x"(d)
                                                            : "x"(s), "Yz"(mask)); }>(
        ZYDIS_MNEMONIC_BLENDVPD),
    {ZYDIS_MNEMONIC_PTEST, test<FromXmm>, test<FromAligned>, nullptr},
};
}  // namespace

Handler packed_integer_form(const Instruction& instruction, bool mmx) {
  for (const PackedForms& forms : kBothFiles) {
    if (forms.xmm.mnemonic == instruction.decoded.mnemonic) return (mmx ? forms.mmx : forms.xmm).of(instruction);
  }
  return find_form(mmx ? std::span<const VectorForms>(kMmxOnly) : std::span<const VectorForms>(kXmmOnly), instruction);
}

}  // namespace vmm::cpu::soft
