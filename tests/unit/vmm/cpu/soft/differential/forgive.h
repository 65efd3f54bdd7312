// What the host's processor and the software CPU may differ in, for campaigns with SSE's registers.
#pragma once

#include "tests/unit/vmm/cpu/soft/differential/case.h"
#include "vmm/cpu/soft/cpu.h"

namespace vmm::cpu::soft::differential {

// Which of two faults an operand has that is not aligned and beyond the stack segment is each processor's own affair.
inline void forgive_which_fault(const Case&, Outcome& native, Outcome& soft) {
  if (native.vector == static_cast<std::uint8_t>(Vector::GeneralProtection) &&
      soft.vector == static_cast<std::uint8_t>(Vector::StackFault))
    soft.vector = native.vector;
}
// Whether a result is inexact, if it overflows or underflows and that is an unmasked exception, depends on what it
// would be with a greater exponent: the software CPU does not find that out. Nobody sees such a result.
inline void forgive_unmasked_precision(const Case& one, Outcome& native, Outcome& soft) {
  forgive_which_fault(one, native, soft);
  constexpr std::uint32_t kOverflow = 1u << 3, kUnderflow = 1u << 4, kPrecision = 1u << 5;
  const auto mxcsr = native.after.fx_field<std::uint32_t>(kFxMxcsr);
  if ((mxcsr & ~(mxcsr >> 7) & (kOverflow | kUnderflow)) == 0) return;
  for (Outcome* outcome : {&native, &soft})
    outcome->after.set_fx_field(kFxMxcsr, outcome->after.fx_field<std::uint32_t>(kFxMxcsr) | kPrecision);
}

}  // namespace vmm::cpu::soft::differential
