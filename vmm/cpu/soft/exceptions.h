// Delivery of exceptions and interrupts through IVT, IDT gates and task gates. [SDM 3A 6]
#pragma once

#include "vmm/cpu/soft/cpu.h"

namespace vmm::cpu::soft {

enum class EventKind : std::uint8_t { Exception, External, Nmi, Software, Int3, Into, Icebp };

struct Event {
  EventKind kind = EventKind::Exception;
  std::uint8_t vector = 0;
  bool has_error_code = false;
  std::uint32_t error_code = 0;
};

// Delivers cpu.fault: sets CR2 and DR6, escalates to double fault, and to shutdown, which is false.
// `return_rip`: what is pushed (for faults the instruction itself).
bool deliver_fault(Cpu& cpu);
bool deliver_event(Cpu& cpu, const Event& event, std::uint64_t return_rip);

}  // namespace vmm::cpu::soft
