// PCMPESTRI, PCMPESTRM, PCMPISTRI, PCMPISTRM. [SDM 2 4.1]
#pragma once

#include "vmm/cpu/soft/decoder.h"

namespace vmm::cpu::soft {

Handler string_compare_form(const Instruction& instruction);

}  // namespace vmm::cpu::soft
