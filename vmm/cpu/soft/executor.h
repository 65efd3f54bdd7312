// The loop that runs blocks. Knows instructions only by Flow; interrupts are looked at between blocks.
#pragma once

#include "vmm/cpu/soft/block_cache.h"
#include "vmm/cpu/soft/cpu.h"

namespace vmm::cpu::soft {

enum class Stop : std::uint8_t {
  Attention,  // cpu.attention is set
  Budget,     // as many instructions as asked for are over, exactly (as Cpu::retired counts them)
  Yield,      // the CPU waits for another one in a loop
  Halted,     // activity is no longer Running
  Shutdown,   // triple fault
};

// Runs at most `budget` instructions; delivers exceptions and due single steps, but takes no interrupts. At return the
// CPU is at an instruction boundary.
Stop execute(Cpu& cpu, BlockCache& blocks, std::uint64_t budget);

}  // namespace vmm::cpu::soft
