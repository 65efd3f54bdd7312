// RFLAGS as IRET, POPF, SYSRET and task switches load it: with everything that hangs on it.
#pragma once

#include <cstdint>

#include "vmm/cpu/soft/cpu.h"

namespace vmm::cpu::soft {

constexpr std::uint32_t kFlagsThatExist =
    kArithmeticFlags | kTf | kIf | kDf | kIopl | kNt | kRf | kVm | kAc | kVif | kVip | kId;

// Takes the bits of `mask` from `value`. The caller may change the VM flag only where it loads all segments too.
inline void load_flags(Cpu& cpu, std::uint32_t value, std::uint32_t mask) {
  const std::uint32_t changed = cpu.other_flags;
  cpu.set_rflags((cpu.rflags() & ~mask) | (value & mask & kFlagsThatExist));
  const std::uint32_t difference = changed ^ cpu.other_flags;
  if ((difference & kAc) != 0) cpu.mmu.privilege_changed();
  if ((difference & (kTf | kVm)) != 0) cpu.derive_mode();
  if ((difference & kIf) != 0) cpu.interrupts_may_pass();
}

// What IRET and POPF may change at the present privilege. [SDM 2A IRET, 2B POPF]
inline std::uint32_t changeable_flags(const Cpu& cpu, unsigned width) {
  std::uint32_t mask = kArithmeticFlags | kTf | kDf | kNt | kAc | kId;
  if (cpu.cpl <= cpu.iopl()) mask |= kIf;
  if (cpu.cpl == 0) mask |= kIopl;
  return width == 2 ? mask & 0xffff : mask;
}

}  // namespace vmm::cpu::soft
