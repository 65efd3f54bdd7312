// A decoded instruction: a function and its operands, 48 bytes.
//
// Register operands are byte offsets into Cpu::general, so that AL, AH, AX, EAX and RAX are the same access with
// another type. The decoder (decoder.h) picks the function by mnemonic, operand kinds, sizes and CPU mode, so that a
// function asks nothing at run time that was known at decode time.
#pragma once

#include <cstdint>

namespace vmm::cpu::soft {

struct Cpu;
struct Op;

// What the executor does after an instruction.
enum class Flow : std::uint8_t {
  Next,   // go on with the block's next op; RIP is its address
  Leave,  // the instruction is done, Cpu::next_rip() says where to go on: branches, and whatever may have changed what
          // the block was decoded for (mode, mapping, code)
  Yield,  // as Leave, and the CPU only waits for another one: PAUSE
  Restart,  // nothing was done (yet): come back to the same instruction (repeated strings between interrupts; an op of
            // a block that has just been overwritten)
  Again,    // a part of a long repeated string is done: come back to the same instruction, after others had a turn
  Fault,    // nothing was done: Cpu::fault says why
};

// What executes an instruction: a handler, on a CPU that is settled at it (Cpu::settle()), or a step, which goes on
// with the block's next op by itself. `last` is what the step before has put into a register; those that were chosen
// for it need not wait until it can be read from there.
using Handler = Flow (*)(Cpu& cpu, const Op& op);
using Step = Flow (*)(Cpu& cpu, const Op& op, std::uint64_t last);

enum OpFlag : std::uint8_t {
  kFlat = 1,        // the address needs no segment: 64-bit mode without FS or GS
  kAddress32 = 2,   // the effective address wraps at 4 GiB
  kAddress16 = 4,   // ... at 64 KiB
  kRepeat = 8,      // REP, REPE
  kRepeatNot = 16,  // REPNE
  kLocked = 32,     // LOCK, or XCHG with memory
  kHasMemory = 64,  // the memory operand's fields are meant
  kFlat32 = 128,    // the segment changes nothing below 4 GiB, where accesses must end: Mode::kFlat32, DS, ES or SS
};

constexpr std::uint8_t kAddressing = kFlat | kFlat32 | kAddress32 | kAddress16;

constexpr std::uint8_t kNoRegister = 0xff;

struct Op {
  Step run = nullptr;
  Handler handler = nullptr;  // of an instruction that has no step: `run` calls it
  std::uint64_t immediate =
      0;  // sign-extended to the operand size; a near branch's displacement; a far pointer's offset
  std::int64_t displacement = 0;
  // Memory operand: general[base] + (general[index] << scale) + displacement, relative to `segment`. Byte offsets as
  // all registers; no base or index: Cpu::kZero; RIP-relative: Cpu::kRip, with a
  // displacement from where the block starts.
  std::uint8_t base = 0, index = 0, scale = 0, segment = 0;
  std::uint8_t reg = 0;           // the operand that ModRM.reg or the opcode names, or the destination of two registers
  std::uint8_t rm = 0;            // the operand that ModRM.rm names, if a register; the source of two registers
  std::uint8_t length = 0;        // bytes of the instruction; 0: those that are there make none
  std::uint8_t flags = 0;         // OpFlag
  std::uint32_t extra = 0;        // of the function: a second immediate, a far pointer's selector, a third register
  std::uint32_t opcode : 24 = 0;  // map << 16 | opcode << 8 | ModRM, for x87's FOP and for reports
  std::uint32_t after : 8 = 0;    // where the next instruction is, from the start of the block
};

}  // namespace vmm::cpu::soft
