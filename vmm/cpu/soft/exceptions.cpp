// Exceptions and interrupts: the order of escalation, and delivery in real mode. Gates are in event_delivery.cpp.
#include "vmm/cpu/soft/exceptions.h"

#include "vmm/cpu/soft/descriptors.h"
#include "vmm/cpu/soft/event_delivery.h"
#include "vmm/cpu/soft/segments.h"
#include "vmm/cpu/soft/stack_frame.h"
#include "vmm/cpu/soft/system_flags.h"

namespace vmm::cpu::soft {

namespace {

constexpr std::uint64_t kDr7GeneralDetect = 1u << 13;
constexpr std::uint64_t kDr6Trap = 0xe00f;  // B0-B3, BD, BS, BT

// [SDM 3A tables 6-4 and 6-5]
enum class Severity : std::uint8_t { Benign, Contributory, PageFault, DoubleFault };

Severity severity_of(Vector vector) {
  switch (vector) {
    case Vector::DivideError:
    case Vector::InvalidTss:
    case Vector::SegmentNotPresent:
    case Vector::StackFault:
    case Vector::GeneralProtection: return Severity::Contributory;
    case Vector::PageFault: return Severity::PageFault;
    case Vector::DoubleFault: return Severity::DoubleFault;
    default: return Severity::Benign;
  }
}

enum class Outcome : std::uint8_t { Serially, DoubleFault, Shutdown };

Outcome combine(Severity first, Severity second) {
  if (first == Severity::Benign || second == Severity::Benign) return Outcome::Serially;
  if (first == Severity::DoubleFault) return Outcome::Shutdown;
  if (first == Severity::PageFault) return Outcome::DoubleFault;
  return second == Severity::Contributory ? Outcome::DoubleFault : Outcome::Serially;
}

bool has_error_code(Vector vector) {
  constexpr std::uint32_t kVectors = 1u << 8 | 1u << 10 | 1u << 11 | 1u << 12 | 1u << 13 | 1u << 14 | 1u << 17;
  return (kVectors >> static_cast<unsigned>(vector) & 1) != 0;
}

// What an exception tells in registers, before its handler is entered.
void note_fault(Cpu& cpu) {
  if (cpu.fault.vector == Vector::PageFault) cpu.cr2 = cpu.fault.address;
  if (cpu.fault.vector == Vector::Debug) {
    cpu.dr6 |= cpu.fault.address & kDr6Trap;
    cpu.dr7 &= ~kDr7GeneralDetect;
  }
}

// Delivers cpu.fault, which came up while an event of severity `first` was being delivered.
bool escalate(Cpu& cpu, Severity first) {
  // Each round is more severe than the one before, but for benign ones, which delivery itself does not raise.
  for (unsigned round = 0; round < 8; ++round) {
    const Severity second = severity_of(cpu.fault.vector);
    note_fault(cpu);
    const Outcome outcome = combine(first, second);
    if (outcome == Outcome::Shutdown) return false;
    if (outcome == Outcome::DoubleFault) cpu.raise(Vector::DoubleFault, 0);
    const Fault fault = cpu.fault;
    const Event event{EventKind::Exception, static_cast<std::uint8_t>(fault.vector), has_error_code(fault.vector),
                      fault.error_code};
    if (inject(cpu, event, cpu.rip)) {
      cpu.rip = cpu.next_rip();
      return true;
    }
    first = severity_of(fault.vector);
  }
  return false;
}

}  // namespace

bool deliver_fault(Cpu& cpu) {
  cpu.debug_hits = 0;
  return escalate(cpu, Severity::Benign);
}

bool deliver_event(Cpu& cpu, const Event& event, std::uint64_t return_rip) {
  if (event.kind == EventKind::Nmi) cpu.nmi_masked = true;
  if (inject(cpu, event, return_rip)) {
    cpu.rip = cpu.next_rip();
    return true;
  }
  const bool exception = event.kind == EventKind::Exception;
  return escalate(cpu, exception ? severity_of(static_cast<Vector>(event.vector)) : Severity::Benign);
}

bool inject(Cpu& cpu, const Event& event, std::uint64_t return_rip) {
  Delivery delivery{event, return_rip, cpu.rflags(), 1};
  if (event.kind == EventKind::Software || event.kind == EventKind::Int3 || event.kind == EventKind::Into)
    delivery.external = 0;
  // [SDM 3B 17.3.1.1] faults are pushed with RF, so that an instruction breakpoint on them is not met twice.
  const auto vector = static_cast<Vector>(event.vector);
  if (event.kind == EventKind::Exception && vector != Vector::Debug && vector != Vector::DoubleFault)
    delivery.flags |= kRf;
  const bool injected = !cpu.protected_mode() ? inject_real(cpu, delivery)
                        : cpu.long_mode()     ? inject_long(cpu, delivery)
                                              : inject_protected(cpu, delivery);
  if (!injected) return false;
  cpu.shadow = 0;
  cpu.derive_mode();
  if (cpu.activity == Activity::Halted) cpu.activity = Activity::Running;
  return true;
}

// [SDM 3B 20.1.4]
bool inject_real(Cpu& cpu, const Delivery& delivery) {
  const unsigned vector = delivery.event.vector;
  if (vector * 4 + 3 > cpu.idt.limit) return refuse(cpu, Vector::GeneralProtection, vector * 8 + 2 + delivery.external);
  std::uint32_t entry = 0;
  if (!cpu.mmu.read_system(cpu.idt.base + vector * 4, entry)) return false;
  Stack stack = Stack::present(cpu);
  StackFrame frame(2);
  frame.push(delivery.flags);
  frame.push(cpu.segments[kCs].selector);
  frame.push(delivery.return_rip);
  if (!frame.write(cpu, stack)) return false;
  set_stack_pointer(cpu, stack.pointer);
  load_flags(cpu, 0, kIf | kTf | kAc | kRf);
  set_real_segment(cpu, kCs, static_cast<std::uint16_t>(entry >> 16));
  cpu.set_next_rip(entry & 0xffff);
  return true;
}

}  // namespace vmm::cpu::soft
