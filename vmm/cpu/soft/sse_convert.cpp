// SSE and SSE2 conversions between numbers of different kinds. [SDM 1 10.4.4, 11.4.1.6]
#include <type_traits>

#include "vmm/cpu/soft/sse_float.h"

namespace vmm::cpu::soft {
namespace {

template <auto kOperation, class Memory, Result kResult = Result::Whatever>
constexpr VectorForms row(ZydisMnemonic mnemonic) {
  return {mnemonic, float_operation<kOperation, FromXmm, kResult>, float_operation<kOperation, Memory, kResult>,
          nullptr};
}
constexpr VectorForms kVectors[] = {
    row<[](__m128i& d, __m128i s) { asm volatile("cvtdq2ps %1, %0"
                                                 : "+x"(d)
                                                 : "x"(s)); }, FromAligned>(
        ZYDIS_MNEMONIC_CVTDQ2PS),
    row<[](__m128i& d, __m128i s) { asm volatile("cvtps2dq %1, %0"
                                                 : "+x"(d)
                                                 : "x"(s)); }, FromAligned>(
        ZYDIS_MNEMONIC_CVTPS2DQ),
    row<[](__m128i& d, __m128i s) { asm volatile("cvttps2dq %1, %0"
                                                 : "+x"(d)
                                                 : "x"(s)); }, FromAligned>(
        ZYDIS_MNEMONIC_CVTTPS2DQ),
    row<[](__m128i& d, __m128i s) { asm volatile("cvtpd2dq %1, %0"
                                                 : "+x"(d)
                                                 : "x"(s)); }, FromAligned>(
        ZYDIS_MNEMONIC_CVTPD2DQ),
    row<[](__m128i& d, __m128i s) { asm volatile("cvttpd2dq %1, %0"
                                                 : "+x"(d)
                                                 : "x"(s)); }, FromAligned>(
        ZYDIS_MNEMONIC_CVTTPD2DQ),
    row<[](__m128i& d, __m128i s) { asm volatile("cvtpd2ps %1, %0"
                                                 : "+x"(d)
                                                 : "x"(s)); }, FromAligned,
        Result::TwoSingles>(ZYDIS_MNEMONIC_CVTPD2PS),
    row<[](__m128i& d, __m128i s) { asm volatile("cvtps2pd %1, %0"
                                                 : "+x"(d)
                                                 : "x"(s)); }, FromMemory<std::uint64_t>>(
        ZYDIS_MNEMONIC_CVTPS2PD),
    row<[](__m128i& d, __m128i s) { asm volatile("cvtss2sd %1, %0"
                                                 : "+x"(d)
                                                 : "x"(s)); }, FromMemory<std::uint32_t>>(
        ZYDIS_MNEMONIC_CVTSS2SD),
    row<[](__m128i& d, __m128i s) { asm volatile("cvtsd2ss %1, %0"
                                                 : "+x"(d)
                                                 : "x"(s)); }, FromMemory<std::uint64_t>,
        Result::Single>(ZYDIS_MNEMONIC_CVTSD2SS),
};

// With a general register: of 32 bits or, in 64-bit mode, of 64.
struct GeneralForms {
  VectorForms narrow, wide;
};

template <class T>
struct FromGeneral {
  static bool load(Cpu& cpu, const Op& op, __m128i& value) {
    value = low_half(std::uint64_t{cpu.reg<T>(op.rm)});
    return true;
  }
};
template <auto kOperation, class T>
constexpr VectorForms from_general(ZydisMnemonic mnemonic) {
  return {mnemonic, float_operation<kOperation, FromGeneral<T>>, float_operation<kOperation, FromMemory<T>>, nullptr};
}
constexpr GeneralForms kFromGeneral[] = {
    {from_general<[](__m128i& d, __m128i s) { asm volatile("cvtsi2ssl %1, %0"
                                                           : "+x"(d)
                                                           : "r"(_mm_cvtsi128_si32(s))); },
                  std::uint32_t>(ZYDIS_MNEMONIC_CVTSI2SS),
     from_general<[](__m128i& d, __m128i s) { asm volatile("cvtsi2ssq %1, %0"
                                                           : "+x"(d)
                                                           : "r"(_mm_cvtsi128_si64(s))); },
                  std::uint64_t>(ZYDIS_MNEMONIC_CVTSI2SS)},
    {from_general<[](__m128i& d, __m128i s) { asm volatile("cvtsi2sdl %1, %0"
                                                           : "+x"(d)
                                                           : "r"(_mm_cvtsi128_si32(s))); },
                  std::uint32_t>(ZYDIS_MNEMONIC_CVTSI2SD),
     from_general<[](__m128i& d, __m128i s) { asm volatile("cvtsi2sdq %1, %0"
                                                           : "+x"(d)
                                                           : "r"(_mm_cvtsi128_si64(s))); },
                  std::uint64_t>(ZYDIS_MNEMONIC_CVTSI2SD)},
};

template <auto kOperation, class Source>
Flow to_general(Cpu& cpu, const Op& op) {
  __m128i source;
  if (!begin_sse(cpu) || !Source::load(cpu, op, source)) return Flow::Fault;
  HostMxcsr::begin(cpu.mxcsr);
  const auto value = kOperation(source);
  if (!accept_exceptions(cpu, HostMxcsr::end())) return Flow::Fault;
  cpu.set_reg(op.reg, value);
  return Flow::Next;
}
template <auto kOperation, class Memory>
constexpr VectorForms to_general_row(ZydisMnemonic mnemonic) {
  return {mnemonic, to_general<kOperation, FromXmm>, to_general<kOperation, FromMemory<Memory>>, nullptr};
}
constexpr GeneralForms kToGeneral[] = {
    {to_general_row<[](__m128i s) {
       std::uint32_t value = 0;
       asm volatile("cvtss2si %1, %0" : "=r"(value) : "x"(s));
       return value;
     },
                    std::uint32_t>(ZYDIS_MNEMONIC_CVTSS2SI),
     to_general_row<[](__m128i s) {
       std::uint64_t value = 0;
       asm volatile("cvtss2si %1, %0" : "=r"(value) : "x"(s));
       return value;
     },
                    std::uint32_t>(ZYDIS_MNEMONIC_CVTSS2SI)},
    {to_general_row<[](__m128i s) {
       std::uint32_t value = 0;
       asm volatile("cvttss2si %1, %0" : "=r"(value) : "x"(s));
       return value;
     },
                    std::uint32_t>(ZYDIS_MNEMONIC_CVTTSS2SI),
     to_general_row<[](__m128i s) {
       std::uint64_t value = 0;
       asm volatile("cvttss2si %1, %0" : "=r"(value) : "x"(s));
       return value;
     },
                    std::uint32_t>(ZYDIS_MNEMONIC_CVTTSS2SI)},
    {to_general_row<[](__m128i s) {
       std::uint32_t value = 0;
       asm volatile("cvtsd2si %1, %0" : "=r"(value) : "x"(s));
       return value;
     },
                    std::uint64_t>(ZYDIS_MNEMONIC_CVTSD2SI),
     to_general_row<[](__m128i s) {
       std::uint64_t value = 0;
       asm volatile("cvtsd2si %1, %0" : "=r"(value) : "x"(s));
       return value;
     },
                    std::uint64_t>(ZYDIS_MNEMONIC_CVTSD2SI)},
    {to_general_row<[](__m128i s) {
       std::uint32_t value = 0;
       asm volatile("cvttsd2si %1, %0" : "=r"(value) : "x"(s));
       return value;
     },
                    std::uint64_t>(ZYDIS_MNEMONIC_CVTTSD2SI),
     to_general_row<[](__m128i s) {
       std::uint64_t value = 0;
       asm volatile("cvttsd2si %1, %0" : "=r"(value) : "x"(s));
       return value;
     },
                    std::uint64_t>(ZYDIS_MNEMONIC_CVTTSD2SI)},
};

// With MMX registers: on the host they are the conversions between XMM registers, of half a register.
template <class Source>
struct LowHalf {
  static bool load(Cpu& cpu, const Op& op, __m128i& value) {
    if (!Source::load(cpu, op, value)) return false;
    value = _mm_move_epi64(value);
    return true;
  }
};
template <auto kOperation, class Source>
Flow to_mmx(Cpu& cpu, const Op& op) {
  __m128i source;
  if (!begin_sse(cpu) || !begin_mmx(cpu) || !Source::load(cpu, op, source)) return Flow::Fault;
  __m128i destination = source;
  HostMxcsr::begin(cpu.mxcsr);
  kOperation(destination, source);
  const std::uint32_t raised = HostMxcsr::end();
  enter_mmx(cpu);  // processors do so whatever becomes of the result
  if (!accept_exceptions(cpu, raised)) return Flow::Fault;
  set_mmx(cpu, op.reg, low_half(destination));
  return Flow::Next;
}
// These enter MMX state for registers only, as processors have it; the manual says so of CVTPI2PD. [SDM 2 CVTPI2PD]
template <class Source>
Flow integers_to_singles(Cpu& cpu, const Op& op) {
  constexpr bool kRegister = std::is_same_v<Source, FromMmx>;
  __m128i source;
  if (!begin_sse(cpu) || (kRegister && !begin_mmx(cpu)) || !Source::load(cpu, op, source)) return Flow::Fault;
  if constexpr (kRegister) enter_mmx(cpu);
  HostMxcsr::begin(cpu.mxcsr);
  asm volatile("cvtdq2ps %0, %0" : "+x"(source));
  if (!accept_exceptions(cpu, HostMxcsr::end())) return Flow::Fault;
  cpu.xmm[op.reg].set(low_half(source));
  return Flow::Next;
}
template <class Source>
Flow integers_to_doubles(Cpu& cpu, const Op& op) {
  constexpr bool kRegister = std::is_same_v<Source, FromMmx>;
  __m128i source;
  if (!begin_sse(cpu) || (kRegister && !begin_mmx(cpu)) || !Source::load(cpu, op, source)) return Flow::Fault;
  if constexpr (kRegister) enter_mmx(cpu);
  asm("cvtdq2pd %0, %0" : "+x"(source));
  cpu.xmm[op.reg].set_integer(source);
  return Flow::Next;
}
template <auto kOperation>
constexpr VectorForms singles_row(ZydisMnemonic mnemonic) {
  return {mnemonic, to_mmx<kOperation, LowHalf<FromXmm>>, to_mmx<kOperation, FromMemory<std::uint64_t>>, nullptr};
}
template <auto kOperation>
constexpr VectorForms doubles_row(ZydisMnemonic mnemonic) {
  return {mnemonic, to_mmx<kOperation, FromXmm>, to_mmx<kOperation, FromAligned>, nullptr};
}
constexpr VectorForms kMmx[] = {
    {ZYDIS_MNEMONIC_CVTPI2PS, integers_to_singles<FromMmx>, integers_to_singles<FromMemory<std::uint64_t>>, nullptr},
    {ZYDIS_MNEMONIC_CVTPI2PD, integers_to_doubles<FromMmx>, integers_to_doubles<FromMemory<std::uint64_t>>, nullptr},
    singles_row<[](__m128i& d, __m128i s) { asm volatile("cvtps2dq %1, %0"
                                                         : "+x"(d)
                                                         : "x"(s)); }>(
        ZYDIS_MNEMONIC_CVTPS2PI),
    singles_row<[](__m128i& d, __m128i s) { asm volatile("cvttps2dq %1, %0"
                                                         : "+x"(d)
                                                         : "x"(s)); }>(
        ZYDIS_MNEMONIC_CVTTPS2PI),
    doubles_row<[](__m128i& d, __m128i s) { asm volatile("cvtpd2dq %1, %0"
                                                         : "+x"(d)
                                                         : "x"(s)); }>(
        ZYDIS_MNEMONIC_CVTPD2PI),
    doubles_row<[](__m128i& d, __m128i s) { asm volatile("cvttpd2dq %1, %0"
                                                         : "+x"(d)
                                                         : "x"(s)); }>(
        ZYDIS_MNEMONIC_CVTTPD2PI),
};

}  // namespace

Handler sse_to_general_form(const Instruction& instruction) {
  for (const GeneralForms& forms : kToGeneral) {
    if (forms.narrow.mnemonic == instruction.decoded.mnemonic) {
      return (instruction.bits(0) == 64 ? forms.wide : forms.narrow).of(instruction);
    }
  }
  return nullptr;
}

Handler sse_convert_form(const Instruction& instruction) {
  if (const Handler found = find_form(kVectors, instruction); found != nullptr) return found;
  if (const Handler found = find_form(kMmx, instruction); found != nullptr) return found;
  for (const GeneralForms& forms : kFromGeneral) {
    if (forms.narrow.mnemonic == instruction.decoded.mnemonic) {
      return (instruction.bits(1) == 64 ? forms.wide : forms.narrow).of(instruction);
    }
  }
  return sse_to_general_form(instruction);
}

}  // namespace vmm::cpu::soft
