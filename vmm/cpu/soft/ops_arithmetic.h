// Parts of the arithmetic family in files of their own.
#pragma once

#include "vmm/cpu/soft/decoder.h"

namespace vmm::cpu::soft {

Handler select_compare_exchange(const Instruction& instruction, Op& op);    // CMPXCHG
Handler select_compare_exchange8(const Instruction& instruction, Op& op);   // CMPXCHG8B
Handler select_compare_exchange16(const Instruction& instruction, Op& op);  // CMPXCHG16B
Handler select_decimal(const Instruction& instruction, Op& op);             // AAA ... DAS, BOUND, SALC, or nullptr

}  // namespace vmm::cpu::soft
