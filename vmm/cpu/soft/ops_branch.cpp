// Near jumps, calls and returns. [SDM 2A CALL, JMP, Jcc, LOOP; 2B RET]
//
// A jump that is not taken goes on in its block. Operand sizes: 64 bits in 64-bit mode, else 16 or 32, to which the
// target is cut.
#include <array>
#include <utility>

#include "vmm/cpu/soft/conditions.h"
#include "vmm/cpu/soft/forms.h"
#include "vmm/cpu/soft/stack.h"

namespace vmm::cpu::soft {

namespace {

template <class T>
bool may_go_to(const Cpu& cpu, T target) {
  if constexpr (sizeof(T) == 8) {
    constexpr unsigned kUpper = 16;
    const auto canonical = static_cast<std::uint64_t>(static_cast<std::int64_t>(target << kUpper) >> kUpper);
    return canonical == target || cpu.mmu.is_canonical(target);
  } else {
    return target <= cpu.segments[kCs].limit;
  }
}

template <class T>
Flow go_to(Cpu& cpu, T target) {
  if (!may_go_to(cpu, target)) [[unlikely]]
    return cpu.raise(Vector::GeneralProtection, 0);
  cpu.set_next_rip(target);
  return Flow::Leave;
}

// The CPU is settled.
template <class T>
T relative_target(const Cpu& cpu, const Op& op) {
  return static_cast<T>(cpu.next_rip() + op.immediate);
}

template <class T>
Flow jump_relative(Cpu& cpu, const Op& op, std::uint64_t) {
  cpu.settle(op);
  return go_to(cpu, relative_target<T>(cpu, op));
}

template <unsigned kCode, class T>
Flow jump_if(Cpu& cpu, const Op& op, std::uint64_t last) {
  return condition<kCode>(cpu.flags) ? jump_relative<T>(cpu, op, last) : cpu.proceed(op, last);
}

template <class T>
[[gnu::noinline]] Flow call_slow(Cpu& cpu, T target) {
  if (!push(cpu, static_cast<T>(cpu.next_rip()))) return Flow::Fault;
  cpu.set_next_rip(target);
  return Flow::Leave;
}
template <class T, Quick kQuick>
Flow call_to(Cpu& cpu, T target) {
  if (!may_go_to(cpu, target)) [[unlikely]]
    return cpu.raise(Vector::GeneralProtection, 0);
  if (!push_quick<kQuick>(cpu, cpu.reg<std::uint64_t>(kRsp), static_cast<T>(cpu.next_rip())))
    return call_slow(cpu, target);
  cpu.set_next_rip(target);
  return Flow::Leave;
}

template <class T, Quick kQuick>
Flow call_relative(Cpu& cpu, const Op& op, std::uint64_t) {
  cpu.settle(op);
  return call_to<T, kQuick>(cpu, relative_target<T>(cpu, op));
}

template <class T, Quick kQuick, bool kCall>
Flow transfer_register(Cpu& cpu, const Op& op, std::uint64_t) {
  cpu.settle(op);
  const T target = cpu.reg<T>(op.rm);
  return kCall ? call_to<T, kQuick>(cpu, target) : go_to(cpu, target);
}

template <class T, Quick kQuick, bool kCall>
Flow transfer_memory(Cpu& cpu, const Op& op, std::uint64_t) {
  cpu.settle(op);
  T target = 0;
  if (!load(cpu, op, target)) return Flow::Fault;
  return kCall ? call_to<T, kQuick>(cpu, target) : go_to(cpu, target);
}

template <class T>
[[gnu::noinline]] Flow return_slow(Cpu& cpu, const Op& op) {
  T target = 0;
  if (!peek(cpu, target)) return Flow::Fault;
  if (!may_go_to(cpu, target)) return cpu.raise(Vector::GeneralProtection, 0);
  release(cpu, sizeof(T) + op.immediate);
  cpu.set_next_rip(target);
  return Flow::Leave;
}
template <class T, Quick kQuick, bool kLast>
Flow return_near(Cpu& cpu, const Op& op, std::uint64_t last) {
  cpu.settle(op);
  T target = 0;
  const auto rsp = register_operand<std::uint64_t, kLast>(cpu, kRsp, last);
  if (!peek_quick<kQuick>(cpu, rsp, target) || !may_go_to(cpu, target)) return return_slow<T>(cpu, op);
  cpu.set_reg(kRsp, static_cast<StackPointer<kQuick>>(rsp + sizeof(T) + op.immediate));
  cpu.set_next_rip(target);
  return Flow::Leave;
}

// LOOPNE, LOOPE, LOOP, JCXZ: in the order of their opcodes, E0h to E3h. C is the counter's type.
enum class Counted : std::uint8_t { LoopNotEqual, LoopEqual, Loop, JumpZero };

template <Counted kKind, class C, class T>
Flow counted_jump(Cpu& cpu, const Op& op) {
  auto count = cpu.reg<C>(kRcx);
  bool taken = false;
  if constexpr (kKind == Counted::JumpZero) {
    taken = count == 0;
  } else {
    --count;
    taken = count != 0 && (kKind == Counted::Loop || cpu.flags.zf() == (kKind == Counted::LoopEqual));
  }
  const auto target = relative_target<T>(cpu, op);
  if (taken && !may_go_to(cpu, target)) return cpu.raise(Vector::GeneralProtection, 0);
  if constexpr (kKind != Counted::JumpZero) cpu.set_reg(kRcx, count);
  if (!taken) return Flow::Next;
  cpu.set_next_rip(target);
  return Flow::Leave;
}

// --- Which function. ---

unsigned branch_bits(const Instruction& instruction) {
  return (instruction.mode & Mode::kCodeMask) == Mode::kCode64 ? 64u : instruction.decoded.operand_width;
}

template <class T>
constexpr auto kJumpsIf = []<std::size_t... kCode>(std::index_sequence<kCode...>) {
  return std::array<Step, 16>{jump_if<kCode, T>...};
}(std::make_index_sequence<16>{});

// A jump that is not taken gives on what it got.
StepChoice select_conditional(const Instruction& instruction, Op&) {
  return for_wide_size(branch_bits(instruction), [&]<class T>() -> StepChoice {
    return {kJumpsIf<T>[instruction.decoded.opcode & 15], instruction.last};
  });
}

template <bool kCall>
StepChoice select_transfer(const Instruction& instruction, Op& op) {
  if (instruction.decoded.meta.branch_type == ZYDIS_BRANCH_TYPE_FAR) return {};
  const Form form = take_operands(instruction, op);
  return for_wide_size(branch_bits(instruction), [&]<class T>() -> StepChoice {
    if (is_immediate(instruction, 0)) {
      op.immediate = static_cast<std::uint64_t>(instruction.operands[0].imm.value.s);
      if (!kCall) return {jump_relative<T>};
    }
    return {for_stack<T>(instruction, [&](auto quick) -> Step {
      if (is_immediate(instruction, 0)) return call_relative<T, quick.value>;
      if (form == Form::Reg) return transfer_register<T, quick.value, kCall>;
      return form == Form::Mem ? transfer_memory<T, quick.value, kCall> : nullptr;
    })};
  });
}

StepChoice select_return(const Instruction& instruction, Op& op) {
  if (instruction.decoded.meta.branch_type == ZYDIS_BRANCH_TYPE_FAR) return {};
  if (instruction.operands.empty()) op.immediate = 0;
  return for_wide_size(branch_bits(instruction), [&]<class T>() -> StepChoice {
    return {for_stack<T>(instruction, [&](auto quick) -> Step {
      return instruction.last == kRsp ? return_near<T, quick.value, true> : return_near<T, quick.value, false>;
    })};
  });
}

template <class C, class T>
constexpr std::array<Handler, 4> kCountedJumps = {
    counted_jump<Counted::LoopNotEqual, C, T>, counted_jump<Counted::LoopEqual, C, T>,
    counted_jump<Counted::Loop, C, T>, counted_jump<Counted::JumpZero, C, T>};

Handler select_counted(const Instruction& instruction, Op&) {
  return for_wide_size(branch_bits(instruction), [&]<class T>() -> Handler {
    return for_wide_size(instruction.decoded.address_width,
                         [&]<class C>() -> Handler { return kCountedJumps<C, T>[instruction.decoded.opcode & 3]; });
  });
}

constexpr StepTable kSteps = {
    {ZYDIS_MNEMONIC_JO, select_conditional},      {ZYDIS_MNEMONIC_JNO, select_conditional},
    {ZYDIS_MNEMONIC_JB, select_conditional},      {ZYDIS_MNEMONIC_JNB, select_conditional},
    {ZYDIS_MNEMONIC_JZ, select_conditional},      {ZYDIS_MNEMONIC_JNZ, select_conditional},
    {ZYDIS_MNEMONIC_JBE, select_conditional},     {ZYDIS_MNEMONIC_JNBE, select_conditional},
    {ZYDIS_MNEMONIC_JS, select_conditional},      {ZYDIS_MNEMONIC_JNS, select_conditional},
    {ZYDIS_MNEMONIC_JP, select_conditional},      {ZYDIS_MNEMONIC_JNP, select_conditional},
    {ZYDIS_MNEMONIC_JL, select_conditional},      {ZYDIS_MNEMONIC_JNL, select_conditional},
    {ZYDIS_MNEMONIC_JLE, select_conditional},     {ZYDIS_MNEMONIC_JNLE, select_conditional},
    {ZYDIS_MNEMONIC_JMP, select_transfer<false>}, {ZYDIS_MNEMONIC_CALL, select_transfer<true>},
    {ZYDIS_MNEMONIC_RET, select_return},
};
constexpr SelectorTable kSelectors = {
    {ZYDIS_MNEMONIC_LOOP, select_counted},   {ZYDIS_MNEMONIC_LOOPE, select_counted},
    {ZYDIS_MNEMONIC_LOOPNE, select_counted}, {ZYDIS_MNEMONIC_JCXZ, select_counted},
    {ZYDIS_MNEMONIC_JECXZ, select_counted},  {ZYDIS_MNEMONIC_JRCXZ, select_counted},
};

}  // namespace

StepChoice branch_steps(const Instruction& instruction, Op& op) {
  return kSteps(instruction, op);
}
Handler branch_family(const Instruction& instruction, Op& op) {
  return kSelectors(instruction, op);
}

}  // namespace vmm::cpu::soft
