// CPUID's answers.
#pragma once

#include <cstdint>

#include "vmm/cpu/soft/cpu.h"

namespace vmm::cpu::soft {

CpuidEntry cpuid_leaf(const Cpu& cpu, std::uint32_t function, std::uint32_t index);

}  // namespace vmm::cpu::soft
