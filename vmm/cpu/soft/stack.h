// Single values on the stack in use, for PUSH, POP, CALL and RET: whole or not at all. Frames of control transfers are
// in stack_frame.h. [SDM 1 6.2]
#pragma once

#include <type_traits>

#include "vmm/cpu/soft/operands.h"
#include "vmm/cpu/soft/stack_frame.h"

namespace vmm::cpu::soft {

constexpr std::uint8_t kRsp = 4 * 8;

// The linear address of T at `offset` from the stack pointer, which wraps as the stack's size has it.
template <class T>
bool stack_slot(Cpu& cpu, std::uint64_t offset, Access access, std::uint64_t& linear) {
  if (cpu.code64()) [[likely]] {
    linear = cpu.reg<std::uint64_t>(kRsp) + offset;
    return true;
  }
  std::uint64_t pointer = cpu.reg<std::uint64_t>(kRsp) + offset;
  pointer &= (cpu.mode & Mode::kStack32) != 0 ? 0xffffffff : 0xffff;
  if ((cpu.mode & Mode::kFlat32) != 0 && pointer + sizeof(T) - 1 <= 0xffffffff) [[likely]] {
    linear = pointer;
    return true;
  }
  return segment_address(cpu, kSs, pointer, sizeof(T), access, linear);
}

// An address that is not canonical is #SS here. Always false.
[[gnu::cold]] inline bool stack_fault(Cpu& cpu) {
  if (cpu.fault.vector == Vector::GeneralProtection && cpu.fault.address != 0) cpu.raise(Vector::StackFault, 0);
  return false;
}

inline void move_stack(Cpu& cpu, std::uint64_t by) {
  if (cpu.code64()) [[likely]] {
    cpu.set_reg(kRsp, cpu.reg<std::uint64_t>(kRsp) + by);
  } else {
    set_stack_pointer(cpu, cpu.reg<std::uint64_t>(kRsp) + by);
  }
}

template <Quick kQuick>
using StackPointer = std::conditional_t<kQuick == Quick::Narrow, std::uint32_t, std::uint64_t>;

// As Mmu::quick_write() and quick_read(): false means that push() or peek() will do.
template <Quick kQuick, class T>
bool push_quick(Cpu& cpu, std::uint64_t rsp, T value) {
  if constexpr (kQuick == Quick::No) return false;
  const auto pointer = static_cast<StackPointer<kQuick>>(rsp - sizeof(T));
  std::uint8_t* host = cpu.mmu.quick_write<T>(pointer);
  if (host == nullptr) [[unlikely]]
    return false;
  store_ram(host, value);
  cpu.set_reg(kRsp, pointer);
  return true;
}
template <Quick kQuick, class T>
bool peek_quick(const Cpu& cpu, std::uint64_t rsp, T& value) {
  if constexpr (kQuick == Quick::No) return false;
  const std::uint8_t* host = cpu.mmu.quick_read<T>(static_cast<StackPointer<kQuick>>(rsp));
  if (host == nullptr) [[unlikely]]
    return false;
  value = load_ram<T>(host);
  return true;
}

template <class T>
bool push(Cpu& cpu, T value) {
  std::uint64_t linear = 0;
  if (!stack_slot<T>(cpu, std::uint64_t{0} - sizeof(T), Access::Write, linear)) return false;
  if (!cpu.mmu.write(linear, value)) [[unlikely]]
    return stack_fault(cpu);
  move_stack(cpu, std::uint64_t{0} - sizeof(T));
  return true;
}
// The value on top, `offset` bytes up; the pointer stays until release().
template <class T>
bool peek(Cpu& cpu, T& value, std::uint64_t offset = 0) {
  std::uint64_t linear = 0;
  if (!stack_slot<T>(cpu, offset, Access::Read, linear)) return false;
  return cpu.mmu.read(linear, value) || stack_fault(cpu);
}
inline void release(Cpu& cpu, std::uint64_t bytes) {
  move_stack(cpu, bytes);
}

}  // namespace vmm::cpu::soft
