// Loads, stores and exchanges of x87 registers, constants and conditional moves. [SDM 1 8.3.3, 8.3.4]
#include <array>

#include "vmm/cpu/soft/ops_x87.h"

namespace vmm::cpu::soft {
namespace {

// Loads

// FLD of a number in a shorter format. A signaling NaN is invalid, a denormal number is loaded even where that is an
// unmasked exception.
struct LoadSingle {
  using Loaded = std::uint32_t;
  static std::uint16_t run(long double& value, std::uint32_t loaded) {
    std::uint16_t status = 0;
    asm volatile("flds %2\n\tfnstsw %1" : "=t"(value), "=&a"(status) : "m"(loaded));
    return status;
  }
};
struct LoadDouble {
  using Loaded = std::uint64_t;
  static std::uint16_t run(long double& value, std::uint64_t loaded) {
    std::uint16_t status = 0;
    asm volatile("fldl %2\n\tfnstsw %1" : "=t"(value), "=&a"(status) : "m"(loaded));
    return status;
  }
};

// False if there is no room and that is an unmasked exception; masked, the indefinite has been pushed already.
bool room(X87& fpu) {
  if (is_empty(fpu, 7)) [[likely]] {
    fpu.status &= static_cast<std::uint16_t>(~kFpuC1);
    return true;
  }
  if (overflow(fpu)) push(fpu, kIndefinite);
  return false;
}
void push_real(X87& fpu, long double value) {
  X87::Register pushed;
  real(pushed) = value;
  push(fpu, pushed);
}

template <class Load>
Flow load_number(Cpu& cpu, const Op& op) {
  typename Load::Loaded loaded{};
  if (!begin_x87(cpu) || !load_x87(cpu, op, loaded)) return Flow::Fault;
  X87& fpu = cpu.x87;
  if (!room(fpu)) return Flow::Next;
  long double value = 0;
  std::uint16_t status = 0;
  {
    const HostX87 host(fpu, Control::Masked);
    status = Load::run(value, loaded);
  }
  if (settle(fpu, status, kFpuC1, kFpuIe)) push_real(fpu, value);
  return Flow::Next;
}
template <class T>
Flow load_integer(Cpu& cpu, const Op& op) {
  T loaded{};
  if (!begin_x87(cpu) || !load_x87(cpu, op, loaded)) return Flow::Fault;
  if (room(cpu.x87)) push_real(cpu.x87, static_cast<long double>(loaded));
  return Flow::Next;
}

struct TenBytes {
  std::array<std::uint8_t, 10> bytes;
};
Flow load_extended(Cpu& cpu, const Op& op) {
  TenBytes loaded{};
  if (!begin_x87(cpu) || !load_x87(cpu, op, loaded)) return Flow::Fault;
  if (!room(cpu.x87)) return Flow::Next;
  X87::Register pushed;
  std::memcpy(&pushed.mantissa, loaded.bytes.data(), 8);
  std::memcpy(&pushed.sign_exponent, loaded.bytes.data() + 8, 2);
  push(cpu.x87, pushed);
  return Flow::Next;
}
Flow load_decimal(Cpu& cpu, const Op& op) {
  TenBytes loaded{};
  if (!begin_x87(cpu) || !load_x87(cpu, op, loaded)) return Flow::Fault;
  if (!room(cpu.x87)) return Flow::Next;
  long double value = 0;
  asm volatile("fbld %1" : "=t"(value) : "m"(loaded));
  push_real(cpu.x87, value);
  return Flow::Next;
}
Flow load_register(Cpu& cpu, const Op& op) {
  if (!begin_x87(cpu)) return Flow::Fault;
  note_instruction(cpu, op.extra);
  X87& fpu = cpu.x87;
  if (is_empty(fpu, stack_index(op))) [[unlikely]] {
    if (underflow(fpu)) push(fpu, kIndefinite);
  } else if (room(fpu)) {
    const X87::Register copy = st(fpu, stack_index(op));
    push(fpu, copy);
  }
  return Flow::Next;
}

// Constants are rounded as the control word says. [SDM 2 FLD1]
template <auto kConstant>
Flow load_constant(Cpu& cpu, const Op& op) {
  if (!begin_x87(cpu)) return Flow::Fault;
  note_instruction(cpu, op.extra);
  if (!room(cpu.x87)) return Flow::Next;
  long double value = 0;
  {
    const HostX87 host(cpu.x87, Control::Masked);
    kConstant(value);
  }
  push_real(cpu.x87, value);
  return Flow::Next;
}
constexpr Handler kConstants[] = {
    load_constant<[](long double& value) { asm volatile("fld1"
                                                        : "=t"(value)); }>,
    load_constant<[](long double& value) { asm volatile("fldl2t"
                                                        : "=t"(value)); }>,
    load_constant<[](long double& value) { asm volatile("fldl2e"
                                                        : "=t"(value)); }>,
    load_constant<[](long double& value) { asm volatile("fldpi"
                                                        : "=t"(value)); }>,
    load_constant<[](long double& value) { asm volatile("fldlg2"
                                                        : "=t"(value)); }>,
    load_constant<[](long double& value) { asm volatile("fldln2"
                                                        : "=t"(value)); }>,
    load_constant<[](long double& value) { asm volatile("fldz"
                                                        : "=t"(value)); }>,
};

// Stores

// Each stores ST(0) in a format of its own and answers the status word; those that the host has as popping
// instructions only run with exceptions masked.
struct Single {
  using Stored = std::uint32_t;
  static constexpr Control kControl = Control::Guest;
  static constexpr Stored kIndefiniteValue = 0xffc00000;
  static std::uint16_t run(Stored& stored, long double value) {
    std::uint16_t status = 0;
    asm volatile("fsts %0\n\tfnstsw %1\n\ttestb %b1, %b1\n\tjns 1f\n\tfnclex\n1:"
                 : "=m"(stored), "=&a"(status)
                 : "t"(value));
    return status;
  }
};
struct Double {
  using Stored = std::uint64_t;
  static constexpr Control kControl = Control::Guest;
  static constexpr Stored kIndefiniteValue = 0xfff8000000000000;
  static std::uint16_t run(Stored& stored, long double value) {
    std::uint16_t status = 0;
    asm volatile("fstl %0\n\tfnstsw %1\n\ttestb %b1, %b1\n\tjns 1f\n\tfnclex\n1:"
                 : "=m"(stored), "=&a"(status)
                 : "t"(value));
    return status;
  }
};
struct Word {
  using Stored = std::uint16_t;
  static constexpr Control kControl = Control::Guest;
  static constexpr Stored kIndefiniteValue = 0x8000;
  static std::uint16_t run(Stored& stored, long double value) {
    std::uint16_t status = 0;
    asm volatile("fists %0\n\tfnstsw %1\n\ttestb %b1, %b1\n\tjns 1f\n\tfnclex\n1:"
                 : "=m"(stored), "=&a"(status)
                 : "t"(value));
    return status;
  }
};
struct Doubleword {
  using Stored = std::uint32_t;
  static constexpr Control kControl = Control::Guest;
  static constexpr Stored kIndefiniteValue = 0x80000000;
  static std::uint16_t run(Stored& stored, long double value) {
    std::uint16_t status = 0;
    asm volatile("fistl %0\n\tfnstsw %1\n\ttestb %b1, %b1\n\tjns 1f\n\tfnclex\n1:"
                 : "=m"(stored), "=&a"(status)
                 : "t"(value));
    return status;
  }
};
struct Quadword {
  using Stored = std::uint64_t;
  static constexpr Control kControl = Control::Masked;
  static constexpr Stored kIndefiniteValue = std::uint64_t{1} << 63;
  static std::uint16_t run(Stored& stored, long double value) {
    std::uint16_t status = 0;
    asm volatile("fistpll %0\n\tfnstsw %1\n\ttestb %b1, %b1\n\tjns 1f\n\tfnclex\n1:"
                 : "=m"(stored), "=&a"(status)
                 : "t"(value)
                 : "st");
    return status;
  }
};
struct TruncatedWord {
  using Stored = std::uint16_t;
  static constexpr Control kControl = Control::Masked;
  static constexpr Stored kIndefiniteValue = 0x8000;
  static std::uint16_t run(Stored& stored, long double value) {
    std::uint16_t status = 0;
    asm volatile("fisttps %0\n\tfnstsw %1\n\ttestb %b1, %b1\n\tjns 1f\n\tfnclex\n1:"
                 : "=m"(stored), "=&a"(status)
                 : "t"(value)
                 : "st");
    return status;
  }
};
struct TruncatedDoubleword {
  using Stored = std::uint32_t;
  static constexpr Control kControl = Control::Masked;
  static constexpr Stored kIndefiniteValue = 0x80000000;
  static std::uint16_t run(Stored& stored, long double value) {
    std::uint16_t status = 0;
    asm volatile("fisttpl %0\n\tfnstsw %1\n\ttestb %b1, %b1\n\tjns 1f\n\tfnclex\n1:"
                 : "=m"(stored), "=&a"(status)
                 : "t"(value)
                 : "st");
    return status;
  }
};
struct TruncatedQuadword {
  using Stored = std::uint64_t;
  static constexpr Control kControl = Control::Masked;
  static constexpr Stored kIndefiniteValue = std::uint64_t{1} << 63;
  static std::uint16_t run(Stored& stored, long double value) {
    std::uint16_t status = 0;
    asm volatile("fisttpll %0\n\tfnstsw %1\n\ttestb %b1, %b1\n\tjns 1f\n\tfnclex\n1:"
                 : "=m"(stored), "=&a"(status)
                 : "t"(value)
                 : "st");
    return status;
  }
};
struct Decimal {
  using Stored = TenBytes;
  static constexpr Control kControl = Control::Masked;
  static constexpr Stored kIndefiniteValue = {{0, 0, 0, 0, 0, 0, 0, 0xc0, 0xff, 0xff}};
  static std::uint16_t run(Stored& stored, long double value) {
    std::uint16_t status = 0;
    asm volatile("fbstp %0\n\tfnstsw %1\n\ttestb %b1, %b1\n\tjns 1f\n\tfnclex\n1:"
                 : "=m"(stored), "=&a"(status)
                 : "t"(value)
                 : "st");
    return status;
  }
};

// Nothing is stored, but the access must be possible nevertheless.
template <unsigned kBytes>
bool probe_x87(Cpu& cpu, const Op& op) {
  DataPointer pointer(cpu, op);
  if (!linear_address(cpu, op, pointer.offset, kBytes, Access::Write, pointer.linear) ||
      !cpu.mmu.probe(pointer.linear, kBytes, Access::Write)) {
    return false;
  }
  pointer.note(cpu);
  return true;
}

// A number that is too great or too small is not stored if that is an unmasked exception, unlike to a register.
constexpr std::uint16_t kStoreForbidding = kFpuIe | kFpuDe | kFpuOe | kFpuUe;

template <class Format, bool kPop>
Flow store_number(Cpu& cpu, const Op& op) {
  if (!begin_x87(cpu)) return Flow::Fault;
  X87& fpu = cpu.x87;
  typename Format::Stored stored = Format::kIndefiniteValue;
  std::uint16_t status = kFpuIe | kFpuSf;
  if (!is_empty(fpu, 0)) [[likely]] {
    const HostX87 host(fpu, Format::kControl);
    status = Format::run(stored, real(st(fpu, 0)));
  }
  // The host's own stack does not fault.
  const std::uint16_t old = fpu.status;
  fpu.status |= status & kFpuSf;
  const bool stores = settle(fpu, status, kFpuC1, kStoreForbidding);
  if (!(stores ? store_x87(cpu, op, stored) : probe_x87<sizeof stored>(cpu, op))) {
    fpu.status = old;
    return Flow::Fault;
  }
  if (kPop && stores) pop(fpu);
  return Flow::Next;
}

Flow store_extended(Cpu& cpu, const Op& op) {
  if (!begin_x87(cpu)) return Flow::Fault;
  X87& fpu = cpu.x87;
  const bool empty = is_empty(fpu, 0);
  if (empty && (fpu.control & kFpuIe) == 0) {
    if (!probe_x87<sizeof(TenBytes)>(cpu, op)) return Flow::Fault;
    underflow(fpu);
    return Flow::Next;
  }
  const X87::Register& value = empty ? kIndefinite : st(fpu, 0);
  TenBytes stored{};
  std::memcpy(&stored, &value, sizeof stored);
  if (!store_x87(cpu, op, stored)) return Flow::Fault;
  fpu.status &= static_cast<std::uint16_t>(~kFpuC1);
  if (empty) underflow(fpu);
  pop(fpu);
  return Flow::Next;
}

template <bool kPop>
Flow store_register(Cpu& cpu, const Op& op) {
  if (!begin_x87(cpu)) return Flow::Fault;
  note_instruction(cpu, op.extra);
  X87& fpu = cpu.x87;
  fpu.status &= static_cast<std::uint16_t>(~kFpuC1);
  if (!is_empty(fpu, 0)) {
    const X87::Register copy = st(fpu, 0);
    fill(fpu, stack_index(op), copy);
  } else if (underflow(fpu)) {
    fill(fpu, stack_index(op), kIndefinite);
  } else {
    return Flow::Next;
  }
  if constexpr (kPop) pop(fpu);
  return Flow::Next;
}

Flow exchange(Cpu& cpu, const Op& op) {
  if (!begin_x87(cpu)) return Flow::Fault;
  note_instruction(cpu, op.extra);
  X87& fpu = cpu.x87;
  const unsigned other = stack_index(op);
  fpu.status &= static_cast<std::uint16_t>(~kFpuC1);
  if (is_empty(fpu, 0) || is_empty(fpu, other)) [[unlikely]] {
    if (!underflow(fpu)) return Flow::Next;
    if (is_empty(fpu, 0)) fill(fpu, 0, kIndefinite);
    if (is_empty(fpu, other)) fill(fpu, other, kIndefinite);
  }
  const X87::Register top = st(fpu, 0);
  st(fpu, 0) = st(fpu, other);
  st(fpu, other) = top;
  return Flow::Next;
}

// FCMOVcc: a stack fault does not wait for the condition. [SDM 2 FCMOVcc]
template <auto kCondition>
Flow move_if(Cpu& cpu, const Op& op) {
  if (!begin_x87(cpu)) return Flow::Fault;
  note_instruction(cpu, op.extra);
  X87& fpu = cpu.x87;
  if (is_empty(fpu, 0) || is_empty(fpu, stack_index(op))) [[unlikely]] {
    if (underflow(fpu)) fill(fpu, 0, kIndefinite);
  } else if (kCondition(cpu.flags)) {
    const X87::Register copy = st(fpu, stack_index(op));
    st(fpu, 0) = copy;
  }
  return Flow::Next;
}
// Of DA; DB has the opposites.
constexpr Handler kMoveIf[] = {
    move_if<[](const ArithmeticFlags& flags) { return flags.cf(); }>,
    move_if<[](const ArithmeticFlags& flags) { return flags.zf(); }>,
    move_if<[](const ArithmeticFlags& flags) { return flags.cf() || flags.zf(); }>,
    move_if<[](const ArithmeticFlags& flags) { return flags.pf(); }>,
};
constexpr Handler kMoveIfNot[] = {
    move_if<[](const ArithmeticFlags& flags) { return !flags.cf(); }>,
    move_if<[](const ArithmeticFlags& flags) { return !flags.zf(); }>,
    move_if<[](const ArithmeticFlags& flags) { return !flags.cf() && !flags.zf(); }>,
    move_if<[](const ArithmeticFlags& flags) { return !flags.pf(); }>,
};

// By opcode (D8-DF) and ModRM.reg.
constexpr Handler kMemory[8][8] = {
    {},
    {load_number<LoadSingle>, nullptr, store_number<Single, false>, store_number<Single, true>},
    {},
    {load_integer<std::int32_t>, store_number<TruncatedDoubleword, true>, store_number<Doubleword, false>,
     store_number<Doubleword, true>, nullptr, load_extended, nullptr, store_extended},
    {},
    {load_number<LoadDouble>, store_number<TruncatedQuadword, true>, store_number<Double, false>,
     store_number<Double, true>},
    {},
    {load_integer<std::int16_t>, store_number<TruncatedWord, true>, store_number<Word, false>, store_number<Word, true>,
     load_decimal, load_integer<std::int64_t>, store_number<Decimal, true>, store_number<Quadword, true>},
};

}  // namespace

Handler x87_transfer_form(unsigned opcode, unsigned modrm) {
  const unsigned reg = modrm >> 3 & 7;
  if (modrm < 0xc0) return kMemory[opcode][reg];
  if (opcode == 2 && reg < 4) return kMoveIf[reg];
  if (opcode == 3 && reg < 4) return kMoveIfNot[reg];
  if (opcode == 1 && modrm >= 0xe8 && modrm <= 0xee) return kConstants[modrm - 0xe8];
  // Some encodings are aliases that no manual names. [SDM 2 appendix A has them reserved]
  switch (opcode << 8 | reg) {
    case 0x100: return load_register;
    case 0x101:
    case 0x501:
    case 0x701: return exchange;
    case 0x502: return store_register<false>;
    case 0x103:
    case 0x503:
    case 0x702:
    case 0x703: return store_register<true>;
    default: return nullptr;
  }
}

}  // namespace vmm::cpu::soft
