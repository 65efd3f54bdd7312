// SSE to SSE4.1 arithmetic on floating-point numbers and their comparison. [SDM 1 10.4, 11.4]
#include "vmm/cpu/soft/sse_float.h"

#include <array>
#include <utility>

namespace vmm::cpu::soft {

bool raise_simd_error(Cpu& cpu, std::uint32_t raised) {
  constexpr std::uint32_t kBeforeComputation = kMxcsrIe | kMxcsrDe | kMxcsrZe;
  const std::uint32_t unmasked = raised & ~(cpu.mxcsr >> 7);
  // Nothing is computed then, in no element. [SDM 1 11.5.3]
  if ((unmasked & kBeforeComputation) != 0) raised &= kBeforeComputation;
  cpu.mxcsr |= raised;
  cpu.raise((cpu.cr4 & kCr4Osxmmexcpt) != 0 ? Vector::SimdError : Vector::InvalidOpcode);
  return false;
}

bool has_denormal(__m128i value, Result kind) {
  Xmm lanes;
  lanes.set_integer(value);
  const auto tiny32 = [&](unsigned lane) {
    const std::uint32_t bits = lanes.get<std::uint32_t>(lane) & 0x7fffffff;
    return bits != 0 && bits < 0x800000;
  };
  const auto tiny64 = [&](unsigned lane) {
    const std::uint64_t bits = lanes.get<std::uint64_t>(lane) & ~(std::uint64_t{1} << 63);
    return bits != 0 && bits < std::uint64_t{1} << 52;
  };
  const auto tiny16 = [&](unsigned lane) {
    const unsigned bits = lanes.get<std::uint16_t>(lane) & 0x7fffu;
    return bits != 0 && bits < 0x400;
  };
  switch (kind) {
    case Result::Single: return tiny32(0);
    case Result::TwoSingles: return tiny32(0) || tiny32(1);
    case Result::Singles: return tiny32(0) || tiny32(1) || tiny32(2) || tiny32(3);
    case Result::Double: return tiny64(0);
    case Result::Doubles: return tiny64(0) || tiny64(1);
    case Result::Halves:
      for (unsigned lane = 0; lane < 8; ++lane)
        if (tiny16(lane)) return true;
      break;
    case Result::Whatever: break;
  }
  return false;
}

namespace {

template <auto kOperation, class Memory, Result kResult>
constexpr VectorForms row(ZydisMnemonic mnemonic) {
  return {mnemonic, float_operation<kOperation, FromXmm, kResult>, float_operation<kOperation, Memory, kResult>,
          nullptr};
}

constexpr VectorForms kArithmetic[] = {
    row<[](__m128i& d, __m128i s) { asm volatile("addps %1, %0"
                                                 : "+x"(d)
                                                 : "x"(s)); }, FromAligned, Result::Singles>(
        ZYDIS_MNEMONIC_ADDPS),
    row<[](__m128i& d, __m128i s) { asm volatile("addpd %1, %0"
                                                 : "+x"(d)
                                                 : "x"(s)); }, FromAligned, Result::Doubles>(
        ZYDIS_MNEMONIC_ADDPD),
    row<[](__m128i& d, __m128i s) { asm volatile("addss %1, %0"
                                                 : "+x"(d)
                                                 : "x"(s)); }, FromMemory<std::uint32_t>,
        Result::Single>(ZYDIS_MNEMONIC_ADDSS),
    row<[](__m128i& d, __m128i s) { asm volatile("addsd %1, %0"
                                                 : "+x"(d)
                                                 : "x"(s)); }, FromMemory<std::uint64_t>,
        Result::Double>(ZYDIS_MNEMONIC_ADDSD),
    row<[](__m128i& d, __m128i s) { asm volatile("subps %1, %0"
                                                 : "+x"(d)
                                                 : "x"(s)); }, FromAligned, Result::Singles>(
        ZYDIS_MNEMONIC_SUBPS),
    row<[](__m128i& d, __m128i s) { asm volatile("subpd %1, %0"
                                                 : "+x"(d)
                                                 : "x"(s)); }, FromAligned, Result::Doubles>(
        ZYDIS_MNEMONIC_SUBPD),
    row<[](__m128i& d, __m128i s) { asm volatile("subss %1, %0"
                                                 : "+x"(d)
                                                 : "x"(s)); }, FromMemory<std::uint32_t>,
        Result::Single>(ZYDIS_MNEMONIC_SUBSS),
    row<[](__m128i& d, __m128i s) { asm volatile("subsd %1, %0"
                                                 : "+x"(d)
                                                 : "x"(s)); }, FromMemory<std::uint64_t>,
        Result::Double>(ZYDIS_MNEMONIC_SUBSD),
    row<[](__m128i& d, __m128i s) { asm volatile("mulps %1, %0"
                                                 : "+x"(d)
                                                 : "x"(s)); }, FromAligned, Result::Singles>(
        ZYDIS_MNEMONIC_MULPS),
    row<[](__m128i& d, __m128i s) { asm volatile("mulpd %1, %0"
                                                 : "+x"(d)
                                                 : "x"(s)); }, FromAligned, Result::Doubles>(
        ZYDIS_MNEMONIC_MULPD),
    row<[](__m128i& d, __m128i s) { asm volatile("mulss %1, %0"
                                                 : "+x"(d)
                                                 : "x"(s)); }, FromMemory<std::uint32_t>,
        Result::Single>(ZYDIS_MNEMONIC_MULSS),
    row<[](__m128i& d, __m128i s) { asm volatile("mulsd %1, %0"
                                                 : "+x"(d)
                                                 : "x"(s)); }, FromMemory<std::uint64_t>,
        Result::Double>(ZYDIS_MNEMONIC_MULSD),
    row<[](__m128i& d, __m128i s) { asm volatile("divps %1, %0"
                                                 : "+x"(d)
                                                 : "x"(s)); }, FromAligned, Result::Singles>(
        ZYDIS_MNEMONIC_DIVPS),
    row<[](__m128i& d, __m128i s) { asm volatile("divpd %1, %0"
                                                 : "+x"(d)
                                                 : "x"(s)); }, FromAligned, Result::Doubles>(
        ZYDIS_MNEMONIC_DIVPD),
    row<[](__m128i& d, __m128i s) { asm volatile("divss %1, %0"
                                                 : "+x"(d)
                                                 : "x"(s)); }, FromMemory<std::uint32_t>,
        Result::Single>(ZYDIS_MNEMONIC_DIVSS),
    row<[](__m128i& d, __m128i s) { asm volatile("divsd %1, %0"
                                                 : "+x"(d)
                                                 : "x"(s)); }, FromMemory<std::uint64_t>,
        Result::Double>(ZYDIS_MNEMONIC_DIVSD),
    row<[](__m128i& d, __m128i s) { asm volatile("minps %1, %0"
                                                 : "+x"(d)
                                                 : "x"(s)); }, FromAligned, Result::Whatever>(
        ZYDIS_MNEMONIC_MINPS),
    row<[](__m128i& d, __m128i s) { asm volatile("minpd %1, %0"
                                                 : "+x"(d)
                                                 : "x"(s)); }, FromAligned, Result::Whatever>(
        ZYDIS_MNEMONIC_MINPD),
    row<[](__m128i& d, __m128i s) { asm volatile("minss %1, %0"
                                                 : "+x"(d)
                                                 : "x"(s)); }, FromMemory<std::uint32_t>,
        Result::Whatever>(ZYDIS_MNEMONIC_MINSS),
    row<[](__m128i& d, __m128i s) { asm volatile("minsd %1, %0"
                                                 : "+x"(d)
                                                 : "x"(s)); }, FromMemory<std::uint64_t>,
        Result::Whatever>(ZYDIS_MNEMONIC_MINSD),
    row<[](__m128i& d, __m128i s) { asm volatile("maxps %1, %0"
                                                 : "+x"(d)
                                                 : "x"(s)); }, FromAligned, Result::Whatever>(
        ZYDIS_MNEMONIC_MAXPS),
    row<[](__m128i& d, __m128i s) { asm volatile("maxpd %1, %0"
                                                 : "+x"(d)
                                                 : "x"(s)); }, FromAligned, Result::Whatever>(
        ZYDIS_MNEMONIC_MAXPD),
    row<[](__m128i& d, __m128i s) { asm volatile("maxss %1, %0"
                                                 : "+x"(d)
                                                 : "x"(s)); }, FromMemory<std::uint32_t>,
        Result::Whatever>(ZYDIS_MNEMONIC_MAXSS),
    row<[](__m128i& d, __m128i s) { asm volatile("maxsd %1, %0"
                                                 : "+x"(d)
                                                 : "x"(s)); }, FromMemory<std::uint64_t>,
        Result::Whatever>(ZYDIS_MNEMONIC_MAXSD),
    row<[](__m128i& d, __m128i s) { asm volatile("sqrtps %1, %0"
                                                 : "+x"(d)
                                                 : "x"(s)); }, FromAligned, Result::Whatever>(
        ZYDIS_MNEMONIC_SQRTPS),
    row<[](__m128i& d, __m128i s) { asm volatile("sqrtpd %1, %0"
                                                 : "+x"(d)
                                                 : "x"(s)); }, FromAligned, Result::Whatever>(
        ZYDIS_MNEMONIC_SQRTPD),
    row<[](__m128i& d, __m128i s) { asm volatile("sqrtss %1, %0"
                                                 : "+x"(d)
                                                 : "x"(s)); }, FromMemory<std::uint32_t>,
        Result::Whatever>(ZYDIS_MNEMONIC_SQRTSS),
    row<[](__m128i& d, __m128i s) { asm volatile("sqrtsd %1, %0"
                                                 : "+x"(d)
                                                 : "x"(s)); }, FromMemory<std::uint64_t>,
        Result::Whatever>(ZYDIS_MNEMONIC_SQRTSD),
    row<[](__m128i& d, __m128i s) { asm volatile("addsubps %1, %0"
                                                 : "+x"(d)
                                                 : "x"(s)); }, FromAligned,
        Result::Singles>(ZYDIS_MNEMONIC_ADDSUBPS),
    row<[](__m128i& d, __m128i s) { asm volatile("addsubpd %1, %0"
                                                 : "+x"(d)
                                                 : "x"(s)); }, FromAligned,
        Result::Doubles>(ZYDIS_MNEMONIC_ADDSUBPD),
    row<[](__m128i& d, __m128i s) { asm volatile("haddps %1, %0"
                                                 : "+x"(d)
                                                 : "x"(s)); }, FromAligned, Result::Singles>(
        ZYDIS_MNEMONIC_HADDPS),
    row<[](__m128i& d, __m128i s) { asm volatile("haddpd %1, %0"
                                                 : "+x"(d)
                                                 : "x"(s)); }, FromAligned, Result::Doubles>(
        ZYDIS_MNEMONIC_HADDPD),
    row<[](__m128i& d, __m128i s) { asm volatile("hsubps %1, %0"
                                                 : "+x"(d)
                                                 : "x"(s)); }, FromAligned, Result::Singles>(
        ZYDIS_MNEMONIC_HSUBPS),
    row<[](__m128i& d, __m128i s) { asm volatile("hsubpd %1, %0"
                                                 : "+x"(d)
                                                 : "x"(s)); }, FromAligned, Result::Doubles>(
        ZYDIS_MNEMONIC_HSUBPD),
};

// COMIS and UCOMIS. [SDM 2 COMISS]
template <auto kOperation, class Source>
Flow compare_to_flags(Cpu& cpu, const Op& op) {
  __m128i source;
  if (!begin_sse(cpu) || !Source::load(cpu, op, source)) return Flow::Fault;
  HostMxcsr::begin(cpu.mxcsr);
  const std::uint32_t flags = kOperation(cpu.xmm[op.reg].integer(), source);
  if (!accept_exceptions(cpu, HostMxcsr::end())) return Flow::Fault;
  cpu.flags.assign(flags);
  return Flow::Next;
}
template <auto kOperation, class Memory>
constexpr VectorForms compare_row(ZydisMnemonic mnemonic) {
  return {mnemonic, compare_to_flags<kOperation, FromXmm>, compare_to_flags<kOperation, FromMemory<Memory>>, nullptr};
}
constexpr std::uint32_t compare_flags(bool zero, bool parity, bool carry) {
  return (zero ? kZf : 0) | (parity ? kPf : 0) | (carry ? kCf : 0);
}

constexpr VectorForms kToFlags[] = {
    compare_row<[](__m128i d, __m128i s) {
      bool z = false;
      bool p = false;
      bool c = false;
      asm volatile("comiss %4, %3" : "=@ccz"(z), "=@ccp"(p), "=@ccc"(c) : "x"(d), "x"(s));
      return compare_flags(z, p, c);
    },
                std::uint32_t>(ZYDIS_MNEMONIC_COMISS),
    compare_row<[](__m128i d, __m128i s) {
      bool z = false;
      bool p = false;
      bool c = false;
      asm volatile("ucomiss %4, %3" : "=@ccz"(z), "=@ccp"(p), "=@ccc"(c) : "x"(d), "x"(s));
      return compare_flags(z, p, c);
    },
                std::uint32_t>(ZYDIS_MNEMONIC_UCOMISS),
    compare_row<[](__m128i d, __m128i s) {
      bool z = false;
      bool p = false;
      bool c = false;
      asm volatile("comisd %4, %3" : "=@ccz"(z), "=@ccp"(p), "=@ccc"(c) : "x"(d), "x"(s));
      return compare_flags(z, p, c);
    },
                std::uint64_t>(ZYDIS_MNEMONIC_COMISD),
    compare_row<[](__m128i d, __m128i s) {
      bool z = false;
      bool p = false;
      bool c = false;
      asm volatile("ucomisd %4, %3" : "=@ccz"(z), "=@ccp"(p), "=@ccc"(c) : "x"(d), "x"(s));
      return compare_flags(z, p, c);
    },
                std::uint64_t>(ZYDIS_MNEMONIC_UCOMISD),
};

// CMPPS and its like: the predicate is part of the instruction. [SDM 2 CMPPD]
template <int kPredicate>
struct Compare {
  static void ps(__m128i& d, __m128i s) { asm volatile("cmpps %2, %1, %0" : "+x"(d) : "x"(s), "i"(kPredicate)); }
  static void pd(__m128i& d, __m128i s) { asm volatile("cmppd %2, %1, %0" : "+x"(d) : "x"(s), "i"(kPredicate)); }
  static void ss(__m128i& d, __m128i s) { asm volatile("cmpss %2, %1, %0" : "+x"(d) : "x"(s), "i"(kPredicate)); }
  static void sd(__m128i& d, __m128i s) { asm volatile("cmpsd %2, %1, %0" : "+x"(d) : "x"(s), "i"(kPredicate)); }
};

struct Predicate {
  VectorForms ps, pd, ss, sd;
};
template <int... kPredicates>
constexpr auto compare_forms(std::integer_sequence<int, kPredicates...>) {
  constexpr Result kMask = Result::Whatever;
  return std::array{
      Predicate{row<&Compare<kPredicates>::ps, FromAligned, kMask>(ZYDIS_MNEMONIC_CMPPS),
                row<&Compare<kPredicates>::pd, FromAligned, kMask>(ZYDIS_MNEMONIC_CMPPD),
                row<&Compare<kPredicates>::ss, FromMemory<std::uint32_t>, kMask>(ZYDIS_MNEMONIC_CMPSS),
                row<&Compare<kPredicates>::sd, FromMemory<std::uint64_t>, kMask>(ZYDIS_MNEMONIC_CMPSD)}...};
}
constexpr auto kCompare = compare_forms(std::make_integer_sequence<int, 8>());

Handler compare_form(const Instruction& instruction) {
  if (instruction.operands.size() < 3) return nullptr;
  const Predicate& forms = kCompare[instruction.operands[2].imm.value.u & 7];
  switch (instruction.decoded.mnemonic) {
    case ZYDIS_MNEMONIC_CMPPS: return forms.ps.of(instruction);
    case ZYDIS_MNEMONIC_CMPPD: return forms.pd.of(instruction);
    case ZYDIS_MNEMONIC_CMPSS: return forms.ss.of(instruction);
    case ZYDIS_MNEMONIC_CMPSD: return forms.sd.of(instruction);
    default: return nullptr;
  }
}

// ROUNDPS and its like: the immediate may bring its own rounding and suppress the precision exception. [SDM 2 ROUNDPD]
template <auto kOperation, class Source>
Flow round(Cpu& cpu, const Op& op) {
  __m128i source;
  if (!begin_sse(cpu) || !Source::load(cpu, op, source)) return Flow::Fault;
  const auto immediate = static_cast<std::uint32_t>(op.immediate);
  std::uint32_t control = cpu.mxcsr;
  if ((immediate & 4) == 0) control = (control & ~kMxcsrRounding) | (immediate & 3) << 13;
  __m128i destination = cpu.xmm[op.reg].integer();
  HostMxcsr::begin(control);
  kOperation(destination, source);
  std::uint32_t raised = HostMxcsr::end();
  if ((immediate & 8) != 0) raised &= ~kMxcsrPe;
  if (!accept_exceptions(cpu, raised)) return Flow::Fault;
  cpu.xmm[op.reg].set_integer(destination);
  return Flow::Next;
}
template <auto kOperation, class Memory>
constexpr VectorForms round_row(ZydisMnemonic mnemonic) {
  return {mnemonic, round<kOperation, FromXmm>, round<kOperation, Memory>, nullptr};
}

constexpr VectorForms kRound[] = {
    round_row<[](__m128i& d, __m128i s) { asm volatile("roundps $4, %1, %0"
                                                       : "+x"(d)
                                                       : "x"(s)); }, FromAligned>(
        ZYDIS_MNEMONIC_ROUNDPS),
    round_row<[](__m128i& d, __m128i s) { asm volatile("roundpd $4, %1, %0"
                                                       : "+x"(d)
                                                       : "x"(s)); }, FromAligned>(
        ZYDIS_MNEMONIC_ROUNDPD),
    round_row<[](__m128i& d, __m128i s) { asm volatile("roundss $4, %1, %0"
                                                       : "+x"(d)
                                                       : "x"(s)); },
              FromMemory<std::uint32_t>>(ZYDIS_MNEMONIC_ROUNDSS),
    round_row<[](__m128i& d, __m128i s) { asm volatile("roundsd $4, %1, %0"
                                                       : "+x"(d)
                                                       : "x"(s)); },
              FromMemory<std::uint64_t>>(ZYDIS_MNEMONIC_ROUNDSD),
};

// DPPS and DPPD: unselected products are zero, and so are unselected sums. [SDM 2 DPPS]
template <class Element>
__m128i selection(unsigned bits) {
  constexpr unsigned kLanes = 16 / sizeof(Element);
  Xmm mask;
  for (unsigned lane = 0; lane < kLanes; ++lane)
    mask.set<Element>((bits >> lane & 1) != 0 ? ~Element{0} : 0, lane);
  return mask.integer();
}
// One step, with its exceptions.
template <auto kOperation, Result kResult>
bool dot_step(Cpu& cpu, __m128i& destination, __m128i source) {
  HostMxcsr::begin(cpu.mxcsr);
  kOperation(destination, source);
  std::uint32_t raised = HostMxcsr::end();
  if ((cpu.mxcsr & kMxcsrUm) == 0 && has_denormal(destination, kResult)) raised |= kMxcsrUe;
  return accept_exceptions(cpu, raised);
}
// The products, sums of two, and for four of them the sum of these: an unmasked exception ends it at each.
template <class Element, auto kMultiply, auto kAdd, class Source, Result kResult>
Flow dot_product(Cpu& cpu, const Op& op) {
  __m128i source;
  if (!begin_sse(cpu) || !Source::load(cpu, op, source)) return Flow::Fault;
  const auto immediate = static_cast<unsigned>(op.immediate & 0xff);
  const __m128i factors = selection<Element>(immediate >> 4);
  __m128i value = _mm_and_si128(cpu.xmm[op.reg].integer(), factors);
  if (!dot_step<kMultiply, kResult>(cpu, value, _mm_and_si128(source, factors)) ||
      !dot_step<kAdd, kResult>(cpu, value, value)) {
    return Flow::Fault;
  }
  if (sizeof(Element) == 4 && !dot_step<kAdd, kResult>(cpu, value, value)) return Flow::Fault;
  cpu.xmm[op.reg].set_integer(_mm_and_si128(value, selection<Element>(immediate)));
  return Flow::Next;
}
template <class Element, auto kMultiply, auto kAdd, Result kResult>
constexpr VectorForms dot_row(ZydisMnemonic mnemonic) {
  return {mnemonic, dot_product<Element, kMultiply, kAdd, FromXmm, kResult>,
          dot_product<Element, kMultiply, kAdd, FromAligned, kResult>, nullptr};
}

constexpr VectorForms kDotProduct[] = {
    dot_row<std::uint32_t, [](__m128i& d, __m128i s) { asm volatile("mulps %1, %0"
                                                                    : "+x"(d)
                                                                    : "x"(s)); },
            [](__m128i& d, __m128i s) { asm volatile("haddps %1, %0"
                                                     : "+x"(d)
                                                     : "x"(s)); }, Result::Singles>(
        ZYDIS_MNEMONIC_DPPS),
    dot_row<std::uint64_t, [](__m128i& d, __m128i s) { asm volatile("mulpd %1, %0"
                                                                    : "+x"(d)
                                                                    : "x"(s)); },
            [](__m128i& d, __m128i s) { asm volatile("haddpd %1, %0"
                                                     : "+x"(d)
                                                     : "x"(s)); }, Result::Doubles>(
        ZYDIS_MNEMONIC_DPPD),
};

}  // namespace

Handler sse_float_form(const Instruction& instruction) {
  const std::span<const VectorForms> tables[] = {kArithmetic, kToFlags, kRound, kDotProduct};
  for (const auto& table : tables) {
    if (const Handler found = find_form(table, instruction); found != nullptr) return found;
  }
  return compare_form(instruction);
}

}  // namespace vmm::cpu::soft
