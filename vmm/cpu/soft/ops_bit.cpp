// Bit tests, scans and counts, BMI1 and BMI2 without the shifts, CRC32. [SDM 2]
#include <bit>

#include "vmm/cpu/soft/forms.h"

namespace vmm::cpu::soft {
namespace {

template <class T>
constexpr unsigned kBits = 8 * sizeof(T);
template <class T>
constexpr unsigned kBitShift = sizeof(T) == 2   ? 4
                               : sizeof(T) == 4 ? 5
                                                : 6;

// BT leaves ZF alone [SDM 2], and processors the other flags too.
struct Keep {
  static constexpr bool kWrites = false;
  template <class T>
  static T apply(T a, T) {
    return a;
  }
};
struct Set {
  static constexpr bool kWrites = true;
  template <class T>
  static T apply(T a, T bit) {
    return static_cast<T>(a | bit);
  }
};
struct Reset {
  static constexpr bool kWrites = true;
  template <class T>
  static T apply(T a, T bit) {
    return static_cast<T>(a & ~bit);
  }
};
struct Complement {
  static constexpr bool kWrites = true;
  template <class T>
  static T apply(T a, T bit) {
    return static_cast<T>(a ^ bit);
  }
};

template <class T>
T one_bit(std::uint64_t number) {
  return static_cast<T>(std::uint64_t{1} << (number % kBits<T>));
}

template <class O, class T, bool kImmediate>
Flow bit_reg(Cpu& cpu, const Op& op) {
  const T bit = one_bit<T>(kImmediate ? op.immediate : cpu.reg<T>(op.rm));
  const T a = cpu.reg<T>(op.reg);
  if constexpr (O::kWrites) cpu.set_reg<T>(op.reg, O::apply(a, bit));
  cpu.flags.set_cf((a & bit) != 0);
  return Flow::Next;
}

// Memory operands are bit strings: a register's number, which is signed, may lead far away from the address.
template <class O, class T, bool kImmediate, bool kIndivisible>
Flow bit_mem(Cpu& cpu, const Op& op) {
  std::uint64_t address = effective_address(cpu, op);
  std::uint64_t number = op.immediate;
  if constexpr (!kImmediate) {
    const auto offset = static_cast<std::make_signed_t<T>>(cpu.reg<T>(op.reg));
    number = static_cast<std::uint64_t>(std::int64_t{offset});
    address += static_cast<std::uint64_t>((std::int64_t{offset} >> kBitShift<T>)*std::int64_t{sizeof(T)});
    if ((op.flags & kAddress32) != 0) address = static_cast<std::uint32_t>(address);
    if ((op.flags & kAddress16) != 0) address = static_cast<std::uint16_t>(address);
  }
  const T bit = one_bit<T>(number);
  std::uint64_t linear = 0;
  T old = 0;
  if (!linear_address(cpu, op, address, sizeof(T), O::kWrites ? Access::Write : Access::Read, linear))
    return Flow::Fault;
  if constexpr (O::kWrites) {
    if (!cpu.mmu.read_for_write(linear, old)) return Flow::Fault;
    auto change = [&cpu, bit](T a) {
      cpu.flags.set_cf((a & bit) != 0);
      return O::apply(a, bit);
    };
    if constexpr (kIndivisible) {
      store_locked(cpu, linear, old, change);
    } else {
      cpu.mmu.write(linear, change(old));
    }
  } else {
    if (!cpu.mmu.read(linear, old)) return Flow::Fault;
    cpu.flags.set_cf((old & bit) != 0);
  }
  return Flow::Next;
}
template <class O>
Handler select_bit(const Instruction& instruction, Op& op) {
  take_operands(instruction, op);
  const bool memory = instruction.operand_is_memory(0);
  return for_wide_size(instruction.bits(0), [&]<class T>() {
    return for_bool(is_immediate(instruction, 1), [&](auto immediate) -> Handler {
      if (!memory) return bit_reg<O, T, immediate.value>;
      if (O::kWrites && is_locked(op)) return bit_mem<O, T, immediate.value, true>;
      return bit_mem<O, T, immediate.value, false>;
    });
  });
}

template <class T>
bool load_source(Cpu& cpu, const Op& op, T& value) {
  if ((op.flags & kHasMemory) != 0) return load(cpu, op, value);
  value = cpu.reg<T>(op.rm);
  return true;
}

// BSF and BSR of zero leave the destination alone.
template <class T, bool kReverse>
Flow bit_scan(Cpu& cpu, const Op& op) {
  T source = 0;
  if (!load_source(cpu, op, source)) return Flow::Fault;
  cpu.flags.set_logic(source);
  if (source != 0) {
    const int index = kReverse ? static_cast<int>(kBits<T>) - 1 - std::countl_zero(source) : std::countr_zero(source);
    cpu.set_reg<T>(op.reg, static_cast<T>(index));
  }
  return Flow::Next;
}
template <class T, bool kLeading>
Flow count_zeros(Cpu& cpu, const Op& op) {
  T source = 0;
  if (!load_source(cpu, op, source)) return Flow::Fault;
  const auto result = static_cast<T>(kLeading ? std::countl_zero(source) : std::countr_zero(source));
  cpu.set_reg<T>(op.reg, result);
  cpu.flags.set_logic(result);
  cpu.flags.set_cf(source == 0);
  return Flow::Next;
}
template <class T>
Flow count_ones(Cpu& cpu, const Op& op) {
  T source = 0;
  if (!load_source(cpu, op, source)) return Flow::Fault;
  cpu.set_reg<T>(op.reg, static_cast<T>(std::popcount(source)));
  cpu.flags.assign(source == 0 ? kZf : 0);
  return Flow::Next;
}

// BLSI, BLSR, BLSMSK: what f makes of the source; CF if the source is zero, or for BLSI if it is not.
struct LowestBit {
  static constexpr bool kCarryIfZero = false;
  template <class T>
  static T apply(T a) {
    return static_cast<T>(a & (T{0} - a));
  }
};
struct WithoutLowestBit {
  static constexpr bool kCarryIfZero = true;
  template <class T>
  static T apply(T a) {
    return static_cast<T>(a & (a - 1));
  }
};
struct MaskToLowestBit {
  static constexpr bool kCarryIfZero = true;
  template <class T>
  static T apply(T a) {
    return static_cast<T>(a ^ (a - 1));
  }
};
template <class O, class T>
Flow lowest_bit(Cpu& cpu, const Op& op) {
  T source = 0;
  if (!load_source(cpu, op, source)) return Flow::Fault;
  const T result = O::apply(source);
  cpu.set_reg<T>(op.reg, result);
  cpu.flags.set_logic(result);
  cpu.flags.set_cf((source == 0) == O::kCarryIfZero);
  return Flow::Next;
}

// Three operands: op.extra is the one that VEX.vvvv names.
template <class T>
T vex_register(const Cpu& cpu, const Op& op) {
  return cpu.reg<T>(static_cast<std::uint8_t>(op.extra));
}
template <class T>
Flow and_not(Cpu& cpu, const Op& op) {
  T source = 0;
  if (!load_source(cpu, op, source)) return Flow::Fault;
  const T result = static_cast<T>(~vex_register<T>(cpu, op) & source);
  cpu.set_reg<T>(op.reg, result);
  cpu.flags.set_logic(result);
  return Flow::Next;
}
template <class T>
Flow bit_field_extract(Cpu& cpu, const Op& op) {
  T source = 0;
  if (!load_source(cpu, op, source)) return Flow::Fault;
  const T control = vex_register<T>(cpu, op);
  const unsigned start = control & 0xff, length = control >> 8 & 0xff;
  T result = start < kBits<T> ? static_cast<T>(source >> start) : T{0};
  if (length < kBits<T>) result = static_cast<T>(result & (one_bit<T>(length) - 1));
  cpu.set_reg<T>(op.reg, result);
  cpu.flags.set_logic(result);
  return Flow::Next;
}
template <class T>
Flow zero_high_bits(Cpu& cpu, const Op& op) {
  T source = 0;
  if (!load_source(cpu, op, source)) return Flow::Fault;
  const unsigned index = vex_register<T>(cpu, op) & 0xff;
  const bool beyond = index >= kBits<T>;
  const T result = beyond ? source : static_cast<T>(source & (one_bit<T>(index) - 1));
  cpu.set_reg<T>(op.reg, result);
  cpu.flags.set_logic(result);
  cpu.flags.set_cf(beyond);
  return Flow::Next;
}
template <class T, bool kExtract>
Flow parallel_bits(Cpu& cpu, const Op& op) {
  T mask = 0;
  if (!load_source(cpu, op, mask)) return Flow::Fault;
  const T source = vex_register<T>(cpu, op);
  T result = 0;
  for (unsigned n = 0; mask != 0; ++n, mask = static_cast<T>(mask & (mask - 1))) {
    const T place = static_cast<T>(mask & (T{0} - mask));
    const T from = kExtract ? place : one_bit<T>(n), to = kExtract ? one_bit<T>(n) : place;
    if ((source & from) != 0) result = static_cast<T>(result | to);
  }
  cpu.set_reg<T>(op.reg, result);
  return Flow::Next;
}

// The polynomial 11EDC6F41h, bit-reflected. [SDM 2 CRC32]
constexpr std::array<std::uint32_t, 256> kCrcTable = [] {
  std::array<std::uint32_t, 256> table{};
  for (std::uint32_t byte = 0; byte < 256; ++byte) {
    std::uint32_t crc = byte;
    for (int bit = 0; bit < 8; ++bit)
      crc = crc >> 1 ^ ((crc & 1) != 0 ? 0x82f63b78u : 0);
    table[byte] = crc;
  }
  return table;
}();
template <class T>
Flow crc32(Cpu& cpu, const Op& op) {
  T source = 0;
  if (!load_source(cpu, op, source)) return Flow::Fault;
  auto crc = cpu.reg<std::uint32_t>(op.reg);
  for (unsigned n = 0; n < sizeof(T); ++n)
    crc = crc >> 8 ^ kCrcTable[(crc ^ std::uint64_t{source} >> (8 * n)) & 0xff];
  cpu.set_reg(op.reg, crc);  // with a 64-bit destination too the upper half becomes zero
  return Flow::Next;
}
Handler select_crc32(const Instruction& instruction, Op& op) {
  take_operands(instruction, op);
  return for_size(instruction.bits(1), []<class T>() -> Handler { return crc32<T>; });
}

// f.operator()<T>() is the function for operands of that size, for instructions of two operands.
template <class F>
constexpr Selector select_two(F) {
  return [](const Instruction& instruction, Op& op) {
    take_operands(instruction, op);
    return for_wide_size(instruction.bits(0), F{});
  };
}
// VEX.vvvv is operand `kVex`, ModRM.rm is operand 3 - kVex.
template <unsigned kVex, class F>
constexpr Selector select_three(F) {
  return [](const Instruction& instruction, Op& op) {
    op.reg = general_operand(instruction, 0);
    op.extra = general_operand(instruction, kVex);
    if (!instruction.operand_is_memory(3 - kVex)) op.rm = general_operand(instruction, 3 - kVex);
    return for_wide_size(instruction.bits(0), F{});
  };
}

constexpr SelectorTable kSelectors{
    {ZYDIS_MNEMONIC_BT, select_bit<Keep>},
    {ZYDIS_MNEMONIC_BTS, select_bit<Set>},
    {ZYDIS_MNEMONIC_BTR, select_bit<Reset>},
    {ZYDIS_MNEMONIC_BTC, select_bit<Complement>},
    {ZYDIS_MNEMONIC_BSF, select_two([]<class T>() -> Handler { return bit_scan<T, false>; })},
    {ZYDIS_MNEMONIC_BSR, select_two([]<class T>() -> Handler { return bit_scan<T, true>; })},
    {ZYDIS_MNEMONIC_TZCNT, select_two([]<class T>() -> Handler { return count_zeros<T, false>; })},
    {ZYDIS_MNEMONIC_LZCNT, select_two([]<class T>() -> Handler { return count_zeros<T, true>; })},
    {ZYDIS_MNEMONIC_POPCNT, select_two([]<class T>() -> Handler { return count_ones<T>; })},
    {ZYDIS_MNEMONIC_BLSI, select_two([]<class T>() -> Handler { return lowest_bit<LowestBit, T>; })},
    {ZYDIS_MNEMONIC_BLSR, select_two([]<class T>() -> Handler { return lowest_bit<WithoutLowestBit, T>; })},
    {ZYDIS_MNEMONIC_BLSMSK, select_two([]<class T>() -> Handler { return lowest_bit<MaskToLowestBit, T>; })},
    {ZYDIS_MNEMONIC_ANDN, select_three<1>([]<class T>() -> Handler { return and_not<T>; })},
    {ZYDIS_MNEMONIC_PDEP, select_three<1>([]<class T>() -> Handler { return parallel_bits<T, false>; })},
    {ZYDIS_MNEMONIC_PEXT, select_three<1>([]<class T>() -> Handler { return parallel_bits<T, true>; })},
    {ZYDIS_MNEMONIC_BEXTR, select_three<2>([]<class T>() -> Handler { return bit_field_extract<T>; })},
    {ZYDIS_MNEMONIC_BZHI, select_three<2>([]<class T>() -> Handler { return zero_high_bits<T>; })},
    {ZYDIS_MNEMONIC_CRC32, select_crc32},
};

}  // namespace

Handler bit_family(const Instruction& instruction, Op& op) {
  return kSelectors(instruction, op);
}

}  // namespace vmm::cpu::soft
