// Writes of control and debug registers, with everything that hangs on them. [SDM 3A 2.5]
#pragma once

#include <cstdint>

#include "vmm/cpu/soft/cpu.h"

namespace vmm::cpu::soft {

// False: #GP(0), and nothing has changed. Privilege is the caller's business.
bool write_cr0(Cpu& cpu, std::uint64_t value);
bool write_cr3(Cpu& cpu, std::uint64_t value);
bool write_cr4(Cpu& cpu, std::uint64_t value);
void write_dr6(Cpu& cpu, std::uint64_t value);
void write_dr7(Cpu& cpu, std::uint64_t value);
bool write_xcr0(Cpu& cpu, std::uint64_t value);
// The bits of XCR0 that the model has.
std::uint64_t supported_xcr0(const Cpu& cpu);

}  // namespace vmm::cpu::soft
