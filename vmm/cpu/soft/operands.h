// Memory operands: effective address, segment checks, and the access. [SDM 3A 5.3, 5.4; SDM 1 3.7.5]
#pragma once

#include "vmm/cpu/soft/cpu.h"

namespace vmm::cpu::soft {

// How steps get at memory.
enum class Quick : std::uint8_t {
  No,      // through its segment
  Wide,    // what needs none: 64-bit mode
  Narrow,  // the same below 4 GiB: flat 32-bit code, and 32-bit addresses in 64-bit mode. What crosses 4 GiB crosses
           // pages, too, and so goes the slow way.
};

// At the instruction's address size.
inline std::uint64_t wrap_address(const Op& op, std::uint64_t address) {
  if ((op.flags & (kAddress32 | kAddress16)) != 0) {
    address = (op.flags & kAddress32) != 0 ? static_cast<std::uint32_t>(address) : static_cast<std::uint16_t>(address);
  }
  return address;
}
inline std::uint64_t effective_address(const Cpu& cpu, const Op& op) {
  return wrap_address(op, cpu.reg<std::uint64_t>(op.base) + (cpu.reg<std::uint64_t>(op.index) << op.scale) +
                              static_cast<std::uint64_t>(op.displacement));
}

// The linear address of `size` bytes at `offset` of a segment; false after #GP or #SS. (segments.cpp)
bool segment_address(Cpu& cpu, unsigned segment, std::uint64_t offset, unsigned size, Access access,
                     std::uint64_t& linear);

inline bool linear_address(Cpu& cpu, const Op& op, std::uint64_t offset, unsigned size, Access access,
                           std::uint64_t& linear) {
  linear = offset;
  if ((op.flags & kFlat) != 0) [[likely]]
    return true;  // the MMU refuses addresses that are not canonical
  const SegmentRegister& s = cpu.segments[op.segment];
  const std::uint64_t last = offset + size - 1;
  if (!cpu.code64() && offset >= s.first && last <= s.last && (access == Access::Write ? s.writable : s.readable)) {
    linear = static_cast<std::uint32_t>(s.base + offset);
    return true;
  }
  return segment_address(cpu, op.segment, offset, size, access, linear);
}

template <class T>
bool load(Cpu& cpu, const Op& op, T& value) {
  std::uint64_t linear = 0;
  return linear_address(cpu, op, effective_address(cpu, op), sizeof(T), Access::Read, linear) &&
         cpu.mmu.read(linear, value);
}
template <class T>
bool store(Cpu& cpu, const Op& op, T value) {
  std::uint64_t linear = 0;
  return linear_address(cpu, op, effective_address(cpu, op), sizeof(T), Access::Write, linear) &&
         cpu.mmu.write(linear, value);
}
// Read-modify-write: load_for_write() gives the linear address for the write that follows and cannot fault.
template <class T>
bool load_for_write(Cpu& cpu, const Op& op, T& value, std::uint64_t& linear) {
  return linear_address(cpu, op, effective_address(cpu, op), sizeof(T), Access::Write, linear) &&
         cpu.mmu.read_for_write(linear, value);
}

}  // namespace vmm::cpu::soft
