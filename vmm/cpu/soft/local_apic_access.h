// How a CPU reaches its own local APIC: its page, its MSRs, CR8. All may be called for a CPU that has none.
#pragma once

#include <cstdint>

#include "vmm/cpu/soft/cpu.h"

namespace vmm::cpu::soft {

bool is_local_apic_page(const Cpu& cpu, std::uint64_t physical);
void read_local_apic_page(Cpu& cpu, std::uint64_t physical, std::uint8_t* bytes, unsigned size);
void write_local_apic_page(Cpu& cpu, std::uint64_t physical, const std::uint8_t* bytes, unsigned size);

bool is_local_apic_msr(std::uint32_t index);
// False: #GP(0).
bool read_local_apic_msr(Cpu& cpu, std::uint32_t index, std::uint64_t& value);
bool write_local_apic_msr(Cpu& cpu, std::uint32_t index, std::uint64_t value);

std::uint64_t read_cr8(const Cpu& cpu);
void write_cr8(Cpu& cpu, std::uint64_t value);  // 0..15

}  // namespace vmm::cpu::soft
