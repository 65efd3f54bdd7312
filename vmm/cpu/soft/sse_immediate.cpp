// SSE instructions whose immediate chooses among elements. The host's own take it as a constant only, so they are put
// together from others here. [SDM 1 10.4.4, 11.4.1.4, 12.10; SDM 2]
#include <array>

#include "vmm/cpu/soft/sse_string.h"
#include "vmm/cpu/soft/vector.h"

namespace vmm::cpu::soft {
namespace {

// void(destination, source, immediate)
template <auto kOperation, class Source>
Flow immediate_operation(Cpu& cpu, const Op& op) {
  __m128i source;
  if (!begin_sse(cpu) || !Source::load(cpu, op, source)) return Flow::Fault;
  __m128i destination = cpu.xmm[op.reg].integer();
  kOperation(destination, source, static_cast<unsigned>(op.immediate & 0xff));
  cpu.xmm[op.reg].set_integer(destination);
  return Flow::Next;
}

struct alignas(16) ByteIndexes {
  std::uint8_t bytes[16] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
};
// PSHUFB's control for each immediate of two-bit fields that choose among four elements of kSize bytes from kFirst on.
template <unsigned kSize, unsigned kFirst>
constexpr std::array<ByteIndexes, 256> shuffle_controls() {
  std::array<ByteIndexes, 256> controls;
  for (unsigned immediate = 0; immediate < 256; ++immediate) {
    for (unsigned byte = 0; byte < 4 * kSize; ++byte) {
      const unsigned chosen = immediate >> (byte / kSize * 2) & 3;
      controls[immediate].bytes[kFirst + byte] = static_cast<std::uint8_t>(kFirst + chosen * kSize + byte % kSize);
    }
  }
  return controls;
}
constexpr auto kShuffleDwords = shuffle_controls<4, 0>();
constexpr auto kShuffleLowWords = shuffle_controls<2, 0>();
constexpr auto kShuffleHighWords = shuffle_controls<2, 8>();

template <const std::array<ByteIndexes, 256>& kControls>
void shuffle(__m128i& d, __m128i s, unsigned immediate) {
  d = s;
  asm("pshufb %1, %0" : "+x"(d) : "m"(kControls[immediate]));
}
void shuffle_singles(__m128i& d, __m128i s, unsigned immediate) {
  asm("pshufb %1, %0" : "+x"(d) : "m"(kShuffleDwords[immediate]));
  asm("pshufb %1, %0" : "+x"(s) : "m"(kShuffleDwords[immediate]));
  d = _mm_castpd_si128(_mm_move_sd(_mm_castsi128_pd(s), _mm_castsi128_pd(d)));
}
void shuffle_doubles(__m128i& d, __m128i s, unsigned immediate) {
  const __m128i low = (immediate & 1) != 0 ? _mm_unpackhi_epi64(d, d) : d;
  d = _mm_unpacklo_epi64(low, (immediate & 2) != 0 ? _mm_unpackhi_epi64(s, s) : s);
}

__m128i select(__m128i mask, __m128i chosen, __m128i otherwise) {
  return _mm_or_si128(_mm_and_si128(mask, chosen), _mm_andnot_si128(mask, otherwise));
}
void blend_words(__m128i& d, __m128i s, unsigned immediate) {
  const __m128i bits = _mm_setr_epi16(1, 2, 4, 8, 16, 32, 64, 128);
  const __m128i given = _mm_set1_epi16(static_cast<short>(immediate));
  d = select(_mm_cmpeq_epi16(_mm_and_si128(given, bits), bits), s, d);
}
void blend_singles(__m128i& d, __m128i s, unsigned immediate) {
  const __m128i bits = _mm_setr_epi32(1, 2, 4, 8);
  const __m128i given = _mm_set1_epi32(static_cast<int>(immediate));
  d = select(_mm_cmpeq_epi32(_mm_and_si128(given, bits), bits), s, d);
}
void blend_doubles(__m128i& d, __m128i s, unsigned immediate) {
  blend_singles(d, s, ((immediate & 1) != 0 ? 3u : 0u) | ((immediate & 2) != 0 ? 12u : 0u));
}

// 16 bytes of low:high, followed by zeros, from `bytes` on.
__m128i window(__m128i low, __m128i high, unsigned bytes) {
  alignas(16) std::array<std::uint8_t, 48> all{};
  std::memcpy(all.data(), &low, 16);
  std::memcpy(all.data() + 16, &high, 16);
  return _mm_loadu_si128(reinterpret_cast<const __m128i*>(all.data() + (bytes < 32 ? bytes : 32)));
}
void align_right(__m128i& d, __m128i s, unsigned immediate) {
  d = window(s, d, immediate);
}
void shift_bytes_right(__m128i& d, __m128i, unsigned immediate) {
  d = window(d, _mm_setzero_si128(), immediate);
}
void shift_bytes_left(__m128i& d, __m128i, unsigned immediate) {
  d = window(_mm_setzero_si128(), d, immediate < 16 ? 16 - immediate : 0);
}

// Sums of differences of a block of the source with eleven bytes of the destination. [SDM 2 MPSADBW]
void sum_differences(__m128i& d, __m128i s, unsigned immediate) {
  d = window(d, _mm_setzero_si128(), immediate & 4);
  const __m128i block = window(s, _mm_setzero_si128(), (immediate & 3) * 4);
  asm("mpsadbw $0, %1, %0" : "+x"(d) : "x"(block));
}
void multiply_without_carries(__m128i& d, __m128i s, unsigned immediate) {
  if ((immediate & 1) != 0) d = _mm_unpackhi_epi64(d, d);
  if ((immediate & 16) != 0) s = _mm_unpackhi_epi64(s, s);
  asm("pclmulqdq $0, %1, %0" : "+x"(d) : "x"(s));
}
// The round constant only goes into two of the four words at the very end. [SDM 2 AESKEYGENASSIST]
void assist_key_generation(__m128i& d, __m128i s, unsigned immediate) {
  const int constant = static_cast<int>(immediate);
  asm("aeskeygenassist $0, %1, %0" : "=x"(d) : "x"(s));
  d = _mm_xor_si128(d, _mm_setr_epi32(0, constant, 0, constant));
}
// `chosen`: which single of the source; memory holds one only. [SDM 2 INSERTPS]
void insert_single(__m128i& d, std::uint32_t value, unsigned immediate) {
  Xmm lanes;
  lanes.set_integer(d);
  lanes.set(value, immediate >> 4 & 3);
  for (unsigned lane = 0; lane < 4; ++lane) {
    if ((immediate >> lane & 1) != 0) lanes.set(std::uint32_t{0}, lane);
  }
  d = lanes.integer();
}
void insert_from_register(__m128i& d, __m128i s, unsigned immediate) {
  Xmm source;
  source.set_integer(s);
  insert_single(d, source.get<std::uint32_t>(immediate >> 6), immediate);
}
void insert_from_memory(__m128i& d, __m128i s, unsigned immediate) {
  insert_single(d, static_cast<std::uint32_t>(low_half(s)), immediate);
}

template <class T>
constexpr unsigned kElementMask = 16 / sizeof(T) - 1;

// PEXTR: zero-extended in a register.
template <class T>
Flow extract(Cpu& cpu, const Op& op) {
  if (!begin_sse(cpu)) return Flow::Fault;
  const std::uint64_t value = cpu.xmm[op.rm].get<T>(static_cast<unsigned>(op.immediate) & kElementMask<T>);
  cpu.set_reg(op.reg, value);
  return Flow::Next;
}
template <class T>
Flow extract_to_memory(Cpu& cpu, const Op& op) {
  if (!begin_sse(cpu)) return Flow::Fault;
  const T value = cpu.xmm[op.reg].get<T>(static_cast<unsigned>(op.immediate) & kElementMask<T>);
  return store(cpu, op, value) ? Flow::Next : Flow::Fault;
}
template <class T>
Flow insert(Cpu& cpu, const Op& op) {
  if (!begin_sse(cpu)) return Flow::Fault;
  cpu.xmm[op.reg].set(cpu.reg<T>(op.rm), static_cast<unsigned>(op.immediate) & kElementMask<T>);
  return Flow::Next;
}
template <class T>
Flow insert_memory(Cpu& cpu, const Op& op) {
  T value{};
  if (!begin_sse(cpu) || !load(cpu, op, value)) return Flow::Fault;
  cpu.xmm[op.reg].set(value, static_cast<unsigned>(op.immediate) & kElementMask<T>);
  return Flow::Next;
}

template <auto kOperation>
constexpr VectorForms row(ZydisMnemonic mnemonic) {
  return {mnemonic, immediate_operation<kOperation, FromXmm>, immediate_operation<kOperation, FromAligned>, nullptr};
}
struct FromNowhere {
  static bool load(Cpu&, const Op&, __m128i& value) {
    value = _mm_setzero_si128();
    return true;
  }
};

constexpr VectorForms kRows[] = {
    row<shuffle<kShuffleDwords>>(ZYDIS_MNEMONIC_PSHUFD),
    row<shuffle<kShuffleLowWords>>(ZYDIS_MNEMONIC_PSHUFLW),
    row<shuffle<kShuffleHighWords>>(ZYDIS_MNEMONIC_PSHUFHW),
    row<shuffle_singles>(ZYDIS_MNEMONIC_SHUFPS),
    row<shuffle_doubles>(ZYDIS_MNEMONIC_SHUFPD),
    row<blend_words>(ZYDIS_MNEMONIC_PBLENDW),
    row<blend_singles>(ZYDIS_MNEMONIC_BLENDPS),
    row<blend_doubles>(ZYDIS_MNEMONIC_BLENDPD),
    row<align_right>(ZYDIS_MNEMONIC_PALIGNR),
    row<sum_differences>(ZYDIS_MNEMONIC_MPSADBW),
    row<multiply_without_carries>(ZYDIS_MNEMONIC_PCLMULQDQ),
    row<assist_key_generation>(ZYDIS_MNEMONIC_AESKEYGENASSIST),
    {ZYDIS_MNEMONIC_PSRLDQ, nullptr, nullptr, immediate_operation<shift_bytes_right, FromNowhere>},
    {ZYDIS_MNEMONIC_PSLLDQ, nullptr, nullptr, immediate_operation<shift_bytes_left, FromNowhere>},
    {ZYDIS_MNEMONIC_INSERTPS, immediate_operation<insert_from_register, FromXmm>,
     immediate_operation<insert_from_memory, FromMemory<std::uint32_t>>, nullptr},
    {ZYDIS_MNEMONIC_PEXTRB, extract<std::uint8_t>, extract_to_memory<std::uint8_t>, nullptr},
    {ZYDIS_MNEMONIC_PEXTRW, extract<std::uint16_t>, extract_to_memory<std::uint16_t>, nullptr},
    {ZYDIS_MNEMONIC_PEXTRD, extract<std::uint32_t>, extract_to_memory<std::uint32_t>, nullptr},
    {ZYDIS_MNEMONIC_PEXTRQ, extract<std::uint64_t>, extract_to_memory<std::uint64_t>, nullptr},
    {ZYDIS_MNEMONIC_EXTRACTPS, extract<std::uint32_t>, extract_to_memory<std::uint32_t>, nullptr},
    {ZYDIS_MNEMONIC_PINSRB, insert<std::uint8_t>, insert_memory<std::uint8_t>, nullptr},
    {ZYDIS_MNEMONIC_PINSRW, insert<std::uint16_t>, insert_memory<std::uint16_t>, nullptr},
    {ZYDIS_MNEMONIC_PINSRD, insert<std::uint32_t>, insert_memory<std::uint32_t>, nullptr},
    {ZYDIS_MNEMONIC_PINSRQ, insert<std::uint64_t>, insert_memory<std::uint64_t>, nullptr},
};

}  // namespace

Handler sse_immediate_form(const Instruction& instruction) {
  if (const Handler found = find_form(kRows, instruction); found != nullptr) return found;
  return string_compare_form(instruction);
}

}  // namespace vmm::cpu::soft
