// What control transfers push and pop, whole or not at all, on stacks of all kinds. [SDM 3A 6.12, 6.14, 5.8]
#pragma once

#include <array>
#include <cstdint>

#include "vmm/cpu/soft/cpu.h"

namespace vmm::cpu::soft {

// A stack: the one in use, or the one that a change of privilege leads to.
struct Stack {
  SegmentRegister segment;
  std::uint64_t pointer = 0;
  std::uint8_t cpl = 0;
  bool is_64 = false;
  std::uint32_t error_code = 0;  // of #SS, if it has no room

  static Stack present(const Cpu& cpu);
  std::uint64_t mask() const;  // of the pointer
};

std::uint64_t stack_pointer(const Cpu& cpu);
// Through the present SS: the bits above its size stay.
void set_stack_pointer(Cpu& cpu, std::uint64_t pointer);

// Collects values and writes them in one go. `width`: of each, 2, 4 or 8 bytes.
class StackFrame {
 public:
  explicit StackFrame(unsigned width) : width_(width) {}
  void push(std::uint64_t value) { values_[count_++] = value; }
  // False after a fault; else stack.pointer is below the frame.
  bool write(Cpu& cpu, Stack& stack) const;

 private:
  static constexpr unsigned kMost = 40;  // a call gate's: 31 parameters, SS, SP, CS, IP
  unsigned width_;
  unsigned count_ = 0;
  std::array<std::uint64_t, kMost> values_{};
};

// Reads upwards from the present stack pointer, which stays as it is. False after a fault.
class StackReader {
 public:
  StackReader(Cpu& cpu, unsigned width) : cpu_(cpu), stack_(Stack::present(cpu)), width_(width) {}
  bool pop(std::uint64_t& value);
  bool pop_selector(std::uint16_t& selector);
  void skip(std::uint64_t bytes) { stack_.pointer = (stack_.pointer + bytes) & stack_.mask(); }
  std::uint64_t pointer() const { return stack_.pointer; }

 private:
  Cpu& cpu_;
  Stack stack_;
  unsigned width_;
};

// The stack of ring `cpl` as the task state says, with all checks of its segment; faults are #TS and #SS. Not for
// 64-bit mode. [SDM 3A 5.8.5]
bool inner_stack(Cpu& cpu, std::uint8_t cpl, std::uint32_t external, Stack& stack);
// 64-bit mode's: RSPn, or ISTn where `ist` is not 0. [SDM 3A 7.7]
bool inner_stack_64(Cpu& cpu, std::uint8_t cpl, unsigned ist, std::uint32_t external, std::uint64_t& pointer);
// A null SS as 64-bit mode's inner rings have it.
SegmentRegister null_stack_segment(std::uint8_t cpl);

}  // namespace vmm::cpu::soft
