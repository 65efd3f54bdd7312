// Far jumps, calls and returns, through all kinds of descriptors. [SDM 3A 5.8]
//
// All answer false after a fault and then have changed nothing, but for task switches (task_switch.h). `width`: bytes
// of the operand size.
#pragma once

#include <cstdint>

#include "vmm/cpu/soft/cpu.h"
#include "vmm/cpu/soft/descriptors.h"

namespace vmm::cpu::soft {

bool far_jump(Cpu& cpu, std::uint16_t selector, std::uint64_t offset, unsigned width);
bool far_call(Cpu& cpu, std::uint16_t selector, std::uint64_t offset, unsigned width);
bool far_return(Cpu& cpu, unsigned width, std::uint16_t release);
bool interrupt_return(Cpu& cpu, unsigned width);

// What returns within protected mode have in common.
struct ReturnTarget {
  std::uint64_t rip = 0;
  std::uint16_t selector = 0;
  Descriptor code;
  bool has_stack = false;
  SegmentRegister stack_segment;
  std::uint64_t stack_pointer = 0;
  std::uint8_t cpl() const { return rpl_of(selector); }
};
// The code segment and RIP of a return; then, if there is one, the stack segment.
bool check_return_code(Cpu& cpu, ReturnTarget& target);
bool check_return_stack(Cpu& cpu, ReturnTarget& target, std::uint16_t selector);
// Goes there. Data segments that the outer ring may not use become null.
void commit_return(Cpu& cpu, const ReturnTarget& target);

// RIP within the limit of a code segment, or canonical; #GP(0) otherwise.
bool check_rip(Cpu& cpu, const Descriptor& code, std::uint64_t rip);

}  // namespace vmm::cpu::soft
