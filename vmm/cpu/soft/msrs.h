// The model specific registers that guests meet: SeaBIOS, Windows XP to 10, Linux 2.6 to 6. [SDM 4]
//
// All others do not exist: #GP, which is what guests that probe expect.
#pragma once

#include <cstdint>
#include <span>

#include "vmm/cpu/soft/cpu.h"

namespace vmm::cpu::soft {

// False: #GP(0).
bool read_msr(Cpu& cpu, std::uint32_t index, std::uint64_t& value);
bool write_msr(Cpu& cpu, std::uint32_t index, std::uint64_t value);

// For saved states: what belongs to one, but for what has fields of its own there (EFER, the local APIC); in the order
// in which it is to be loaded. load_msr() checks as write_msr() does, but sets a register and nothing that hangs on it.
std::span<const std::uint32_t> saved_msrs();
bool load_msr(Cpu& cpu, std::uint32_t index, std::uint64_t value);

// What RDTSC tells.
std::uint64_t time_stamp(const Cpu& cpu);

}  // namespace vmm::cpu::soft
