#include "vmm/cpu/soft/far_transfer.h"

#include "vmm/cpu/soft/segments.h"
#include "vmm/cpu/soft/stack_frame.h"
#include "vmm/cpu/soft/task_switch.h"

namespace vmm::cpu::soft {

namespace {

std::uint64_t low_bytes(std::uint64_t value, unsigned width) {
  return width == 8 ? value : value & ((std::uint64_t{1} << 8 * width) - 1);
}

bool is_unprotected(const Cpu& cpu) {
  return !cpu.protected_mode() || cpu.virtual_8086();
}

// Real and virtual-8086 mode.
bool enter_real(Cpu& cpu, std::uint16_t selector, std::uint64_t offset) {
  if (offset > cpu.segments[kCs].limit) return refuse(cpu, Vector::GeneralProtection, 0);
  set_real_segment(cpu, kCs, selector);
  cpu.set_next_rip(offset);
  return true;
}

void enter_code(Cpu& cpu, std::uint16_t selector, const Descriptor& code, std::uint8_t cpl, std::uint64_t rip) {
  fill_segment(cpu.segments[kCs], static_cast<std::uint16_t>((selector & 0xfffc) | cpl), code);
  if (cpl != cpu.cpl) set_cpl(cpu, cpl);
  cpu.derive_mode();
  cpu.set_next_rip(rip);
}

// A code segment as the target of a direct jump or call. [SDM 3A 5.8.1]
bool check_direct_code(Cpu& cpu, std::uint16_t selector, const Descriptor& code) {
  const bool allowed =
      code.is_conforming_code() ? code.dpl() <= cpu.cpl : rpl_of(selector) <= cpu.cpl && code.dpl() == cpu.cpl;
  const bool exists = !cpu.long_mode() || !code.is_long() || !code.is_big();
  if (!allowed || !exists) return refuse(cpu, Vector::GeneralProtection, selector_error(selector));
  if (!code.is_present()) return refuse(cpu, Vector::SegmentNotPresent, selector_error(selector));
  return true;
}

bool is_call_gate(const Cpu& cpu, const Descriptor& gate) {
  return gate.system_type() == SystemType::CallGate32 ||
         (gate.system_type() == SystemType::CallGate16 && !cpu.long_mode());
}

bool is_task(const Cpu& cpu, const Descriptor& descriptor) {
  return !cpu.long_mode() &&
         (descriptor.system_type() == SystemType::Tss16 || descriptor.system_type() == SystemType::Tss32);
}

// Whoever names a gate or a TSS needs the privilege for it.
bool check_system_privilege(Cpu& cpu, std::uint16_t selector, const Descriptor& descriptor) {
  if (descriptor.dpl() < cpu.cpl || descriptor.dpl() < rpl_of(selector))
    return refuse(cpu, Vector::GeneralProtection, selector_error(selector));
  if (!descriptor.is_present()) return refuse(cpu, Vector::SegmentNotPresent, selector_error(selector));
  return true;
}

bool go_to_task(Cpu& cpu, std::uint16_t selector, const Descriptor& descriptor, TaskCause cause) {
  if (!check_system_privilege(cpu, selector, descriptor)) return false;
  const bool gate = descriptor.system_type() == SystemType::TaskGate;
  const TaskSwitch order{cause,       gate ? descriptor.gate_selector() : selector, cpu.next_rip(), cpu.rflags(), 0,
                         std::nullopt};
  return switch_task(cpu, order);
}

// What a call gate leads to.
struct GateTarget {
  std::uint16_t selector = 0;
  Descriptor code;
  std::uint64_t rip = 0;
  unsigned width = 4;
};

// [SDM 3A 5.8.4]
bool read_call_gate(Cpu& cpu, std::uint16_t selector, Descriptor gate, GateTarget& target) {
  if (!check_system_privilege(cpu, selector, gate)) return false;
  if (cpu.long_mode() && !read_upper_half(cpu, selector, gate)) return false;
  target.selector = gate.gate_selector();
  if (is_null(target.selector)) return refuse(cpu, Vector::GeneralProtection, 0);
  if (!read_descriptor(cpu, target.selector, target.code)) return false;
  const std::uint32_t error = selector_error(target.selector);
  if (!target.code.is_code() || target.code.dpl() > cpu.cpl) return refuse(cpu, Vector::GeneralProtection, error);
  if (cpu.long_mode() && (!target.code.is_long() || target.code.is_big()))
    return refuse(cpu, Vector::GeneralProtection, error);
  if (!target.code.is_present()) return refuse(cpu, Vector::SegmentNotPresent, error);
  target.width = cpu.long_mode() ? 8 : gate.system_type() == SystemType::CallGate16 ? 2 : 4;
  target.rip = low_bytes(gate.gate_offset(), target.width);
  return check_rip(cpu, target.code, target.rip);
}

bool call_inner_ring(Cpu& cpu, const Descriptor& gate, const GateTarget& target) {
  const auto cpl = static_cast<std::uint8_t>(target.code.dpl());
  Stack stack;
  if (cpu.long_mode()) {
    stack = {null_stack_segment(cpl), 0, cpl, true, 0};
    if (!inner_stack_64(cpu, cpl, 0, 0, stack.pointer)) return false;
  } else if (!inner_stack(cpu, cpl, 0, stack)) {
    return false;
  }
  StackFrame frame(target.width);
  frame.push(cpu.segments[kSs].selector);
  frame.push(cpu.reg<std::uint64_t>(4 * 8));
  // Parameters go from stack to stack in their order; there are none in long mode.
  const unsigned parameters = cpu.long_mode() ? 0 : gate.high & 31;
  std::array<std::uint64_t, 32> values{};
  StackReader reader(cpu, target.width);
  for (unsigned i = 0; i < parameters; ++i)
    if (!reader.pop(values[i])) return false;
  for (unsigned i = parameters; i-- > 0;)
    frame.push(values[i]);
  frame.push(cpu.segments[kCs].selector);
  frame.push(cpu.next_rip());
  Descriptor code = target.code;
  if (!mark_accessed(cpu, target.selector, code) || !frame.write(cpu, stack)) return false;
  cpu.segments[kSs] = stack.segment;
  enter_code(cpu, target.selector, code, cpl, target.rip);
  set_stack_pointer(cpu, stack.pointer);
  return true;
}

// Pushes the return address, then goes to a code segment of the same ring.
bool call_same_ring(Cpu& cpu, std::uint16_t selector, Descriptor code, std::uint64_t rip, unsigned width) {
  Stack stack = Stack::present(cpu);
  StackFrame frame(width);
  frame.push(cpu.segments[kCs].selector);
  frame.push(cpu.next_rip());
  if (!mark_accessed(cpu, selector, code) || !frame.write(cpu, stack)) return false;
  set_stack_pointer(cpu, stack.pointer);
  enter_code(cpu, selector, code, cpu.cpl, rip);
  return true;
}

bool call_through_gate(Cpu& cpu, std::uint16_t selector, const Descriptor& gate) {
  GateTarget target;
  if (!read_call_gate(cpu, selector, gate, target)) return false;
  if (!target.code.is_conforming_code() && target.code.dpl() < cpu.cpl) return call_inner_ring(cpu, gate, target);
  return call_same_ring(cpu, target.selector, target.code, target.rip, target.width);
}

bool jump_through_gate(Cpu& cpu, std::uint16_t selector, const Descriptor& gate) {
  GateTarget target;
  if (!read_call_gate(cpu, selector, gate, target)) return false;
  if (!target.code.is_conforming_code() && target.code.dpl() != cpu.cpl)
    return refuse(cpu, Vector::GeneralProtection, selector_error(target.selector));
  if (!mark_accessed(cpu, target.selector, target.code)) return false;
  enter_code(cpu, target.selector, target.code, cpu.cpl, target.rip);
  return true;
}

// [SDM 2B RET] [SDM 3A 5.8.6]
void drop_inner_segments(Cpu& cpu) {
  for (const SegmentIndex index : {kEs, kDs, kFs, kGs}) {
    SegmentRegister& s = cpu.segments[index];
    if ((s.attributes & Segment::kUnusable) != 0) continue;
    const bool conforming = (s.attributes & (kTypeCode | kTypeConforming)) == (kTypeCode | kTypeConforming);
    if (!conforming && (s.attributes >> kAttributeDplShift & 3) < cpu.cpl) fill_unusable(s, 0);
  }
  cpu.derive_mode();
}

}  // namespace

bool check_rip(Cpu& cpu, const Descriptor& code, std::uint64_t rip) {
  const bool reachable = cpu.long_mode() && code.is_long() ? cpu.mmu.is_canonical(rip) : rip <= code.limit();
  return reachable || refuse(cpu, Vector::GeneralProtection, 0);
}

bool far_jump(Cpu& cpu, std::uint16_t selector, std::uint64_t offset, unsigned width) {
  offset = low_bytes(offset, width);
  if (is_unprotected(cpu)) return enter_real(cpu, selector, offset);
  if (is_null(selector)) return refuse(cpu, Vector::GeneralProtection, 0);
  Descriptor descriptor;
  if (!read_descriptor(cpu, selector, descriptor)) return false;
  if (descriptor.is_code()) {
    if (!check_direct_code(cpu, selector, descriptor) || !check_rip(cpu, descriptor, offset) ||
        !mark_accessed(cpu, selector, descriptor))
      return false;
    enter_code(cpu, selector, descriptor, cpu.cpl, offset);
    return true;
  }
  if (descriptor.is_system()) {
    if (is_call_gate(cpu, descriptor)) return jump_through_gate(cpu, selector, descriptor);
    if (is_task(cpu, descriptor) || (descriptor.system_type() == SystemType::TaskGate && !cpu.long_mode()))
      return go_to_task(cpu, selector, descriptor, TaskCause::Jump);
  }
  return refuse(cpu, Vector::GeneralProtection, selector_error(selector));
}

bool far_call(Cpu& cpu, std::uint16_t selector, std::uint64_t offset, unsigned width) {
  offset = low_bytes(offset, width);
  if (is_unprotected(cpu)) {
    Stack stack = Stack::present(cpu);
    StackFrame frame(width);
    frame.push(cpu.segments[kCs].selector);
    frame.push(cpu.next_rip());
    if (offset > cpu.segments[kCs].limit) return refuse(cpu, Vector::GeneralProtection, 0);
    if (!frame.write(cpu, stack)) return false;
    set_stack_pointer(cpu, stack.pointer);
    return enter_real(cpu, selector, offset);
  }
  if (is_null(selector)) return refuse(cpu, Vector::GeneralProtection, 0);
  Descriptor descriptor;
  if (!read_descriptor(cpu, selector, descriptor)) return false;
  if (descriptor.is_code()) {
    return check_direct_code(cpu, selector, descriptor) && check_rip(cpu, descriptor, offset) &&
           call_same_ring(cpu, selector, descriptor, offset, width);
  }
  if (descriptor.is_system()) {
    if (is_call_gate(cpu, descriptor)) return call_through_gate(cpu, selector, descriptor);
    if (is_task(cpu, descriptor) || (descriptor.system_type() == SystemType::TaskGate && !cpu.long_mode()))
      return go_to_task(cpu, selector, descriptor, TaskCause::Call);
  }
  return refuse(cpu, Vector::GeneralProtection, selector_error(selector));
}

bool check_return_code(Cpu& cpu, ReturnTarget& target) {
  const std::uint16_t selector = target.selector;
  if (is_null(selector)) return refuse(cpu, Vector::GeneralProtection, 0);
  if (!read_descriptor(cpu, selector, target.code)) return false;
  const Descriptor& code = target.code;
  const std::uint8_t rpl = rpl_of(selector);
  const bool allowed = code.is_code() && rpl >= cpu.cpl &&
                       (code.is_conforming_code() ? code.dpl() <= rpl : code.dpl() == rpl) &&
                       !(cpu.long_mode() && code.is_long() && code.is_big());
  if (!allowed) return refuse(cpu, Vector::GeneralProtection, selector_error(selector));
  if (!code.is_present()) return refuse(cpu, Vector::SegmentNotPresent, selector_error(selector));
  return true;
}

bool check_return_stack(Cpu& cpu, ReturnTarget& target, std::uint16_t selector) {
  const std::uint8_t cpl = target.cpl();
  target.has_stack = true;
  if (is_null(selector)) {
    // 64-bit mode's inner rings run without one.
    if (!cpu.long_mode() || !target.code.is_long() || cpl == 3 || rpl_of(selector) != cpl)
      return refuse(cpu, Vector::GeneralProtection, 0);
    target.stack_segment = null_stack_segment(cpl);
    target.stack_segment.selector = selector;
    return true;
  }
  Descriptor descriptor;
  if (!read_descriptor(cpu, selector, descriptor)) return false;
  if (rpl_of(selector) != cpl || !descriptor.is_writable_data() || descriptor.dpl() != cpl)
    return refuse(cpu, Vector::GeneralProtection, selector_error(selector));
  if (!descriptor.is_present()) return refuse(cpu, Vector::StackFault, selector_error(selector));
  if (!mark_accessed(cpu, selector, descriptor)) return false;
  fill_segment(target.stack_segment, selector, descriptor);
  return true;
}

void commit_return(Cpu& cpu, const ReturnTarget& target) {
  const bool outer = target.cpl() != cpu.cpl;
  if (target.has_stack) cpu.segments[kSs] = target.stack_segment;
  // The selector's RPL is the new CPL, for conforming segments too.
  enter_code(cpu, target.selector, target.code, target.cpl(), target.rip);
  set_stack_pointer(cpu, target.stack_pointer);
  if (outer) drop_inner_segments(cpu);
}

bool far_return(Cpu& cpu, unsigned width, std::uint16_t release) {
  StackReader reader(cpu, width);
  ReturnTarget target;
  if (!reader.pop(target.rip) || !reader.pop_selector(target.selector)) return false;
  reader.skip(release);
  if (is_unprotected(cpu)) {
    if (!enter_real(cpu, target.selector, target.rip)) return false;
    set_stack_pointer(cpu, reader.pointer());
    return true;
  }
  if (!check_return_code(cpu, target)) return false;
  target.stack_pointer = reader.pointer();
  if (target.cpl() != cpu.cpl) {
    std::uint16_t selector = 0;
    if (!reader.pop(target.stack_pointer) || !reader.pop_selector(selector)) return false;
    if (!check_return_stack(cpu, target, selector)) return false;
    target.stack_pointer += release;
  }
  if (!check_rip(cpu, target.code, target.rip) || !mark_accessed(cpu, target.selector, target.code)) return false;
  commit_return(cpu, target);
  return true;
}

}  // namespace vmm::cpu::soft
