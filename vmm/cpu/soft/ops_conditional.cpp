// CMOVcc and SETcc. [SDM 2] The condition is the low four bits of the opcode.
#include <utility>

#include "vmm/cpu/soft/conditions.h"
#include "vmm/cpu/soft/forms.h"
#include "vmm/cpu/soft/ops_move.h"

namespace vmm::cpu::soft {
namespace {

// With 32 bits the destination's upper half is cleared whether or not the condition holds.
template <class T, unsigned kCode>
Flow cmov_reg(Cpu& cpu, const Op& op, std::uint64_t) {
  const T value = condition<kCode>(cpu.flags) ? cpu.reg<T>(op.rm) : cpu.reg<T>(op.reg);
  cpu.set_reg<T>(op.reg, value);
  return cpu.proceed(op, value);
}
template <class T, unsigned kCode>
Flow cmov_mem(Cpu& cpu, const Op& op, std::uint64_t) {
  cpu.settle(op);
  T value = 0;
  if (!load(cpu, op, value)) return Flow::Fault;
  if (!condition<kCode>(cpu.flags)) value = cpu.reg<T>(op.reg);
  cpu.set_reg<T>(op.reg, value);
  return cpu.proceed(op, value);
}
template <unsigned kCode>
Flow set_reg(Cpu& cpu, const Op& op, std::uint64_t) {
  cpu.set_reg(op.rm, static_cast<std::uint8_t>(condition<kCode>(cpu.flags)));
  return cpu.proceed(op);
}
template <unsigned kCode>
Flow set_mem(Cpu& cpu, const Op& op, std::uint64_t) {
  cpu.settle(op);
  return store(cpu, op, static_cast<std::uint8_t>(condition<kCode>(cpu.flags))) ? Flow::Next : Flow::Fault;
}

using ConditionTable = std::array<Step, 16>;
template <class F>
constexpr ConditionTable for_conditions(F f) {
  return [&f]<unsigned... kCode>(std::integer_sequence<unsigned, kCode...>) {
    return ConditionTable { f.template operator()<kCode>()... };
  }(std::make_integer_sequence<unsigned, 16>{});
}
template <class T>
constexpr ConditionTable kMovesReg = for_conditions([]<unsigned kCode>() -> Step { return cmov_reg<T, kCode>; });
template <class T>
constexpr ConditionTable kMovesMem = for_conditions([]<unsigned kCode>() -> Step { return cmov_mem<T, kCode>; });
constexpr ConditionTable kSetsReg = for_conditions([]<unsigned kCode>() -> Step { return set_reg<kCode>; });
constexpr ConditionTable kSetsMem = for_conditions([]<unsigned kCode>() -> Step { return set_mem<kCode>; });

unsigned condition_code(const Instruction& instruction) {
  return instruction.decoded.opcode & 0xf;
}

}  // namespace

StepChoice select_conditional_move(const Instruction& instruction, Op& op) {
  const Form form = take_operands(instruction, op);
  return for_wide_size(instruction.bits(0), [&]<class T>() {
    return giving<T>((form == Form::RegReg ? kMovesReg<T> : kMovesMem<T>)[condition_code(instruction)], op.reg);
  });
}
StepChoice select_conditional_set(const Instruction& instruction, Op& op) {
  const Form form = take_operands(instruction, op);
  return {(form == Form::Reg ? kSetsReg : kSetsMem)[condition_code(instruction)]};
}

}  // namespace vmm::cpu::soft
