// What AVX instructions have in common: when they may run, the YMM registers, and which file has which of them. All
// that can be are executed by the host's own (host_vex.h); the others are those with memory operands only. [SDM 1 14]
//
// Op::reg is the register that ModRM.reg names, Op::rm that of ModRM.rm; AvxExtra has the rest.
#pragma once

#include <cstdint>

#include "vmm/cpu/soft/cpu.h"
#include "vmm/cpu/soft/decoder.h"
#include "vmm/cpu/soft/host_vex.h"
#include "vmm/cpu/soft/operands.h"
#include "vmm/cpu/soft/xsave_image.h"

namespace vmm::cpu::soft {

// #UD or #NM. Always false.
[[gnu::cold]] bool refuse_avx(Cpu& cpu);
// [SDM 1 14.3; SDM 2A table 2-18] CR4.OSFXSR and CR0.EM do not matter.
inline bool begin_avx(Cpu& cpu) {
  constexpr std::uint64_t kBoth = kXstateSse | kXstateAvx;
  if ((cpu.cr4 & kCr4Osxsave) != 0 && (cpu.xcr0 & kBoth) == kBoth && (cpu.cr0 & kCr0Ts) == 0) [[likely]]
    return true;
  return refuse_avx(cpu);
}

inline Ymm read_ymm(const Cpu& cpu, unsigned number) {
  return {cpu.xmm[number], cpu.ymm_high[number]};
}
inline void write_ymm(Cpu& cpu, unsigned number, const Ymm& value) {
  cpu.xmm[number] = value.low;
  cpu.ymm_high[number] = value.high;
}

// The address of `size` bytes; false after #GP(0), for instructions that need them aligned, and all other faults.
bool avx_address(Cpu& cpu, const Op& op, unsigned size, bool aligned, Access access, std::uint64_t& linear);

// Op::extra.
struct AvxExtra {
  std::uint8_t vvvv = 0;    // the register that VEX.vvvv names
  std::uint8_t is4 = 0;     // ... that the immediate names, or a memory operand's index of addresses
  std::uint8_t count = 0;   // elements, of instructions that take them one by one
  std::uint8_t result = 0;  // what may be denormal: of avx_operation.cpp

  static AvxExtra of(const Op& op) {
    return {static_cast<std::uint8_t>(op.extra), static_cast<std::uint8_t>(op.extra >> 8),
            static_cast<std::uint8_t>(op.extra >> 16), static_cast<std::uint8_t>(op.extra >> 24)};
  }
  std::uint32_t packed() const {
    return std::uint32_t{vvvv} | std::uint32_t{is4} << 8 | std::uint32_t{count} << 16 | std::uint32_t{result} << 24;
  }
};

// An instruction's VEX.L: bytes of its registers.
inline unsigned vector_bytes(const Instruction& instruction) {
  return instruction.decoded.raw.vex.L != 0 ? 32 : 16;
}

// Calls f with a type of that many bytes.
template <class F>
Handler for_bytes(unsigned bytes, F f) {
  switch (bytes) {
    case 1: return f.template operator()<std::uint8_t>();
    case 2: return f.template operator()<std::uint16_t>();
    case 4: return f.template operator()<std::uint32_t>();
    case 8: return f.template operator()<std::uint64_t>();
    case 16: return f.template operator()<Xmm>();
    case 32: return f.template operator()<Ymm>();
    default: return nullptr;
  }
}

// nullptr: not theirs. `extra` becomes Op::extra.
Handler avx_memory_form(const Instruction& instruction, Op& op, AvxExtra& extra);
Handler avx_operation_form(const Instruction& instruction, Op& op, AvxExtra& extra);

}  // namespace vmm::cpu::soft
