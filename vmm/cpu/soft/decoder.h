// Bytes to ops, on the Zydis library. Each family of instructions (ops_*.cpp) says which function executes a given
// instruction; what nobody knows, or what the CPU model lacks, is an op that raises #UD.
#pragma once

#include <Zydis/Zydis.h>
#include <cstdint>
#include <span>

#include "vmm/cpu/soft/flags.h"
#include "vmm/cpu/soft/op.h"

namespace vmm::cpu::soft {

// An instruction as the families see it.
struct Instruction {
  const ZydisDecodedInstruction& decoded;
  std::span<const ZydisDecodedOperand> operands;  // the visible ones
  std::uint8_t mode;                              // Mode
  std::uint8_t last = kNoRegister;  // the general register, as a byte offset, whose value a step gets as `last`
  bool is_quiet = false;  // nobody will ask for its arithmetic flags: a step that leaves them alone does as well
  bool operand_is_memory(unsigned n) const {
    return n < operands.size() && operands[n].type == ZYDIS_OPERAND_TYPE_MEMORY;
  }
  unsigned bits(unsigned n) const { return n < operands.size() ? operands[n].size : 0; }
};

// nullptr: not of this family. May fill what it needs of `op` (extra, reg, rm, immediate) beyond what the decoder has
// filled by rule: memory operand, immediate, length, flags; `reg` and `rm` as op.h says.
using Family = Handler (*)(const Instruction& instruction, Op& op);

// A step for the instruction, and the register whose new value it gives on.
struct StepChoice {
  Step run = nullptr;
  std::uint8_t gives = kNoRegister;
};
using StepFamily = StepChoice (*)(const Instruction& instruction, Op& op);

StepChoice move_steps(const Instruction& instruction, Op& op);
StepChoice arithmetic_steps(const Instruction& instruction, Op& op);
StepChoice shift_steps(const Instruction& instruction, Op& op);
StepChoice branch_steps(const Instruction& instruction, Op& op);
StepChoice stack_steps(const Instruction& instruction, Op& op);

Handler move_family(const Instruction& instruction, Op& op);
Handler arithmetic_family(const Instruction& instruction, Op& op);
Handler shift_family(const Instruction& instruction, Op& op);
Handler multiply_family(const Instruction& instruction, Op& op);
Handler bit_family(const Instruction& instruction, Op& op);
Handler branch_family(const Instruction& instruction, Op& op);
Handler stack_family(const Instruction& instruction, Op& op);
Handler string_family(const Instruction& instruction, Op& op);
Handler io_family(const Instruction& instruction, Op& op);       // IN, OUT, INS, OUTS
Handler far_family(const Instruction& instruction, Op& op);      // far CALL/JMP/RET, INT, IRET, SYSCALL, SYSENTER
Handler segment_family(const Instruction& instruction, Op& op);  // MOV Sreg, LDS.., LAR, LSL, VERR, LLDT, SGDT ...
Handler control_family(const Instruction& instruction, Op& op);  // MOV CRn/DRn, LMSW, CLTS, MSRs, HLT, INVLPG, CPUID
Handler x87_family(const Instruction& instruction, Op& op);
Handler mmx_family(const Instruction& instruction, Op& op);
Handler sse_family(const Instruction& instruction, Op& op);   // SSE to SSE4.2, AES, PCLMUL
Handler avx_family(const Instruction& instruction, Op& op);   // AVX, AVX2, FMA, F16C
Handler save_family(const Instruction& instruction, Op& op);  // FXSAVE, XSAVE, LDMXCSR ...

// Of an operand in that segment: OpFlag's kAddressing.
std::uint8_t address_flags(const Instruction& instruction, std::uint8_t segment);

// Whether the CPU's model has an instruction set extension.
class CpuFeatures;
bool has_extension(const CpuFeatures& features, const ZydisDecodedInstruction& decoded);

// What a block's maker wants to know of an instruction beside its op.
struct DecodeNotes {
  bool ends_block = false;
  // Of the arithmetic flags: those that may be asked for by it, or by others if it faults or leaves, and those that it
  // always gives a new value.
  std::uint32_t reads = kArithmeticFlags, writes = 0;
  Step quiet = nullptr;              // does the same but for the flags; nullptr: there is none
  std::uint8_t gives = kNoRegister;  // see Instruction::last
};

// Decodes the instruction at the start of `bytes` (at most 15). False: too few bytes for a whole one. `last`: what the
// instruction before it gives.
bool decode(std::span<const std::uint8_t> bytes, std::uint8_t mode, const CpuFeatures& features, Op& op,
            DecodeNotes& notes, std::uint8_t last = kNoRegister);

}  // namespace vmm::cpu::soft
