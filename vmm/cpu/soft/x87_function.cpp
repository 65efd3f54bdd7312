// x87 instructions that work on the top of the stack: sign, square root, remainders, scaling, transcendentals.
// [SDM 1 8.3.5, 8.3.7]
#include "vmm/cpu/soft/ops_x87.h"

namespace vmm::cpu::soft {
namespace {

// Where C2 says that the work is not done, a stack fault clears it.
constexpr std::uint16_t faulting_clears(std::uint16_t conditions) {
  return static_cast<std::uint16_t>(~(conditions & kFpuC2));
}

// One operand, one result, in place.
std::uint16_t square_root(long double& value) {
  std::uint16_t status = 0;
  asm volatile("fsqrt\n\tfnstsw %1\n\ttestb %b1, %b1\n\tjns 1f\n\tfnclex\n1:" : "+t"(value), "=&a"(status));
  return status;
}
std::uint16_t round_to_integer(long double& value) {
  std::uint16_t status = 0;
  asm volatile("frndint\n\tfnstsw %1\n\ttestb %b1, %b1\n\tjns 1f\n\tfnclex\n1:" : "+t"(value), "=&a"(status));
  return status;
}
std::uint16_t exponential(long double& value) {
  std::uint16_t status = 0;
  asm volatile("f2xm1\n\tfnstsw %1\n\ttestb %b1, %b1\n\tjns 1f\n\tfnclex\n1:" : "+t"(value), "=&a"(status));
  return status;
}
std::uint16_t sine(long double& value) {
  std::uint16_t status = 0;
  asm volatile("fsin\n\tfnstsw %1\n\ttestb %b1, %b1\n\tjns 1f\n\tfnclex\n1:" : "+t"(value), "=&a"(status));
  return status;
}
std::uint16_t cosine(long double& value) {
  std::uint16_t status = 0;
  asm volatile("fcos\n\tfnstsw %1\n\ttestb %b1, %b1\n\tjns 1f\n\tfnclex\n1:" : "+t"(value), "=&a"(status));
  return status;
}

template <auto kOperation, std::uint16_t kConditions>
Flow unary(Cpu& cpu, const Op& op) {
  if (!begin_x87(cpu)) return Flow::Fault;
  note_instruction(cpu, op.extra);
  X87& fpu = cpu.x87;
  if (is_empty(fpu, 0)) [[unlikely]] {
    fpu.status &= faulting_clears(kConditions);
    if (underflow(fpu)) fill(fpu, 0, kIndefinite);
    return Flow::Next;
  }
  long double value = real(st(fpu, 0));
  std::uint16_t status = 0;
  {
    const HostX87 host(fpu);
    status = kOperation(value);
  }
  if (settle(fpu, status, kConditions)) real(st(fpu, 0)) = value;
  return Flow::Next;
}

// ST(0) and ST(1) to ST(0).
std::uint16_t remainder(long double& value, long double other) {
  std::uint16_t status = 0;
  asm volatile("fprem\n\tfnstsw %1\n\ttestb %b1, %b1\n\tjns 1f\n\tfnclex\n1:"
               : "+t"(value), "=&a"(status)
               : "u"(other));
  return status;
}
std::uint16_t nearest_remainder(long double& value, long double other) {
  std::uint16_t status = 0;
  asm volatile("fprem1\n\tfnstsw %1\n\ttestb %b1, %b1\n\tjns 1f\n\tfnclex\n1:"
               : "+t"(value), "=&a"(status)
               : "u"(other));
  return status;
}
std::uint16_t scale(long double& value, long double other) {
  std::uint16_t status = 0;
  asm volatile("fscale\n\tfnstsw %1\n\ttestb %b1, %b1\n\tjns 1f\n\tfnclex\n1:"
               : "+t"(value), "=&a"(status)
               : "u"(other));
  return status;
}

template <auto kOperation, std::uint16_t kConditions>
Flow binary(Cpu& cpu, const Op& op) {
  if (!begin_x87(cpu)) return Flow::Fault;
  note_instruction(cpu, op.extra);
  X87& fpu = cpu.x87;
  if (is_empty(fpu, 0) || is_empty(fpu, 1)) [[unlikely]] {
    fpu.status &= faulting_clears(kConditions);
    if (underflow(fpu)) fill(fpu, 0, kIndefinite);
    return Flow::Next;
  }
  long double value = real(st(fpu, 0));
  std::uint16_t status = 0;
  {
    const HostX87 host(fpu);
    status = kOperation(value, real(st(fpu, 1)));
  }
  // Without a number for a result there is no quotient either.
  std::uint16_t exponent = 0;
  std::memcpy(&exponent, reinterpret_cast<const std::uint8_t*>(&value) + 8, sizeof exponent);
  const bool number =
      (exponent & 0x7fff) != 0x7fff && (status & static_cast<std::uint16_t>(~fpu.control) & kFpuBefore) == 0;
  if (settle(fpu, status, number ? kConditions : kConditions & (kFpuC1 | kFpuC2))) real(st(fpu, 0)) = value;
  return Flow::Next;
}

// ST(0) and ST(1) to ST(1), and a pop. The host pops too, unless an unmasked exception keeps it from doing anything;
// TOP tells, and then a value is dropped to make the two cases alike.
std::uint16_t times_logarithm(long double& result, long double top, long double below) {
  std::uint16_t status = 0;
  std::uint16_t before = 0;
  asm volatile(
      "fnstsw %2\n\tfyl2x\n\tfnstsw %1\n\ttestb %b1, %b1\n\tjns 1f\n\tfnclex\n1:\n\txorw %w1, %2\n\ttestw $0x3800, "
      "%2\n\tjnz 2f\n\tfstp %%st(0)\n2:"
      : "=t"(result), "=&a"(status), "=m"(before)
      : "0"(top), "u"(below)
      : "st(1)");
  return status;
}
std::uint16_t times_logarithm_plus_one(long double& result, long double top, long double below) {
  std::uint16_t status = 0;
  std::uint16_t before = 0;
  asm volatile(
      "fnstsw %2\n\tfyl2xp1\n\tfnstsw %1\n\ttestb %b1, %b1\n\tjns 1f\n\tfnclex\n1:\n\txorw %w1, %2\n\ttestw $0x3800, "
      "%2\n\tjnz 2f\n\tfstp %%st(0)\n2:"
      : "=t"(result), "=&a"(status), "=m"(before)
      : "0"(top), "u"(below)
      : "st(1)");
  return status;
}
std::uint16_t arctangent(long double& result, long double top, long double below) {
  std::uint16_t status = 0;
  std::uint16_t before = 0;
  asm volatile(
      "fnstsw %2\n\tfpatan\n\tfnstsw %1\n\ttestb %b1, %b1\n\tjns 1f\n\tfnclex\n1:\n\txorw %w1, %2\n\ttestw $0x3800, "
      "%2\n\tjnz 2f\n\tfstp %%st(0)\n2:"
      : "=t"(result), "=&a"(status), "=m"(before)
      : "0"(top), "u"(below)
      : "st(1)");
  return status;
}

template <auto kOperation>
Flow popping(Cpu& cpu, const Op& op) {
  if (!begin_x87(cpu)) return Flow::Fault;
  note_instruction(cpu, op.extra);
  X87& fpu = cpu.x87;
  if (is_empty(fpu, 0) || is_empty(fpu, 1)) [[unlikely]] {
    if (!underflow(fpu)) return Flow::Next;
    fill(fpu, 1, kIndefinite);
  } else {
    long double result = 0;
    std::uint16_t status = 0;
    {
      const HostX87 host(fpu);
      status = kOperation(result, real(st(fpu, 0)), real(st(fpu, 1)));
    }
    if (!settle(fpu, status)) return Flow::Next;
    real(st(fpu, 1)) = result;
  }
  pop(fpu);
  return Flow::Next;
}

// ST(0) to ST(0), and another result on top. The host does not push after an unmasked exception or, with C2, if the
// operand was out of range; then a zero is pushed.
std::uint16_t tangent(long double& top, long double& below, long double operand) {
  std::uint16_t status = 0;
  std::uint16_t before = 0;
  asm volatile(
      "fnstsw %3\n\tfptan\n\tfnstsw %2\n\ttestb %b2, %b2\n\tjns 1f\n\tfnclex\n1:\n\txorw %w2, %3\n\ttestw $0x3800, "
      "%3\n\tjnz 2f\n\tfldz\n2:"
      : "=t"(top), "=u"(below), "=&a"(status), "=m"(before)
      : "0"(operand));
  return status;
}
std::uint16_t sine_and_cosine(long double& top, long double& below, long double operand) {
  std::uint16_t status = 0;
  std::uint16_t before = 0;
  asm volatile(
      "fnstsw %3\n\tfsincos\n\tfnstsw %2\n\ttestb %b2, %b2\n\tjns 1f\n\tfnclex\n1:\n\txorw %w2, %3\n\ttestw $0x3800, "
      "%3\n\tjnz 2f\n\tfldz\n2:"
      : "=t"(top), "=u"(below), "=&a"(status), "=m"(before)
      : "0"(operand));
  return status;
}
std::uint16_t extract(long double& top, long double& below, long double operand) {
  std::uint16_t status = 0;
  std::uint16_t before = 0;
  asm volatile(
      "fnstsw %3\n\tfxtract\n\tfnstsw %2\n\ttestb %b2, %b2\n\tjns 1f\n\tfnclex\n1:\n\txorw %w2, %3\n\ttestw $0x3800, "
      "%3\n\tjnz 2f\n\tfldz\n2:"
      : "=t"(top), "=u"(below), "=&a"(status), "=m"(before)
      : "0"(operand));
  return status;
}

template <auto kOperation, std::uint16_t kConditions>
Flow pushing(Cpu& cpu, const Op& op) {
  if (!begin_x87(cpu)) return Flow::Fault;
  note_instruction(cpu, op.extra);
  X87& fpu = cpu.x87;
  if (is_empty(fpu, 0) || !is_empty(fpu, 7)) [[unlikely]] {
    fpu.status &= faulting_clears(kConditions);
    if (is_empty(fpu, 0) ? underflow(fpu) : overflow(fpu)) {
      fill(fpu, 0, kIndefinite);
      push(fpu, kIndefinite);
    }
    return Flow::Next;
  }
  long double below = 0;
  X87::Register top;
  std::uint16_t status = 0;
  {
    const HostX87 host(fpu);
    long double pushed = 0;
    status = kOperation(pushed, below, real(st(fpu, 0)));
    real(top) = pushed;
  }
  if (!settle(fpu, status, kConditions) || (status & kConditions & kFpuC2) != 0) return Flow::Next;
  real(st(fpu, 0)) = below;
  push(fpu, top);
  return Flow::Next;
}

// FCHS and FABS touch the sign only, even of what is no number.
template <auto kOperation>
Flow sign(Cpu& cpu, const Op& op) {
  if (!begin_x87(cpu)) return Flow::Fault;
  note_instruction(cpu, op.extra);
  X87& fpu = cpu.x87;
  fpu.status &= static_cast<std::uint16_t>(~kFpuC1);
  if (!is_empty(fpu, 0)) [[likely]] {
    st(fpu, 0).sign_exponent = kOperation(st(fpu, 0).sign_exponent);
  } else if (underflow(fpu)) {
    fill(fpu, 0, kIndefinite);
  }
  return Flow::Next;
}

Flow test(Cpu& cpu, const Op& op) {
  if (!begin_x87(cpu)) return Flow::Fault;
  note_instruction(cpu, op.extra);
  X87& fpu = cpu.x87;
  if (is_empty(fpu, 0)) [[unlikely]] {
    underflow(fpu);
    fpu.status |= kFpuC0 | kFpuC2 | kFpuC3;
    return Flow::Next;
  }
  std::uint16_t status = 0;
  {
    const HostX87 host(fpu);
    asm volatile("ftst\n\tfnstsw %0\n\ttestb %b0, %b0\n\tjns 1f\n\tfnclex\n1:" : "=&a"(status) : "t"(real(st(fpu, 0))));
  }
  settle(fpu, status, kFpuConditions);
  return Flow::Next;
}

// [SDM 2 FXAM] The sign is told of an empty register too.
Flow examine(Cpu& cpu, const Op& op) {
  if (!begin_x87(cpu)) return Flow::Fault;
  note_instruction(cpu, op.extra);
  X87& fpu = cpu.x87;
  std::uint16_t codes = 0;
  asm volatile("fxam\n\tfnstsw %0" : "=&a"(codes) : "t"(real(st(fpu, 0))));
  codes &= kFpuConditions;
  if (is_empty(fpu, 0)) codes = static_cast<std::uint16_t>((codes & kFpuC1) | kFpuC3 | kFpuC0);
  fpu.status = static_cast<std::uint16_t>((fpu.status & ~kFpuConditions) | codes);
  return Flow::Next;
}

template <unsigned kStep>
Flow rotate(Cpu& cpu, const Op& op) {
  if (!begin_x87(cpu)) return Flow::Fault;
  note_instruction(cpu, op.extra);
  cpu.x87.top = (cpu.x87.top + kStep) & 7;
  cpu.x87.status &= static_cast<std::uint16_t>(~kFpuC1);
  return Flow::Next;
}

constexpr std::uint16_t kInRange = kFpuC1 | kFpuC2;

// D9 E0 to D9 FF.
constexpr Handler kFunctions[32] = {
    sign<[](std::uint16_t value) { return static_cast<std::uint16_t>(value ^ 0x8000); }>,
    sign<[](std::uint16_t value) { return static_cast<std::uint16_t>(value & 0x7fff); }>,
    nullptr,
    nullptr,
    test,
    examine,
    nullptr,
    nullptr,
    nullptr,
    nullptr,
    nullptr,
    nullptr,
    nullptr,
    nullptr,
    nullptr,
    nullptr,
    unary<exponential, kFpuC1>,
    popping<times_logarithm>,
    pushing<tangent, kInRange>,
    popping<arctangent>,
    pushing<extract, kFpuC1>,
    binary<nearest_remainder, kFpuConditions>,
    rotate<7>,
    rotate<1>,
    binary<remainder, kFpuConditions>,
    popping<times_logarithm_plus_one>,
    unary<square_root, kFpuC1>,
    pushing<sine_and_cosine, kInRange>,
    unary<round_to_integer, kFpuC1>,
    binary<scale, kFpuC1>,
    unary<sine, kInRange>,
    unary<cosine, kInRange>,
};

}  // namespace

Handler x87_function_form(unsigned opcode, unsigned modrm) {
  return opcode == 1 && modrm >= 0xe0 ? kFunctions[modrm - 0xe0] : nullptr;
}

}  // namespace vmm::cpu::soft
