#include "vmm/cpu/soft/sse_string.h"

#include <algorithm>
#include <array>
#include <utility>

#include "vmm/cpu/soft/vector.h"

namespace vmm::cpu::soft {
namespace {

struct Compared {
  Xmm mask;
  std::uint32_t index = 0;
  bool carry = false, zero = false, sign = false, overflow = false;
};

// The host's instructions, which take the kind of comparison as a constant: one function each.
template <int kKind>
struct Explicit {
  static void index(Compared& out, const Xmm& a, const Xmm& b, int a_length, int b_length) {
    asm("pcmpestri %9, %6, %5"
        : "=c"(out.index), "=@ccc"(out.carry), "=@ccz"(out.zero), "=@ccs"(out.sign), "=@cco"(out.overflow)
        : "x"(a.integer()), "x"(b.integer()), "a"(a_length), "d"(b_length), "i"(kKind));
  }
  static void mask(Compared& out, const Xmm& a, const Xmm& b, int a_length, int b_length) {
    __m128i mask;
    asm("pcmpestrm %9, %6, %5"
        : "=Yz"(mask), "=@ccc"(out.carry), "=@ccz"(out.zero), "=@ccs"(out.sign), "=@cco"(out.overflow)
        : "x"(a.integer()), "x"(b.integer()), "a"(a_length), "d"(b_length), "i"(kKind));
    out.mask.set_integer(mask);
  }
};
template <int kKind>
struct Implicit {
  static void index(Compared& out, const Xmm& a, const Xmm& b, int, int) {
    asm("pcmpistri %7, %6, %5"
        : "=c"(out.index), "=@ccc"(out.carry), "=@ccz"(out.zero), "=@ccs"(out.sign), "=@cco"(out.overflow)
        : "x"(a.integer()), "x"(b.integer()), "i"(kKind));
  }
  static void mask(Compared& out, const Xmm& a, const Xmm& b, int, int) {
    __m128i mask;
    asm("pcmpistrm %7, %6, %5"
        : "=Yz"(mask), "=@ccc"(out.carry), "=@ccz"(out.zero), "=@ccs"(out.sign), "=@cco"(out.overflow)
        : "x"(a.integer()), "x"(b.integer()), "i"(kKind));
    out.mask.set_integer(mask);
  }
};

using Comparison = void (*)(Compared&, const Xmm&, const Xmm&, int, int);
constexpr int kKinds = 128;  // bit 7 of the immediate means nothing
template <template <int> class Strings, int... kKind>
constexpr std::array<Comparison, kKinds> indexes(std::integer_sequence<int, kKind...>) {
  return {&Strings<kKind>::index...};
}
template <template <int> class Strings, int... kKind>
constexpr std::array<Comparison, kKinds> masks(std::integer_sequence<int, kKind...>) {
  return {&Strings<kKind>::mask...};
}
constexpr auto kAllKinds = std::make_integer_sequence<int, kKinds>();
constexpr auto kExplicitIndex = indexes<Explicit>(kAllKinds), kExplicitMask = masks<Explicit>(kAllKinds);
constexpr auto kImplicitIndex = indexes<Implicit>(kAllKinds), kImplicitMask = masks<Implicit>(kAllKinds);

// Lengths beyond sixteen mean sixteen, whatever their sign.
template <class Length>
int string_length(const Cpu& cpu, std::uint8_t offset) {
  return static_cast<int>(std::clamp<Length>(cpu.reg<Length>(offset), -16, 16));
}

template <const std::array<Comparison, kKinds>& kTable, bool kMask, class Length, class Source>
Flow compare(Cpu& cpu, const Op& op) {
  constexpr std::uint8_t kRax = 0;
  constexpr std::uint8_t kRcx = 8;
  constexpr std::uint8_t kRdx = 16;
  __m128i source;
  if (!begin_sse(cpu) || !Source::load(cpu, op, source)) return Flow::Fault;
  Compared result;
  Xmm second;
  second.set_integer(source);
  kTable[op.immediate & (kKinds - 1)](result, cpu.xmm[op.reg], second, string_length<Length>(cpu, kRax),
                                      string_length<Length>(cpu, kRdx));
  if constexpr (kMask) {
    cpu.xmm[0] = result.mask;
  } else {
    cpu.set_reg(kRcx, result.index);
  }
  cpu.flags.assign((result.carry ? kCf : 0) | (result.zero ? kZf : 0) | (result.sign ? kSf : 0) |
                   (result.overflow ? kOf : 0));
  return Flow::Next;
}

template <const std::array<Comparison, kKinds>& kTable, bool kMask, class Length = std::int32_t>
constexpr VectorForms row(ZydisMnemonic mnemonic) {
  // Memory need not be aligned.
  return {mnemonic, compare<kTable, kMask, Length, FromXmm>, compare<kTable, kMask, Length, FromUnaligned>, nullptr};
}
constexpr VectorForms kRows[] = {
    row<kExplicitIndex, false>(ZYDIS_MNEMONIC_PCMPESTRI),
    row<kExplicitMask, true>(ZYDIS_MNEMONIC_PCMPESTRM),
    row<kImplicitIndex, false>(ZYDIS_MNEMONIC_PCMPISTRI),
    row<kImplicitMask, true>(ZYDIS_MNEMONIC_PCMPISTRM),
};
// With REX.W.
constexpr VectorForms kWideRows[] = {
    row<kExplicitIndex, false, std::int64_t>(ZYDIS_MNEMONIC_PCMPESTRI),
    row<kExplicitMask, true, std::int64_t>(ZYDIS_MNEMONIC_PCMPESTRM),
};

}  // namespace

Handler string_compare_form(const Instruction& instruction) {
  if (instruction.decoded.operand_width == 64) {
    if (const Handler found = find_form(kWideRows, instruction); found != nullptr) return found;
  }
  return find_form(kRows, instruction);
}

}  // namespace vmm::cpu::soft
