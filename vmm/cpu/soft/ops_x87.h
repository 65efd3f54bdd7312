// What the x87's instruction files share: when an instruction may run, what it leaves behind, and the register stack's
// faults. [SDM 1 8.1, 8.5]
//
// Op::extra holds the eleven bits of the last-opcode register, the low three of which name ST(i) in register forms.
#pragma once

#include "vmm/cpu/soft/decoder.h"
#include "vmm/cpu/soft/operands.h"
#include "vmm/cpu/soft/x87_host.h"

namespace vmm::cpu::soft {

inline unsigned stack_index(const Op& op) {
  return op.extra & 7;
}

// #NM. Instructions that do not wait need no more.
inline bool x87_available(Cpu& cpu) {
  if ((cpu.cr0 & (kCr0Em | kCr0Ts)) == 0) [[likely]]
    return true;
  cpu.raise(Vector::DeviceNotAvailable);
  return false;
}
// #NM, or a pending exception's #MF.
inline bool begin_x87(Cpu& cpu) {
  if (!x87_available(cpu)) return false;
  if (pending_exceptions(cpu.x87) == 0) [[likely]]
    return true;
  return report_pending(cpu);
}

// The pointers of an instruction that has done its memory access. [SDM 1 8.1.8]
inline void note_instruction(Cpu& cpu, std::uint32_t opcode) {
  cpu.x87.last_opcode = static_cast<std::uint16_t>(opcode);
  cpu.x87.last_cs = cpu.segments[kCs].selector;
  cpu.x87.last_ip = cpu.next_rip() - cpu.current->length;
}
struct DataPointer {
  std::uint32_t opcode;
  std::uint8_t segment;
  std::uint64_t offset;
  std::uint64_t linear = 0;

  DataPointer(const Cpu& cpu, const Op& op)
      : opcode(op.extra), segment(op.segment), offset(effective_address(cpu, op)) {}
  void note(Cpu& cpu) const {
    note_instruction(cpu, opcode);
    cpu.x87.last_ds = cpu.segments[segment].selector;
    cpu.x87.last_dp = offset;
  }
};
// The memory operand, and the pointers if that succeeds.
template <class T>
bool load_x87(Cpu& cpu, const Op& op, T& value) {
  DataPointer pointer(cpu, op);
  if (!linear_address(cpu, op, pointer.offset, sizeof(T), Access::Read, pointer.linear) ||
      !cpu.mmu.read(pointer.linear, value)) {
    return false;
  }
  pointer.note(cpu);
  return true;
}
// A store may void the op: nothing may be read from it afterwards.
template <class T>
bool store_x87(Cpu& cpu, const Op& op, const T& value) {
  DataPointer pointer(cpu, op);
  if (!linear_address(cpu, op, pointer.offset, sizeof(T), Access::Write, pointer.linear) ||
      !cpu.mmu.write(pointer.linear, value)) {
    return false;
  }
  pointer.note(cpu);
  return true;
}

constexpr X87::Register kIndefinite{std::uint64_t{3} << 62, 0xffff};

inline void pop(X87& fpu) {
  fpu.occupied &= static_cast<std::uint8_t>(~(1u << fpu.top));
  fpu.top = (fpu.top + 1) & 7;
}
inline void push(X87& fpu, const X87::Register& value) {
  fpu.top = (fpu.top - 1) & 7;
  fpu.occupied |= static_cast<std::uint8_t>(1u << fpu.top);
  fpu.registers[fpu.top] = value;
}
inline void fill(X87& fpu, unsigned index, const X87::Register& value) {
  st(fpu, index) = value;
  fpu.occupied |= static_cast<std::uint8_t>(1u << ((fpu.top + index) & 7));
}
// Stack faults: true if masked, so that the instruction answers with the indefinite. [SDM 1 8.5.1.1]
inline bool underflow(X87& fpu) {
  fpu.status = static_cast<std::uint16_t>((fpu.status & ~kFpuC1) | kFpuIe | kFpuSf);
  return (fpu.control & kFpuIe) != 0;
}
inline bool overflow(X87& fpu) {
  fpu.status |= kFpuC1 | kFpuIe | kFpuSf;
  return (fpu.control & kFpuIe) != 0;
}

constexpr std::uint16_t kFpuBefore = kFpuIe | kFpuDe | kFpuZe;  // found before there is a result
// Takes over the host's status: exceptions, and of the condition codes those that the instruction defines. False if an
// unmasked exception of `forbidding` keeps the result from being written; there is no result to be inexact then.
inline bool settle(X87& fpu, std::uint16_t status, std::uint16_t conditions = kFpuC1,
                   std::uint16_t forbidding = kFpuBefore) {
  const auto unmasked = static_cast<std::uint16_t>(status & ~fpu.control & kFpuExceptions);
  if ((unmasked & kFpuBefore) != 0) [[unlikely]]
    status &= static_cast<std::uint16_t>(~(kFpuOe | kFpuUe | kFpuPe | kFpuC1));
  fpu.status = static_cast<std::uint16_t>((fpu.status & ~conditions) | (status & (kFpuExceptions | conditions)));
  return (unmasked & forbidding) == 0;
}

// One table each, by the opcode's low three bits (D8-DF) and ModRM; nullptr: not theirs.
Handler x87_arithmetic_form(unsigned opcode, unsigned modrm);
Handler x87_transfer_form(unsigned opcode, unsigned modrm);
Handler x87_function_form(unsigned opcode, unsigned modrm);
Handler x87_control_form(unsigned opcode, unsigned modrm, bool wide, bool unprotected);

}  // namespace vmm::cpu::soft
