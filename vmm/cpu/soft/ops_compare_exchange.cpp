// CMPXCHG, CMPXCHG8B, CMPXCHG16B. [SDM 2] Memory is always written, so a page that may not be written faults
// whatever the comparison says.
#include "vmm/cpu/soft/forms.h"
#include "vmm/cpu/soft/ops_arithmetic.h"

namespace vmm::cpu::soft {
namespace {

void set_zf(Cpu& cpu, bool value) {
  cpu.flags.assign((cpu.flags.value() & ~kZf) | (value ? kZf : 0));
}

template <class T>
void compare_accumulator(Cpu& cpu, T accumulator, T old) {
  cpu.flags.subtract(accumulator, old);
}

template <class T>
Flow compare_exchange_reg(Cpu& cpu, const Op& op) {
  const T accumulator = cpu.reg<T>(kRax), old = cpu.reg<T>(op.reg), source = cpu.reg<T>(op.rm);
  compare_accumulator(cpu, accumulator, old);
  if (old == accumulator) {
    cpu.set_reg<T>(op.reg, source);
  } else {
    cpu.set_reg<T>(kRax, old);  // the destination keeps even the upper half that a write of 32 bits would clear
  }
  return Flow::Next;
}
template <class T, bool kIndivisible>
Flow compare_exchange_mem(Cpu& cpu, const Op& op) {
  const T accumulator = cpu.reg<T>(kRax), source = cpu.reg<T>(op.reg);
  const std::uint64_t rax = cpu.general[0];
  return update<T, Quick::No, kIndivisible>(cpu, op, [&cpu, accumulator, source, rax](T old) {
    compare_accumulator(cpu, accumulator, old);
    if (old == accumulator) {
      cpu.general[0] = rax;  // what an earlier try has put there
      return source;
    }
    cpu.set_reg<T>(kRax, old);
    return old;
  });
}

template <bool kIndivisible>
Flow compare_exchange8(Cpu& cpu, const Op& op) {
  const auto pair = [&cpu](std::uint8_t high, std::uint8_t low) {
    return std::uint64_t{cpu.reg<std::uint32_t>(high)} << 32 | cpu.reg<std::uint32_t>(low);
  };
  const std::uint64_t expected = pair(kRdx, kRax), source = pair(kRcx, kRbx);
  const std::uint64_t rax = cpu.general[0], rdx = cpu.general[2];
  return update<std::uint64_t, Quick::No, kIndivisible>(cpu, op, [&cpu, expected, source, rax, rdx](std::uint64_t old) {
    set_zf(cpu, old == expected);
    if (old == expected) {
      cpu.general[0] = rax;
      cpu.general[2] = rdx;
      return source;
    }
    cpu.set_reg(kRax, static_cast<std::uint32_t>(old));
    cpu.set_reg(kRdx, static_cast<std::uint32_t>(old >> 32));
    return old;
  });
}

struct Pair {
  std::uint64_t low = 0, high = 0;
  bool operator==(const Pair&) const = default;
};

Flow compare_exchange16(Cpu& cpu, const Op& op) {
  std::uint64_t linear = 0;
  Pair old;
  if (!linear_address(cpu, op, effective_address(cpu, op), sizeof old, Access::Write, linear)) return Flow::Fault;
  if (linear % sizeof old != 0) return cpu.raise(Vector::GeneralProtection);
  if (!cpu.mmu.read_for_write(linear, old)) return Flow::Fault;
  const bool equal = old == Pair{cpu.general[0], cpu.general[2]};
  set_zf(cpu, equal);
  if (equal) {
    cpu.mmu.write(linear, Pair{cpu.general[3], cpu.general[1]});
  } else {
    cpu.general[0] = old.low;
    cpu.general[2] = old.high;
    cpu.mmu.write(linear, old);
  }
  std::atomic_thread_fence(std::memory_order_seq_cst);
  return Flow::Next;
}

}  // namespace

Handler select_compare_exchange(const Instruction& instruction, Op& op) {
  const Form form = take_operands(instruction, op);
  return for_size(instruction.bits(0), [&]<class T>() -> Handler {
    if (form == Form::RegReg) return compare_exchange_reg<T>;
    return for_bool(is_locked(op), [](auto locked) -> Handler { return compare_exchange_mem<T, locked.value>; });
  });
}
Handler select_compare_exchange8(const Instruction&, Op& op) {
  return for_bool(is_locked(op), [](auto locked) -> Handler { return compare_exchange8<locked.value>; });
}
Handler select_compare_exchange16(const Instruction&, Op&) {
  return compare_exchange16;
}

}  // namespace vmm::cpu::soft
