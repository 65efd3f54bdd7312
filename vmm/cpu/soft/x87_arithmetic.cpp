// The x87's basic arithmetic and comparisons. [SDM 1 8.3.5, 8.3.6]
#include "vmm/cpu/soft/ops_x87.h"

namespace vmm::cpu::soft {
namespace {

// ST(i) forms. kToTop: the result goes to ST(0), else to ST(i).
template <class Operation, bool kToTop, bool kPop>
Flow with_register(Cpu& cpu, const Op& op) {
  if (!begin_x87(cpu)) return Flow::Fault;
  note_instruction(cpu, op.extra);
  X87& fpu = cpu.x87;
  const unsigned target = kToTop ? 0 : stack_index(op);
  const unsigned source = kToTop ? stack_index(op) : 0;
  if (is_empty(fpu, target) || is_empty(fpu, source)) [[unlikely]] {
    if (!underflow(fpu)) return Flow::Next;
    fill(fpu, target, kIndefinite);
  } else {
    long double value = real(st(fpu, target));
    std::uint16_t status = 0;
    {
      const HostX87 host(fpu);
      status = Operation::run(value, real(st(fpu, source)));
    }
    if (!settle(fpu, status)) return Flow::Next;
    real(st(fpu, target)) = value;
  }
  if constexpr (kPop) pop(fpu);
  return Flow::Next;
}

// What the operation gets of memory: numbers in their own format, integers exactly converted.
template <class T>
struct MemoryNumber {
  using Loaded = T;
  static T operand(T value) { return value; }
};
template <class T>
struct MemoryInteger {
  using Loaded = T;
  static long double operand(T value) { return value; }
};

template <class Operation, class Memory>
Flow with_memory(Cpu& cpu, const Op& op) {
  typename Memory::Loaded loaded{};
  if (!begin_x87(cpu) || !load_x87(cpu, op, loaded)) return Flow::Fault;
  X87& fpu = cpu.x87;
  if (is_empty(fpu, 0)) [[unlikely]] {
    if (underflow(fpu)) fill(fpu, 0, kIndefinite);
    return Flow::Next;
  }
  long double value = real(st(fpu, 0));
  std::uint16_t status = 0;
  {
    const HostX87 host(fpu);
    status = Operation::run(value, Memory::operand(loaded));
  }
  if (settle(fpu, status)) real(st(fpu, 0)) = value;
  return Flow::Next;
}

// An empty register compares as unordered.
constexpr std::uint16_t kUnordered = kFpuC0 | kFpuC2 | kFpuC3;

template <class Memory, bool kPop>
Flow compare_memory(Cpu& cpu, const Op& op) {
  typename Memory::Loaded loaded{};
  if (!begin_x87(cpu) || !load_x87(cpu, op, loaded)) return Flow::Fault;
  X87& fpu = cpu.x87;
  if (is_empty(fpu, 0)) [[unlikely]] {
    const bool masked = underflow(fpu);
    fpu.status |= kUnordered;
    if (!masked) return Flow::Next;
  } else {
    std::uint16_t status = 0;
    {
      const HostX87 host(fpu);
      status = Compare::run(real(st(fpu, 0)), Memory::operand(loaded));
    }
    if (!settle(fpu, status, kFpuConditions)) return Flow::Next;
  }
  if constexpr (kPop) pop(fpu);
  return Flow::Next;
}

enum class Answer : std::uint8_t { Status, Flags };

// FCOM, FCOMI and their like. kPops: how many.
template <class Operation, Answer kAnswer, unsigned kPops>
Flow compare_register(Cpu& cpu, const Op& op) {
  if (!begin_x87(cpu)) return Flow::Fault;
  note_instruction(cpu, op.extra);
  X87& fpu = cpu.x87;
  const unsigned other = stack_index(op);
  std::uint16_t codes = kUnordered;
  bool masked = true;
  if (is_empty(fpu, 0) || is_empty(fpu, other)) [[unlikely]] {
    masked = underflow(fpu);
  } else {
    {
      const HostX87 host(fpu);
      codes = Operation::run(real(st(fpu, 0)), real(st(fpu, other)));
    }
    masked = settle(fpu, codes);
  }
  if constexpr (kAnswer == Answer::Status) {
    constexpr std::uint16_t kCodes = kFpuC0 | kFpuC2 | kFpuC3;
    fpu.status = static_cast<std::uint16_t>((fpu.status & ~kCodes) | (codes & kCodes));
  } else {
    cpu.flags.assign(((codes & kFpuC0) != 0 ? kCf : 0) | ((codes & kFpuC2) != 0 ? kPf : 0) |
                     ((codes & kFpuC3) != 0 ? kZf : 0));
  }
  if (masked) {
    for (unsigned n = 0; n < kPops; ++n)
      pop(fpu);
  }
  return Flow::Next;
}

// ModRM.reg chooses the operation; 2 and 3 are the comparisons.
template <class Memory>
Handler memory_form(unsigned reg) {
  constexpr Handler kForms[] = {with_memory<Add, Memory>,      with_memory<Multiply, Memory>,
                                compare_memory<Memory, false>, compare_memory<Memory, true>,
                                with_memory<Subtract, Memory>, with_memory<SubtractReverse, Memory>,
                                with_memory<Divide, Memory>,   with_memory<DivideReverse, Memory>};
  return kForms[reg];
}

using Ordered = Compare;
constexpr Handler kCompareTop = compare_register<Ordered, Answer::Status, 0>;
constexpr Handler kCompareTopPop = compare_register<Ordered, Answer::Status, 1>;

// D8, DC and DE; the latter two exchange the reverse forms, as their result is not in ST(0).
Handler register_form(unsigned opcode, unsigned modrm) {
  const unsigned reg = modrm >> 3 & 7;
  constexpr Handler kToTop[] = {with_register<Add, true, false>,
                                with_register<Multiply, true, false>,
                                kCompareTop,
                                kCompareTopPop,
                                with_register<Subtract, true, false>,
                                with_register<SubtractReverse, true, false>,
                                with_register<Divide, true, false>,
                                with_register<DivideReverse, true, false>};
  constexpr Handler kToRegister[] = {with_register<Add, false, false>,
                                     with_register<Multiply, false, false>,
                                     kCompareTop,
                                     kCompareTopPop,
                                     with_register<SubtractReverse, false, false>,
                                     with_register<Subtract, false, false>,
                                     with_register<DivideReverse, false, false>,
                                     with_register<Divide, false, false>};
  constexpr Handler kAndPop[] = {with_register<Add, false, true>,
                                 with_register<Multiply, false, true>,
                                 kCompareTopPop,
                                 compare_register<Ordered, Answer::Status, 2>,
                                 with_register<SubtractReverse, false, true>,
                                 with_register<Subtract, false, true>,
                                 with_register<DivideReverse, false, true>,
                                 with_register<Divide, false, true>};
  switch (opcode) {
    case 0: return kToTop[reg];
    case 4: return kToRegister[reg];
    case 6: return reg == 3 && modrm != 0xd9 ? nullptr : kAndPop[reg];
    default: return nullptr;
  }
}

Handler other_comparison(unsigned opcode, unsigned modrm) {
  switch (opcode << 8 | (modrm & 0xf8)) {
    case 0x2e8: return modrm == 0xe9 ? compare_register<CompareUnordered, Answer::Status, 2> : nullptr;  // FUCOMPP
    case 0x3e8: return compare_register<CompareUnordered, Answer::Flags, 0>;
    case 0x3f0: return compare_register<Ordered, Answer::Flags, 0>;
    case 0x5e0: return compare_register<CompareUnordered, Answer::Status, 0>;
    case 0x5e8: return compare_register<CompareUnordered, Answer::Status, 1>;
    case 0x7e8: return compare_register<CompareUnordered, Answer::Flags, 1>;
    case 0x7f0: return compare_register<Ordered, Answer::Flags, 1>;
    default: return nullptr;
  }
}

}  // namespace

Handler x87_arithmetic_form(unsigned opcode, unsigned modrm) {
  if (modrm >= 0xc0) {
    const Handler found = register_form(opcode, modrm);
    return found != nullptr ? found : other_comparison(opcode, modrm);
  }
  const unsigned reg = modrm >> 3 & 7;
  switch (opcode) {
    case 0: return memory_form<MemoryNumber<std::uint32_t>>(reg);
    case 2: return memory_form<MemoryInteger<std::int32_t>>(reg);
    case 4: return memory_form<MemoryNumber<std::uint64_t>>(reg);
    case 6: return memory_form<MemoryInteger<std::int16_t>>(reg);
    default: return nullptr;
  }
}

}  // namespace vmm::cpu::soft
