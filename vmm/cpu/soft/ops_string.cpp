// MOVS, STOS, LODS, CMPS and SCAS, alone and repeated. [SDM 2A CMPS, LODS, MOVS; 2B REP, SCAS, STOS]
//
// After every element RCX, RSI and RDI are consistent, so that a repeated instruction may stop for an interrupt or a
// fault and be gone on with. Runs of host memory are moved as a whole.
#include <cstring>

#include "vmm/cpu/soft/string_operands.h"

namespace vmm::cpu::soft {

namespace {

// Every kind: one element (false after a fault, with nothing changed), and as many as go at once, at most `count`
// upwards (0: none). Indices are moved by both.

template <class T, class A>
struct Movs {
  static constexpr bool kCompares = false;
  static bool one(Cpu& cpu, const Op& op) {
    std::uint64_t from = 0, to = 0;
    T value = 0;
    if (!string_address(cpu, op.segment, cpu.reg<A>(kRsi), sizeof(T), Access::Read, from) ||
        !cpu.mmu.read(from, value) || !string_address(cpu, kEs, cpu.reg<A>(kRdi), sizeof(T), Access::Write, to) ||
        !cpu.mmu.write(to, value))
      return false;
    advance<T, A>(cpu, kRsi, 1);
    advance<T, A>(cpu, kRdi, 1);
    return true;
  }
  static std::uint64_t run(Cpu& cpu, unsigned segment, std::uint64_t count) {
    std::uint8_t* from = nullptr;
    std::uint8_t* to = nullptr;
    const std::uint64_t wanted = std::min<std::uint64_t>(count, core::kPageSize) * sizeof(T);
    std::uint64_t bytes = direct_run(cpu, segment, cpu.reg<A>(kRsi), wanted, Access::Read, from);
    bytes = std::min<std::uint64_t>(bytes, direct_run(cpu, kEs, cpu.reg<A>(kRdi), wanted, Access::Write, to));
    // A copy upwards onto itself repeats what lies between the two places.
    if (bytes > 0 && to > from && to < from + bytes) bytes = static_cast<std::uint64_t>(to - from);
    const std::uint64_t elements = bytes / sizeof(T);
    if (elements == 0) return 0;
    std::memmove(to, from, elements * sizeof(T));
    advance<T, A>(cpu, kRsi, elements);
    advance<T, A>(cpu, kRdi, elements);
    return elements;
  }
};

template <class T, class A>
struct Stos {
  static constexpr bool kCompares = false;
  static bool one(Cpu& cpu, const Op&) {
    std::uint64_t to = 0;
    if (!string_address(cpu, kEs, cpu.reg<A>(kRdi), sizeof(T), Access::Write, to) ||
        !cpu.mmu.write(to, cpu.reg<T>(kRax)))
      return false;
    advance<T, A>(cpu, kRdi, 1);
    return true;
  }
  static std::uint64_t run(Cpu& cpu, unsigned, std::uint64_t count) {
    std::uint8_t* to = nullptr;
    const std::uint64_t wanted = std::min<std::uint64_t>(count, core::kPageSize) * sizeof(T);
    const std::uint64_t elements = direct_run(cpu, kEs, cpu.reg<A>(kRdi), wanted, Access::Write, to) / sizeof(T);
    if (elements == 0) return 0;
    const T value = cpu.reg<T>(kRax);
    for (std::uint64_t i = 0; i < elements; ++i)
      std::memcpy(to + i * sizeof(T), &value, sizeof value);
    advance<T, A>(cpu, kRdi, elements);
    return elements;
  }
};

template <class T, class A>
struct Lods {
  static constexpr bool kCompares = false;
  static bool one(Cpu& cpu, const Op& op) {
    std::uint64_t from = 0;
    T value = 0;
    if (!string_address(cpu, op.segment, cpu.reg<A>(kRsi), sizeof(T), Access::Read, from) || !cpu.mmu.read(from, value))
      return false;
    cpu.set_reg(kRax, value);
    advance<T, A>(cpu, kRsi, 1);
    return true;
  }
  static std::uint64_t run(Cpu&, unsigned, std::uint64_t) { return 0; }
};

template <class T>
void compare(Cpu& cpu, T a, T b) {
  cpu.flags.subtract<T>(a, b);
}

template <class T, class A>
struct Cmps {
  static constexpr bool kCompares = true;
  static bool one(Cpu& cpu, const Op& op) {
    std::uint64_t first = 0, second = 0;
    T a = 0, b = 0;
    if (!string_address(cpu, op.segment, cpu.reg<A>(kRsi), sizeof(T), Access::Read, first) || !cpu.mmu.read(first, a) ||
        !string_address(cpu, kEs, cpu.reg<A>(kRdi), sizeof(T), Access::Read, second) || !cpu.mmu.read(second, b))
      return false;
    compare(cpu, a, b);
    advance<T, A>(cpu, kRsi, 1);
    advance<T, A>(cpu, kRdi, 1);
    return true;
  }
  static std::uint64_t run(Cpu&, unsigned, std::uint64_t) { return 0; }
};

template <class T, class A>
struct Scas {
  static constexpr bool kCompares = true;
  static bool one(Cpu& cpu, const Op&) {
    std::uint64_t at = 0;
    T value = 0;
    if (!string_address(cpu, kEs, cpu.reg<A>(kRdi), sizeof(T), Access::Read, at) || !cpu.mmu.read(at, value))
      return false;
    compare(cpu, cpu.reg<T>(kRax), value);
    advance<T, A>(cpu, kRdi, 1);
    return true;
  }
  static std::uint64_t run(Cpu&, unsigned, std::uint64_t) { return 0; }
};

template <class Kind>
Flow once(Cpu& cpu, const Op& op) {
  return Kind::one(cpu, op) ? Flow::Next : Flow::Fault;
}

template <class Kind, class A>
Flow repeated(Cpu& cpu, const Op& op) {
  // A copy: a store may void the op.
  const Op own = op;
  while (cpu.reg<A>(kRcx) != 0) {
    const bool upwards = (cpu.other_flags & kDf) == 0;
    std::uint64_t done = upwards ? Kind::run(cpu, own.segment, string_part(cpu.reg<A>(kRcx))) : 0;
    if (done == 0) {
      if (!Kind::one(cpu, own)) return Flow::Fault;
      done = 1;
    }
    const auto left = static_cast<A>(cpu.reg<A>(kRcx) - done);
    cpu.set_reg(kRcx, left);
    if constexpr (Kind::kCompares) {
      if (cpu.flags.zf() != ((own.flags & kRepeat) != 0)) break;
    }
    if (left == 0) break;
    // Interrupts come between elements, and so do watchers of the pages. [SDM 2B REP]
    if (string_part_ends(left)) return Flow::Again;
    if (cpu.attention.load(std::memory_order_relaxed) != 0) return Flow::Restart;
  }
  return Flow::Next;
}

template <template <class, class> class Kind>
Handler select_string(const Instruction& instruction, Op& op, unsigned bits) {
  take_string_operands(instruction, op);
  const bool repeats = (op.flags & (kRepeat | kRepeatNot)) != 0;
  return for_string_sizes(instruction, bits, [&]<class T, class A>() -> Handler {
    return repeats ? repeated<Kind<T, A>, A> : once<Kind<T, A>>;
  });
}

template <template <class, class> class Kind, unsigned kBits>
Handler select(const Instruction& instruction, Op& op) {
  // SSE has MOVSD and CMPSD too.
  if (instruction.decoded.meta.category != ZYDIS_CATEGORY_STRINGOP) return nullptr;
  return select_string<Kind>(instruction, op, kBits);
}

constexpr SelectorTable kSelectors = {
    {ZYDIS_MNEMONIC_MOVSB, select<Movs, 8>},  {ZYDIS_MNEMONIC_MOVSW, select<Movs, 16>},
    {ZYDIS_MNEMONIC_MOVSD, select<Movs, 32>}, {ZYDIS_MNEMONIC_MOVSQ, select<Movs, 64>},
    {ZYDIS_MNEMONIC_STOSB, select<Stos, 8>},  {ZYDIS_MNEMONIC_STOSW, select<Stos, 16>},
    {ZYDIS_MNEMONIC_STOSD, select<Stos, 32>}, {ZYDIS_MNEMONIC_STOSQ, select<Stos, 64>},
    {ZYDIS_MNEMONIC_LODSB, select<Lods, 8>},  {ZYDIS_MNEMONIC_LODSW, select<Lods, 16>},
    {ZYDIS_MNEMONIC_LODSD, select<Lods, 32>}, {ZYDIS_MNEMONIC_LODSQ, select<Lods, 64>},
    {ZYDIS_MNEMONIC_CMPSB, select<Cmps, 8>},  {ZYDIS_MNEMONIC_CMPSW, select<Cmps, 16>},
    {ZYDIS_MNEMONIC_CMPSD, select<Cmps, 32>}, {ZYDIS_MNEMONIC_CMPSQ, select<Cmps, 64>},
    {ZYDIS_MNEMONIC_SCASB, select<Scas, 8>},  {ZYDIS_MNEMONIC_SCASW, select<Scas, 16>},
    {ZYDIS_MNEMONIC_SCASD, select<Scas, 32>}, {ZYDIS_MNEMONIC_SCASQ, select<Scas, 64>},
};

}  // namespace

Handler string_family(const Instruction& instruction, Op& op) {
  return kSelectors(instruction, op);
}

}  // namespace vmm::cpu::soft
