// PUSH, POP and their kin, ENTER and LEAVE, the flags on the stack. [SDM 2A ENTER, LEAVE; 2B POP, PUSH, POPF, PUSHF]
#include <array>

#include "vmm/cpu/soft/descriptors.h"
#include "vmm/cpu/soft/forms.h"
#include "vmm/cpu/soft/segments.h"
#include "vmm/cpu/soft/stack.h"
#include "vmm/cpu/soft/system_flags.h"

namespace vmm::cpu::soft {

namespace {

constexpr std::uint8_t kRbp = 5 * 8;

// Puts RSP back unless it is told to keep what an instruction has done to it.
class StackGuard {
 public:
  explicit StackGuard(Cpu& cpu) : cpu_(cpu), before_(cpu.reg<std::uint64_t>(kRsp)) {}
  StackGuard(const StackGuard&) = delete;
  StackGuard& operator=(const StackGuard&) = delete;
  ~StackGuard() {
    if (!kept_) cpu_.set_reg(kRsp, before_);
  }
  Flow keep(Flow flow = Flow::Next) {
    kept_ = true;
    return flow;
  }

 private:
  Cpu& cpu_;
  std::uint64_t before_;
  bool kept_ = false;
};

template <class T>
[[gnu::noinline]] Flow push_slow(Cpu& cpu, const Op& op, T value) {
  cpu.settle(op);
  return push(cpu, value) ? cpu.proceed(op, cpu.reg<std::uint64_t>(kRsp)) : Flow::Fault;
}
// PUSH and POP that go the quick way give the stack pointer on, which the next one needs. kLast: it is what they got.
template <class T, Quick kQuick, bool kLast>
Flow push_value(Cpu& cpu, const Op& op, std::uint64_t last, T value) {
  const auto rsp = register_operand<std::uint64_t, kLast>(cpu, kRsp, last);
  if (!push_quick<kQuick>(cpu, rsp, value)) return push_slow(cpu, op, value);
  return cpu.proceed(op, static_cast<StackPointer<kQuick>>(rsp - sizeof(T)));
}
template <class T, Quick kQuick, bool kLast>
Flow push_register(Cpu& cpu, const Op& op, std::uint64_t last) {
  return push_value<T, kQuick, kLast>(cpu, op, last, cpu.reg<T>(op.rm));
}
template <class T, Quick kQuick, bool kLast>
Flow push_immediate(Cpu& cpu, const Op& op, std::uint64_t last) {
  return push_value<T, kQuick, kLast>(cpu, op, last, static_cast<T>(op.immediate));
}
template <class T>
Flow push_memory(Cpu& cpu, const Op& op) {
  T value = 0;
  return load(cpu, op, value) && push(cpu, value) ? Flow::Next : Flow::Fault;
}
template <class T>
Flow push_segment(Cpu& cpu, const Op& op) {
  return push(cpu, static_cast<T>(cpu.segments[op.extra].selector)) ? Flow::Next : Flow::Fault;
}

template <class T>
[[gnu::noinline]] Flow pop_register_slow(Cpu& cpu, const Op& op) {
  cpu.settle(op);
  T value = 0;
  if (!peek(cpu, value)) return Flow::Fault;
  release(cpu, sizeof(T));
  cpu.set_reg(op.rm, value);
  return cpu.proceed(op, cpu.reg<std::uint64_t>(kRsp));
}
template <class T, Quick kQuick, bool kLast>
Flow pop_register(Cpu& cpu, const Op& op, std::uint64_t last) {
  T value = 0;
  const auto rsp = register_operand<std::uint64_t, kLast>(cpu, kRsp, last);
  if (!peek_quick<kQuick>(cpu, rsp, value)) return pop_register_slow<T>(cpu, op);
  const auto pointer = static_cast<StackPointer<kQuick>>(rsp + sizeof(T));
  cpu.set_reg(kRsp, pointer);
  cpu.set_reg(op.rm, value);
  return cpu.proceed(op, pointer);
}
// An address by RSP is that after the pop.
template <class T>
Flow pop_memory(Cpu& cpu, const Op& op) {
  T value = 0;
  if (!peek(cpu, value)) return Flow::Fault;
  StackGuard guard(cpu);
  release(cpu, sizeof(T));
  return store(cpu, op, value) ? guard.keep() : Flow::Fault;
}
template <class T>
Flow pop_segment(Cpu& cpu, const Op& op) {
  const auto index = static_cast<SegmentIndex>(op.extra);
  const std::uint8_t mode = cpu.mode;
  T value = 0;
  if (!peek(cpu, value)) return Flow::Fault;
  StackGuard guard(cpu);
  release(cpu, sizeof(T));  // by the size of the stack before SS changes
  if (!load_segment(cpu, index, static_cast<std::uint16_t>(value))) return Flow::Fault;
  if (index != kSs) return guard.keep(after_load(cpu, mode));
  cpu.shadow |= kShadowMovSs;
  cpu.derive_mode();
  return guard.keep(Flow::Leave);
}

template <class T>
Flow push_all(Cpu& cpu, const Op&) {
  Stack stack = Stack::present(cpu);
  StackFrame frame(sizeof(T));
  for (unsigned i = 0; i < 8; ++i)
    frame.push(cpu.reg<T>(static_cast<std::uint8_t>(8 * i)));
  if (!frame.write(cpu, stack)) return Flow::Fault;
  set_stack_pointer(cpu, stack.pointer);
  return Flow::Next;
}
template <class T>
Flow pop_all(Cpu& cpu, const Op&) {
  StackReader reader(cpu, sizeof(T));
  std::array<std::uint64_t, 8> values{};
  for (unsigned i = 8; i-- > 0;) {
    if (!reader.pop(values[i])) return Flow::Fault;
  }
  set_stack_pointer(cpu, reader.pointer());
  for (unsigned i = 0; i < 8; ++i) {
    if (8 * i != kRsp) cpu.set_reg(static_cast<std::uint8_t>(8 * i), static_cast<T>(values[i]));
  }
  return Flow::Next;
}

template <class T>
Flow enter(Cpu& cpu, const Op& op) {
  const unsigned level = op.extra % 32;
  StackGuard guard(cpu);
  if (!push(cpu, cpu.reg<T>(kRbp))) return Flow::Fault;
  const T frame = cpu.reg<T>(kRsp);  // with a 16-bit stack too
  std::uint64_t outer = cpu.reg<std::uint64_t>(kRbp);
  for (unsigned i = 1; i < level; ++i) {
    outer -= sizeof(T);
    T pointer = 0;
    if (!peek(cpu, pointer, outer - cpu.reg<std::uint64_t>(kRsp)) || !push(cpu, pointer)) return Flow::Fault;
  }
  if (level > 0 && !push(cpu, frame)) return Flow::Fault;
  move_stack(cpu, std::uint64_t{0} - op.immediate);
  // The new top must be writable, though nothing is written.
  std::uint64_t linear = 0;
  if (!stack_slot<T>(cpu, 0, Access::Write, linear)) return Flow::Fault;
  if (!cpu.mmu.probe(linear, sizeof(T), Access::Write)) {
    stack_fault(cpu);
    return Flow::Fault;
  }
  cpu.set_reg(kRbp, frame);
  return guard.keep();
}

template <class T>
Flow leave(Cpu& cpu, const Op&) {
  T value = 0;
  if (!peek(cpu, value, cpu.reg<std::uint64_t>(kRbp) - cpu.reg<std::uint64_t>(kRsp))) return Flow::Fault;
  set_stack_pointer(cpu, cpu.reg<std::uint64_t>(kRbp));
  release(cpu, sizeof(T));
  cpu.set_reg(kRbp, value);
  return Flow::Next;
}

// Virtual-8086 mode below IOPL 3: the virtual interrupt flag stands in for 16 bits, #GP for more. [SDM 3B 20.3]
bool is_virtualized(const Cpu& cpu) {
  return cpu.virtual_8086() && cpu.iopl() < 3;
}

template <class T>
Flow push_flags(Cpu& cpu, const Op&) {
  std::uint32_t flags = cpu.rflags() & ~(kVm | kRf);
  if (is_virtualized(cpu)) {
    if (sizeof(T) != 2 || (cpu.cr4 & kCr4Vme) == 0) return cpu.raise(Vector::GeneralProtection, 0);
    flags = (flags & ~kIf) | kIopl | ((flags & kVif) != 0 ? kIf : 0);
  }
  return push(cpu, static_cast<T>(flags)) ? Flow::Next : Flow::Fault;
}

template <class T>
Flow pop_flags(Cpu& cpu, const Op&) {
  T value = 0;
  if (!is_virtualized(cpu)) {
    if (!peek(cpu, value)) return Flow::Fault;
    release(cpu, sizeof(T));
    load_flags(cpu, static_cast<std::uint32_t>(value) & ~kRf, changeable_flags(cpu, sizeof(T)) | kRf);
    return Flow::Leave;
  }
  if (sizeof(T) != 2 || (cpu.cr4 & kCr4Vme) == 0) return cpu.raise(Vector::GeneralProtection, 0);
  if (!peek(cpu, value)) return Flow::Fault;
  const auto flags = static_cast<std::uint32_t>(value);
  if ((flags & kTf) != 0 || ((flags & kIf) != 0 && (cpu.other_flags & kVip) != 0))
    return cpu.raise(Vector::GeneralProtection, 0);
  release(cpu, sizeof(T));
  load_flags(cpu, flags | ((flags & kIf) != 0 ? kVif : 0), (changeable_flags(cpu, 2) & ~kIf) | kVif);
  return Flow::Leave;
}

// --- Which function. ---

unsigned stack_operand_bits(const Instruction& instruction) {
  if ((instruction.mode & Mode::kCodeMask) != Mode::kCode64) return instruction.decoded.operand_width;
  return (instruction.decoded.attributes & ZYDIS_ATTRIB_HAS_OPERANDSIZE) != 0 ? 16 : 64;
}

bool names_segment(const Instruction& instruction, Op& op) {
  if (instruction.operands.empty() || instruction.operands[0].type != ZYDIS_OPERAND_TYPE_REGISTER) return false;
  switch (instruction.operands[0].reg.value) {
    case ZYDIS_REGISTER_ES: op.extra = kEs; return true;
    case ZYDIS_REGISTER_CS: op.extra = kCs; return true;
    case ZYDIS_REGISTER_SS: op.extra = kSs; return true;
    case ZYDIS_REGISTER_DS: op.extra = kDs; return true;
    case ZYDIS_REGISTER_FS: op.extra = kFs; return true;
    case ZYDIS_REGISTER_GS: op.extra = kGs; return true;
    default: return false;
  }
}

// Calls f with constants for the stack of T's values and whether its pointer is what the step before gives on. The step
// that it answers with gives it on, too, but for POP into the pointer.
template <class T, class F>
StepChoice for_pointer(const Instruction& instruction, bool pops_pointer, F f) {
  StepChoice choice;
  choice.run = for_stack<T>(instruction, [&](auto quick) {
    if (quick.value != Quick::No && !pops_pointer) choice.gives = kRsp;
    return for_bool(instruction.last == kRsp, [quick, f](auto last) -> Step { return f(quick, last); });
  });
  return choice;
}

StepChoice select_quick_push(const Instruction& instruction, Op& op) {
  const Form form = take_operands(instruction, op);
  if (names_segment(instruction, op)) return {};
  const bool immediate = is_immediate(instruction, 0);
  if (immediate) op.immediate = static_cast<std::uint64_t>(instruction.operands[0].imm.value.s);
  if (!immediate && form != Form::Reg) return {};
  return for_wide_size(stack_operand_bits(instruction), [&]<class T>() {
    return for_pointer<T>(instruction, false, [immediate](auto quick, auto last) -> Step {
      return immediate ? push_immediate<T, quick.value, last.value> : push_register<T, quick.value, last.value>;
    });
  });
}
StepChoice select_quick_pop(const Instruction& instruction, Op& op) {
  const Form form = take_operands(instruction, op);
  if (names_segment(instruction, op) || form != Form::Reg) return {};
  return for_wide_size(stack_operand_bits(instruction), [&]<class T>() {
    return for_pointer<T>(instruction, op.rm == kRsp,
                          [](auto quick, auto last) -> Step { return pop_register<T, quick.value, last.value>; });
  });
}

Handler select_push(const Instruction& instruction, Op& op) {
  take_operands(instruction, op);
  const bool segment = names_segment(instruction, op);
  return for_wide_size(stack_operand_bits(instruction),
                       [&]<class T>() -> Handler { return segment ? push_segment<T> : push_memory<T>; });
}
Handler select_pop(const Instruction& instruction, Op& op) {
  take_operands(instruction, op);
  const bool segment = names_segment(instruction, op);
  return for_wide_size(stack_operand_bits(instruction),
                       [&]<class T>() -> Handler { return segment ? pop_segment<T> : pop_memory<T>; });
}

Handler select_enter(const Instruction& instruction, Op&) {
  return for_wide_size(stack_operand_bits(instruction), []<class T>() -> Handler { return enter<T>; });
}
Handler select_leave(const Instruction& instruction, Op&) {
  return for_wide_size(stack_operand_bits(instruction), []<class T>() -> Handler { return leave<T>; });
}

template <Handler kHandler>
Handler always(const Instruction&, Op&) {
  return kHandler;
}

constexpr StepTable kSteps = {
    {ZYDIS_MNEMONIC_PUSH, select_quick_push},
    {ZYDIS_MNEMONIC_POP, select_quick_pop},
};
constexpr SelectorTable kSelectors = {
    {ZYDIS_MNEMONIC_PUSH, select_push},
    {ZYDIS_MNEMONIC_POP, select_pop},
    {ZYDIS_MNEMONIC_PUSHA, always<push_all<std::uint16_t>>},
    {ZYDIS_MNEMONIC_PUSHAD, always<push_all<std::uint32_t>>},
    {ZYDIS_MNEMONIC_POPA, always<pop_all<std::uint16_t>>},
    {ZYDIS_MNEMONIC_POPAD, always<pop_all<std::uint32_t>>},
    {ZYDIS_MNEMONIC_ENTER, select_enter},
    {ZYDIS_MNEMONIC_LEAVE, select_leave},
    {ZYDIS_MNEMONIC_PUSHF, always<push_flags<std::uint16_t>>},
    {ZYDIS_MNEMONIC_PUSHFD, always<push_flags<std::uint32_t>>},
    {ZYDIS_MNEMONIC_PUSHFQ, always<push_flags<std::uint64_t>>},
    {ZYDIS_MNEMONIC_POPF, always<pop_flags<std::uint16_t>>},
    {ZYDIS_MNEMONIC_POPFD, always<pop_flags<std::uint32_t>>},
    {ZYDIS_MNEMONIC_POPFQ, always<pop_flags<std::uint64_t>>},
};

}  // namespace

StepChoice stack_steps(const Instruction& instruction, Op& op) {
  return kSteps(instruction, op);
}
Handler stack_family(const Instruction& instruction, Op& op) {
  return kSelectors(instruction, op);
}

}  // namespace vmm::cpu::soft
