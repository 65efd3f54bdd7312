// SSE instructions that round or raise: run under the guest's MXCSR, with all exceptions masked in the host and judged
// afterwards. [SDM 1 11.5]
#pragma once

#include "vmm/cpu/soft/vector.h"

namespace vmm::cpu::soft {

constexpr std::uint32_t kMxcsrIe = 1u << 0, kMxcsrDe = 1u << 1, kMxcsrZe = 1u << 2, kMxcsrOe = 1u << 3,
                        kMxcsrUe = 1u << 4, kMxcsrPe = 1u << 5, kMxcsrDaz = 1u << 6, kMxcsrUm = 1u << 11,
                        kMxcsrRounding = 3u << 13, kMxcsrFtz = 1u << 15;
constexpr std::uint32_t kMxcsrFlags = 0x3f, kMxcsrMasks = 0x1f80, kMxcsrDefault = 0x1f80, kMxcsrAll = 0xffff;

// Between begin() and end(), only `asm volatile`, which the compiler keeps there.
struct HostMxcsr {
  static void begin(std::uint32_t guest) {
    // An unmasked underflow overrides flush-to-zero. [SDM 1 10.2.3.3]
    const std::uint32_t honoured =
        (guest & kMxcsrUm) != 0 ? kMxcsrRounding | kMxcsrDaz | kMxcsrFtz : kMxcsrRounding | kMxcsrDaz;
    const std::uint32_t host = (guest & honoured) | kMxcsrMasks;
    asm volatile("ldmxcsr %0" ::"m"(host));
  }
  // The exceptions raised since begin().
  static std::uint32_t end() {
    std::uint32_t host = 0;
    const std::uint32_t usual = kMxcsrDefault;
    asm volatile("stmxcsr %0" : "=m"(host));
    asm volatile("ldmxcsr %0" ::"m"(usual));
    return host & kMxcsrFlags;
  }
};

// #XM, or #UD. Always false.
[[gnu::cold]] bool raise_simd_error(Cpu& cpu, std::uint32_t raised);
// Notes exceptions in the guest's MXCSR; false if one of them is unmasked, and nothing may be written then.
inline bool accept_exceptions(Cpu& cpu, std::uint32_t raised) {
  if ((raised & ~(cpu.mxcsr >> 7)) != 0) [[unlikely]]
    return raise_simd_error(cpu, raised);
  cpu.mxcsr |= raised;
  return true;
}

// What a result consists of, where it may be denormal and yet exact: that underflows if unmasked only, so that the
// host, where it is masked, does not tell. [SDM 1 4.9.1.5]
enum class Result : std::uint8_t { Whatever, Singles, Doubles, Single, Double, TwoSingles, Halves };
[[gnu::cold]] bool has_denormal(__m128i value, Result kind);

template <auto kOperation, class Source, Result kResult = Result::Whatever>
Flow float_operation(Cpu& cpu, const Op& op) {
  __m128i source;
  if (!begin_sse(cpu) || !Source::load(cpu, op, source)) return Flow::Fault;
  __m128i destination = cpu.xmm[op.reg].integer();
  HostMxcsr::begin(cpu.mxcsr);
  kOperation(destination, source);
  std::uint32_t raised = HostMxcsr::end();
  if constexpr (kResult != Result::Whatever) {
    if ((cpu.mxcsr & kMxcsrUm) == 0 && has_denormal(destination, kResult)) raised |= kMxcsrUe;
  }
  if (!accept_exceptions(cpu, raised)) return Flow::Fault;
  cpu.xmm[op.reg].set_integer(destination);
  return Flow::Next;
}

}  // namespace vmm::cpu::soft
