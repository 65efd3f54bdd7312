// Parts of the move family in files of their own.
#pragma once

#include "vmm/cpu/soft/decoder.h"

namespace vmm::cpu::soft {

StepChoice select_conditional_move(const Instruction& instruction, Op& op);  // CMOVcc
StepChoice select_conditional_set(const Instruction& instruction, Op& op);   // SETcc
// CBW ... CQO, LAHF, SAHF, NOPs and hints, CLFLUSH, fences, UD0-2, RDRAND, RDSEED; or nullptr.
Handler select_miscellaneous(const Instruction& instruction, Op& op);

}  // namespace vmm::cpu::soft
