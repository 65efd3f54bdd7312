// Which operands an instruction has, for the families that pick a function by them; and memory operands whose address
// needs no more than an addition, which most have in 64-bit mode and in flat 32-bit code.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <cstring>
#include <initializer_list>
#include <type_traits>

#include "vmm/cpu/soft/cpu.h"
#include "vmm/cpu/soft/decoder.h"
#include "vmm/cpu/soft/operands.h"

namespace vmm::cpu::soft {

constexpr std::uint8_t kRax = 0 * 8, kRcx = 1 * 8, kRdx = 2 * 8, kRbx = 3 * 8, kAh = 1;

// A general register of any size as a byte offset; kNotGeneral for all others.
constexpr std::uint8_t kNotGeneral = kNoRegister;
constexpr std::uint8_t register_offset(ZydisRegister name) {
  const auto within = [name](ZydisRegister first, ZydisRegister last) { return name >= first && name <= last; };
  const auto numbered = [name](ZydisRegister zero) { return static_cast<std::uint8_t>((name - zero) * 8); };
  if (within(ZYDIS_REGISTER_AL, ZYDIS_REGISTER_BL)) return numbered(ZYDIS_REGISTER_AL);
  if (within(ZYDIS_REGISTER_AH, ZYDIS_REGISTER_BH)) return static_cast<std::uint8_t>(numbered(ZYDIS_REGISTER_AH) + 1);
  if (within(ZYDIS_REGISTER_SPL, ZYDIS_REGISTER_R15B))
    return static_cast<std::uint8_t>(numbered(ZYDIS_REGISTER_SPL) + 4 * 8);
  if (within(ZYDIS_REGISTER_AX, ZYDIS_REGISTER_R15W)) return numbered(ZYDIS_REGISTER_AX);
  if (within(ZYDIS_REGISTER_EAX, ZYDIS_REGISTER_R15D)) return numbered(ZYDIS_REGISTER_EAX);
  if (within(ZYDIS_REGISTER_RAX, ZYDIS_REGISTER_R15)) return numbered(ZYDIS_REGISTER_RAX);
  return kNotGeneral;
}

// Destination first.
enum class Form : std::uint8_t { Reg, Mem, RegReg, RegMem, MemReg, RegImm, MemImm, Other };

constexpr bool is_general(const Instruction& instruction, unsigned n) {
  return n < instruction.operands.size() && instruction.operands[n].type == ZYDIS_OPERAND_TYPE_REGISTER &&
         register_offset(instruction.operands[n].reg.value) != kNotGeneral;
}
constexpr bool is_immediate(const Instruction& instruction, unsigned n) {
  return n < instruction.operands.size() && instruction.operands[n].type == ZYDIS_OPERAND_TYPE_IMMEDIATE;
}
constexpr std::uint8_t general_operand(const Instruction& instruction, unsigned n) {
  return register_offset(instruction.operands[n].reg.value);
}

// The form of the first two operands, whose registers go to `op`: two of them to reg (destination) and rm (source), a
// single one to both.
inline Form take_operands(const Instruction& instruction, Op& op) {
  const bool register0 = is_general(instruction, 0), register1 = is_general(instruction, 1);
  const bool memory0 = instruction.operand_is_memory(0), memory1 = instruction.operand_is_memory(1);
  if (register0) op.reg = op.rm = general_operand(instruction, 0);
  if (register1) op.rm = general_operand(instruction, 1);
  if (register1 && !register0) op.reg = op.rm;
  if (is_immediate(instruction, 1)) op.immediate = static_cast<std::uint64_t>(instruction.operands[1].imm.value.s);

  if (instruction.operands.size() == 1) return register0 ? Form::Reg : memory0 ? Form::Mem : Form::Other;
  if (register0 && register1) return Form::RegReg;
  if (register0 && memory1) return Form::RegMem;
  if (memory0 && register1) return Form::MemReg;
  if (register0 && is_immediate(instruction, 1)) return Form::RegImm;
  if (memory0 && is_immediate(instruction, 1)) return Form::MemImm;
  return Form::Other;
}

// Calls f.operator()<T>() with the unsigned type of that many bits; nothing ({}) if there is none, or for 8 bits of an
// instruction that has no such form.
template <class F>
auto for_wide_size(unsigned bits, F f) -> decltype(f.template operator()<std::uint16_t>()) {
  switch (bits) {
    case 16: return f.template operator()<std::uint16_t>();
    case 32: return f.template operator()<std::uint32_t>();
    case 64: return f.template operator()<std::uint64_t>();
    default: return {};
  }
}
template <class F>
auto for_size(unsigned bits, F f) -> decltype(f.template operator()<std::uint16_t>()) {
  if (bits == 8) return f.template operator()<std::uint8_t>();
  return for_wide_size(bits, f);
}

// Calls f with std::true_type or std::false_type.
template <class F>
auto for_bool(bool value, F f) -> decltype(f(std::true_type{})) {
  return value ? f(std::true_type{}) : f(std::false_type{});
}

// Where a step has use for what the step before has put into a register.
enum class Last : std::uint8_t { Unused, Destination, Source, Base, Index };

inline Last register_use(const Instruction& instruction, const Op& op) {
  if (op.reg == instruction.last) return Last::Destination;
  return op.rm == instruction.last ? Last::Source : Last::Unused;
}
inline Last address_use(const Instruction& instruction, const Op& op) {
  if (op.base == instruction.last) return Last::Base;
  return op.index == instruction.last ? Last::Index : Last::Unused;
}
// Calls f with a constant: `use`, if it is one of those that the step has variants for.
template <Last... kVariants, class F>
Step for_use(Last use, F f) {
  Step step = f(std::integral_constant<Last, Last::Unused>{});
  ((use == kVariants ? void(step = f(std::integral_constant<Last, kVariants>{})) : void()), ...);
  return step;
}
// The register operand at `offset`, which is the one that `last` is if kLast says so.
template <class T, bool kLast>
T register_operand(const Cpu& cpu, std::uint8_t offset, std::uint64_t last) {
  if constexpr (kLast) return static_cast<T>(last);
  return cpu.reg<T>(offset);
}
// Writes of 16 and 8 bits leave the rest of the register: they give nothing on.
template <class T>
constexpr StepChoice giving(Step step, std::uint8_t reg) {
  return {step, sizeof(T) >= 4 ? reg : kNoRegister};
}

// How a step with a memory operand gets at it.
constexpr Quick quick_form(const Op& op) {
  if ((op.flags & (kFlat | kFlat32)) == 0) return Quick::No;
  return (op.flags & kAddress32) != 0 ? Quick::Narrow : Quick::Wide;
}
constexpr bool is_locked(const Op& op) {
  return (op.flags & kLocked) != 0;
}

template <Quick kQuick>
using QuickConstant = std::integral_constant<Quick, kQuick>;
// Calls f with constants: how to get at the memory operand, of T, and `use`, if the quick ways' variants have it.
template <class T, Last... kVariants, class F>
Step for_quick(const Op& op, Last use, F f) {
  const auto with = [use, f](auto quick) {
    return for_use<kVariants...>(use, [quick, f](auto last) -> Step { return f(quick, last); });
  };
  switch (quick_form(op)) {
    case Quick::Wide: return with(QuickConstant<Quick::Wide>{});
    case Quick::Narrow:
      // 32-bit code has no operands of 64 bits.
      if constexpr (sizeof(T) < 8) return with(QuickConstant<Quick::Narrow>{});
      break;
    case Quick::No: break;
  }
  return f(QuickConstant<Quick::No>{}, std::integral_constant<Last, Last::Unused>{});
}
// Calls f with a constant: how to get at the stack that instructions with values of T use.
template <class T, class F>
Step for_stack(const Instruction& instruction, F f) {
  if constexpr (sizeof(T) == 8) {
    return f(QuickConstant<Quick::Wide>{});  // 64-bit mode's
  } else if constexpr (sizeof(T) == 4) {
    if ((instruction.mode & Mode::kFlat32) != 0) return f(QuickConstant<Quick::Narrow>{});
    return f(QuickConstant<Quick::No>{});
  } else {
    return f(QuickConstant<Quick::No>{});
  }
}

template <Quick kQuick, Last kLast = Last::Unused>
std::uint64_t quick_address(const Cpu& cpu, const Op& op, std::uint64_t last = 0) {
  const auto base = register_operand < std::uint64_t, kLast == Last::Base > (cpu, op.base, last);
  const auto index = register_operand < std::uint64_t, kLast == Last::Index > (cpu, op.index, last);
  const std::uint64_t address = base + (index << op.scale) + static_cast<std::uint64_t>(op.displacement);
  return kQuick == Quick::Narrow ? static_cast<std::uint32_t>(address) : address;
}

// The following are for steps; kLast as far as it is about the address.

// f(cpu, op, last, value of the memory operand); f is a function object without state.
template <class T, class F>
[[gnu::noinline]] Flow with_memory_slow(Cpu& cpu, const Op& op, std::uint64_t last) {
  cpu.settle(op);
  T value = 0;
  if (!load(cpu, op, value)) return Flow::Fault;
  return F{}(cpu, op, last, value);
}
template <class T, Quick kQuick, Last kLast, class F>
Flow with_memory(Cpu& cpu, const Op& op, std::uint64_t last, F f) {
  if constexpr (kQuick != Quick::No) {
    const std::uint8_t* host = cpu.mmu.quick_read<T>(quick_address<kQuick, kLast>(cpu, op, last));
    if (host != nullptr) [[likely]] {
      return f(cpu, op, last, load_ram<T>(host));
    }
  }
  return with_memory_slow<T, F>(cpu, op, last);
}

template <class T>
[[gnu::noinline]] Flow store_slow(Cpu& cpu, const Op& op, T value) {
  cpu.settle(op);
  return store(cpu, op, value) ? Flow::Next : Flow::Fault;
}
template <class T, Quick kQuick, Last kLast>
Flow store_form(Cpu& cpu, const Op& op, std::uint64_t last, T value) {
  if constexpr (kQuick != Quick::No) {
    std::uint8_t* host = cpu.mmu.quick_write<T>(quick_address<kQuick, kLast>(cpu, op, last));
    if (host != nullptr) [[likely]] {
      store_ram(host, value);
      return cpu.proceed(op);
    }
  }
  return store_slow<T>(cpu, op, value);
}

// Stores f(old) where load_for_write() has found `old`, indivisibly: CPUs take turns, but devices write RAM from
// threads of their own, and drivers take flags away from them by XCHG and the like. f may be called again with what a
// device has put there meanwhile. Where stores cannot go the quick way (MMIO, watched pages) it is a plain store.
template <class T, class F>
void store_locked(Cpu& cpu, std::uint64_t linear, T old, F& f) {
  const ArithmeticFlags before = cpu.flags;
  std::uint8_t* host = nullptr;
  if (linear % sizeof(T) == 0 && cpu.mmu.direct(linear, sizeof(T), Access::Write, host) == sizeof(T)) {
    const std::atomic_ref<T> cell(*reinterpret_cast<T*>(host));
    T expected = old;
    while (!cell.compare_exchange_strong(expected, f(expected)))
      cpu.flags = before;
    return;
  }
  // Registers that the store needs are read before it: it may void the very op that is executed.
  cpu.mmu.write(linear, f(old));
  std::atomic_thread_fence(std::memory_order_seq_cst);
}

// memory = f(memory). f sets flags and registers, after it has read the op's fields.
template <class T, bool kIndivisible, class F>
[[gnu::noinline]] Flow update_slow(Cpu& cpu, const Op& op, F f) {
  cpu.settle(op);
  T old = 0;
  std::uint64_t linear = 0;
  if (!load_for_write(cpu, op, old, linear)) return Flow::Fault;
  if constexpr (kIndivisible) {
    store_locked(cpu, linear, old, f);
  } else {
    cpu.mmu.write(linear, f(old));
  }
  return Flow::Next;
}
template <class T, Quick kQuick, bool kIndivisible, class F>
Flow update(Cpu& cpu, const Op& op, F f) {
  if constexpr (kQuick != Quick::No && !kIndivisible) {
    std::uint8_t* host = cpu.mmu.quick_write<T>(quick_address<kQuick>(cpu, op));
    if (host != nullptr) [[likely]] {
      store_ram(host, static_cast<T>(f(load_ram<T>(host))));
      return cpu.proceed(op);
    }
  }
  return update_slow<T, kIndivisible>(cpu, op, f);
}

// Mnemonics of a family and who picks their functions: a Handler, or a StepChoice.
template <class Choice>
class SelectorTableOf {
 public:
  using Selector = Choice (*)(const Instruction& instruction, Op& op);
  struct Entry {
    ZydisMnemonic mnemonic;
    Selector select;
  };
  constexpr SelectorTableOf(std::initializer_list<Entry> entries) {
    for (const Entry& entry : entries)
      selectors_[entry.mnemonic] = entry.select;
  }
  Choice operator()(const Instruction& instruction, Op& op) const {
    const auto mnemonic = static_cast<std::size_t>(instruction.decoded.mnemonic);
    if (mnemonic >= selectors_.size()) return {};
    const Selector select = selectors_[mnemonic];
    return select == nullptr ? Choice{} : select(instruction, op);
  }

 private:
  std::array<Selector, ZYDIS_MNEMONIC_MAX_VALUE + 1> selectors_{};
};
using SelectorTable = SelectorTableOf<Handler>;
using Selector = SelectorTable::Selector;
using StepTable = SelectorTableOf<StepChoice>;

}  // namespace vmm::cpu::soft
