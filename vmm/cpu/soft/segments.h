// Segment registers and descriptors. [SDM 3A 3.4, 5]
#pragma once

#include "vmm/cpu/soft/cpu.h"

namespace vmm::cpu::soft {

// MOV/POP to DS, ES, FS, GS or SS: all checks, accessed bit, real mode too. False: cpu.fault.
bool load_segment(Cpu& cpu, SegmentIndex index, std::uint16_t selector);
// How an instruction that has loaded DS, ES, FS or GS ends in a block of `mode`: the next ones may have been decoded
// for other segments.
inline Flow after_load(const Cpu& cpu, std::uint8_t mode) {
  return cpu.mode == mode ? Flow::Next : Flow::Leave;
}
// As real mode and virtual-8086 mode have it.
void set_real_segment(Cpu& cpu, SegmentIndex index, std::uint16_t selector);
// A flat one, as SYSCALL and the like load it.
void set_flat_segment(Cpu& cpu, SegmentIndex index, std::uint16_t selector, std::uint32_t attributes);
void set_cpl(Cpu& cpu, std::uint8_t cpl);

}  // namespace vmm::cpu::soft
