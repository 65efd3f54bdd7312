// Delivery through the gates of protected mode and 64-bit mode. [SDM 3A 6.11-6.14]
#include "vmm/cpu/soft/event_delivery.h"

#include "vmm/cpu/soft/descriptors.h"
#include "vmm/cpu/soft/segments.h"
#include "vmm/cpu/soft/stack_frame.h"
#include "vmm/cpu/soft/system_flags.h"
#include "vmm/cpu/soft/task_switch.h"

namespace vmm::cpu::soft {

namespace {

bool is_interrupt_gate(const Descriptor& gate) {
  return gate.system_type() == SystemType::InterruptGate16 || gate.system_type() == SystemType::InterruptGate32;
}

bool is_wide_gate(const Descriptor& gate) {
  return gate.system_type() == SystemType::InterruptGate32 || gate.system_type() == SystemType::TrapGate32;
}

bool is_gate(const Descriptor& gate, bool long_mode) {
  if (!gate.is_system()) return false;
  if (is_wide_gate(gate)) return true;
  return !long_mode && (gate.system_type() == SystemType::InterruptGate16 ||
                        gate.system_type() == SystemType::TrapGate16 || gate.system_type() == SystemType::TaskGate);
}

bool read_gate(Cpu& cpu, const Delivery& delivery, Descriptor& gate) {
  const std::uint32_t vector = delivery.event.vector;
  const std::uint32_t error = vector * 8 + 2 + delivery.external;
  const unsigned size = cpu.long_mode() ? 16 : 8;
  if (vector * size + size - 1 > cpu.idt.limit) return refuse(cpu, Vector::GeneralProtection, error);
  std::array<std::uint32_t, 4> words{};
  if (!cpu.mmu.read_system_bytes(cpu.idt.base + vector * size, words.data(), size)) return false;
  gate = {words[0], words[1], words[2]};
  if (!is_gate(gate, cpu.long_mode())) return refuse(cpu, Vector::GeneralProtection, error);
  if (delivery.is_software() && gate.dpl() < cpu.cpl) return refuse(cpu, Vector::GeneralProtection, error);
  if (!gate.is_present()) return refuse(cpu, Vector::SegmentNotPresent, error);
  return true;
}

// The handler's code segment and the ring it runs in.
bool read_target(Cpu& cpu, const Delivery& delivery, std::uint16_t selector, Descriptor& code, std::uint8_t& cpl) {
  if (is_null(selector)) return refuse(cpu, Vector::GeneralProtection, delivery.external);
  if (!read_descriptor(cpu, selector, code, Vector::GeneralProtection, delivery.external)) return false;
  const std::uint32_t error = selector_error(selector, delivery.external);
  if (!code.is_code() || code.dpl() > cpu.cpl) return refuse(cpu, Vector::GeneralProtection, error);
  if (cpu.long_mode() && (!code.is_long() || code.is_big())) return refuse(cpu, Vector::GeneralProtection, error);
  if (!code.is_present()) return refuse(cpu, Vector::SegmentNotPresent, error);
  cpl = code.is_conforming_code() ? cpu.cpl : static_cast<std::uint8_t>(code.dpl());
  // [SDM 3B 20.3.1.1] only ring 0 handles what happens in virtual-8086 mode.
  if (cpu.virtual_8086() && cpl != 0) return refuse(cpu, Vector::GeneralProtection, error);
  return true;
}

void fill_frame(const Cpu& cpu, const Delivery& delivery, bool with_stack, StackFrame& frame) {
  if (cpu.virtual_8086()) {
    for (const SegmentIndex index : {kGs, kFs, kDs, kEs})
      frame.push(cpu.segments[index].selector);
  }
  if (with_stack) {
    frame.push(cpu.segments[kSs].selector);
    frame.push(cpu.reg<std::uint64_t>(4 * 8));
  }
  frame.push(delivery.flags);
  frame.push(cpu.segments[kCs].selector);
  frame.push(delivery.return_rip);
  if (delivery.event.has_error_code) frame.push(delivery.event.error_code);
}

// Everything has been checked and pushed.
void enter_handler(Cpu& cpu, const Descriptor& gate, const Descriptor& code, std::uint8_t cpl, const Stack& stack,
                   bool new_stack) {
  if (cpu.virtual_8086()) {
    for (const SegmentIndex index : {kGs, kFs, kDs, kEs})
      fill_unusable(cpu.segments[index], 0);
  }
  const auto selector = static_cast<std::uint16_t>((gate.gate_selector() & 0xfffc) | cpl);
  if (new_stack) cpu.segments[kSs] = stack.segment;
  fill_segment(cpu.segments[kCs], selector, code);
  cpu.cpl = cpl;
  load_flags(cpu, 0, kTf | kNt | kRf | kVm | (is_interrupt_gate(gate) ? kIf : 0));
  set_cpl(cpu, cpl);
  cpu.derive_mode();
  set_stack_pointer(cpu, stack.pointer);
}

bool inject_task(Cpu& cpu, const Delivery& delivery, std::uint16_t selector) {
  TaskSwitch order{TaskCause::Event, selector, delivery.return_rip, delivery.flags, delivery.external, std::nullopt};
  if (delivery.event.has_error_code) order.error_code = delivery.event.error_code;
  return switch_task(cpu, order);
}

}  // namespace

bool inject_protected(Cpu& cpu, const Delivery& delivery) {
  Descriptor gate;
  if (!read_gate(cpu, delivery, gate)) return false;
  if (gate.system_type() == SystemType::TaskGate) return inject_task(cpu, delivery, gate.gate_selector());
  Descriptor code;
  std::uint8_t cpl = 0;
  if (!read_target(cpu, delivery, gate.gate_selector(), code, cpl)) return false;
  Stack stack = Stack::present(cpu);
  stack.error_code = delivery.external;
  const bool inner = cpl != cpu.cpl;
  if (inner && !inner_stack(cpu, cpl, delivery.external, stack)) return false;
  StackFrame frame(is_wide_gate(gate) ? 4 : 2);
  fill_frame(cpu, delivery, inner, frame);
  const std::uint64_t rip = is_wide_gate(gate) ? gate.gate_offset() : gate.gate_offset() & 0xffff;
  if (!mark_accessed(cpu, gate.gate_selector(), code) || !frame.write(cpu, stack)) return false;
  if (rip > code.limit()) return refuse(cpu, Vector::GeneralProtection, delivery.external);
  enter_handler(cpu, gate, code, cpl, stack, inner);
  cpu.set_next_rip(rip);
  return true;
}

// [SDM 3A 6.14]
bool inject_long(Cpu& cpu, const Delivery& delivery) {
  Descriptor gate;
  if (!read_gate(cpu, delivery, gate)) return false;
  Descriptor code;
  std::uint8_t cpl = 0;
  if (!read_target(cpu, delivery, gate.gate_selector(), code, cpl)) return false;
  const unsigned ist = gate.high & 7;
  Stack stack = Stack::present(cpu);
  stack.is_64 = true;
  stack.error_code = delivery.external;
  stack.pointer = cpu.reg<std::uint64_t>(4 * 8);
  const bool inner = cpl != cpu.cpl;
  if ((inner || ist != 0) && !inner_stack_64(cpu, cpl, ist, delivery.external, stack.pointer)) return false;
  stack.pointer &= ~std::uint64_t{15};
  stack.cpl = cpl;
  if (inner) stack.segment = null_stack_segment(cpl);
  StackFrame frame(8);
  fill_frame(cpu, delivery, true, frame);
  if (!mark_accessed(cpu, gate.gate_selector(), code) || !frame.write(cpu, stack)) return false;
  if (!cpu.mmu.is_canonical(gate.gate_offset())) return refuse(cpu, Vector::GeneralProtection, delivery.external);
  enter_handler(cpu, gate, code, cpl, stack, inner);
  cpu.set_next_rip(gate.gate_offset());
  return true;
}

// [SDM 3B 20.3.3, table 20-2]
bool interrupt_virtual_8086(Cpu& cpu, std::uint8_t vector, std::uint64_t return_rip) {
  const Event event{EventKind::Software, vector, false, 0};
  if ((cpu.cr4 & kCr4Vme) == 0) {
    if (cpu.iopl() < 3) return refuse(cpu, Vector::GeneralProtection, 0);
    return inject(cpu, event, return_rip);
  }
  // The redirection bitmap is the 32 bytes before the I/O permission bitmap.
  std::uint16_t io_map = 0;
  std::uint8_t redirection = 0;
  if (cpu.tr.limit < 103) return refuse(cpu, Vector::GeneralProtection, 0);
  if (!cpu.mmu.read_system(cpu.tr.base + 102, io_map)) return false;
  const std::uint32_t at = io_map - 32u + vector / 8u;
  if (io_map < 32 || at > cpu.tr.limit) return refuse(cpu, Vector::GeneralProtection, 0);
  if (!cpu.mmu.read_system(cpu.tr.base + at, redirection)) return false;
  if ((redirection >> (vector % 8) & 1) != 0) {
    if (cpu.iopl() < 3) return refuse(cpu, Vector::GeneralProtection, 0);
    return inject(cpu, event, return_rip);
  }
  std::uint32_t entry = 0;
  if (!cpu.mmu.read(std::uint64_t{vector} * 4, entry)) return false;
  // The program's view of its flags below IOPL 3: IF is VIF, IOPL is 3.
  const bool has_virtual_if = cpu.iopl() < 3;
  std::uint32_t flags = cpu.rflags();
  if (has_virtual_if) flags = (flags & ~kIf) | kIopl | ((flags & kVif) != 0 ? kIf : 0);
  Stack stack = Stack::present(cpu);
  StackFrame frame(2);
  frame.push(flags);
  frame.push(cpu.segments[kCs].selector);
  frame.push(return_rip);
  if (!frame.write(cpu, stack)) return false;
  set_stack_pointer(cpu, stack.pointer);
  load_flags(cpu, 0, kTf | kNt | (has_virtual_if ? kVif : kIf));
  set_real_segment(cpu, kCs, static_cast<std::uint16_t>(entry >> 16));
  cpu.set_next_rip(entry & 0xffff);
  return true;
}

}  // namespace vmm::cpu::soft
