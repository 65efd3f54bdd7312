// The host's own AVX, AVX2, FMA and F16C instructions, for those of the guest: each encoding once, with fixed registers
// in place of the guest's. A host must have an instruction before it is executed here; CpuFeatures sees to that.
//
// ModRM.reg names YMM0 or RAX, VEX.vvvv YMM1, ModRM.rm YMM2 or RDX, and an immediate's upper half YMM3.
#pragma once

#include <Zydis/Zydis.h>
#include <array>
#include <cstdint>

#include "vmm/cpu/soft/xmm.h"

namespace vmm::cpu::soft {

struct Ymm {
  Xmm low, high;
};
static_assert(sizeof(Ymm) == 32);

struct HostRegisters {
  std::array<Ymm, 4> ymm;
  std::uint64_t rax, rcx, rdx;
  std::uint64_t flags;  // RFLAGS, afterwards
};

// Opaque: an instruction and a return.
using HostInstruction = const std::uint8_t*;

struct VexEncoding {
  std::uint8_t map;     // VEX.mmmmm: 1 to 3
  std::uint8_t prefix;  // VEX.pp
  std::uint8_t opcode;
  std::uint8_t digit = 0;  // ModRM.reg where it is a part of the opcode
  bool w = false, l = false;
  bool has_vvvv = true;  // VEX.vvvv names a register
  bool has_immediate = false;
  std::uint8_t immediate = 0;
};
// nullptr: there is none.
HostInstruction host_instruction(const VexEncoding& encoding);

// All registers go in and come out, but `flags`, which only comes out, and YMM3, which only goes in.
void execute(HostInstruction instruction, HostRegisters& registers);
// The same without the general registers and the flags.
void execute_vectors(HostInstruction instruction, HostRegisters& registers);

}  // namespace vmm::cpu::soft
