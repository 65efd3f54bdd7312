// IN, OUT, INS and OUTS. [SDM 1 18.5; 2A IN, INS; 2B OUT, OUTS]
#include <array>
#include <span>

#include "core/base/endian.h"
#include "vmm/cpu/soft/descriptors.h"
#include "vmm/cpu/soft/platform.h"
#include "vmm/cpu/soft/string_operands.h"

namespace vmm::cpu::soft {

namespace {

core::AddressSpace& ports(Cpu& cpu) {
  cpu.platform->reaches_device();
  return cpu.platform->io();
}

constexpr unsigned kBitmapPointer = 102;  // in a TSS [SDM 3A figure 7-11]

bool refuse_port(Cpu& cpu) {
  cpu.raise(Vector::GeneralProtection, 0);
  return false;
}

// The task's bitmap has a clear bit for each of the ports. False after a fault.
bool bitmap_allows(Cpu& cpu, std::uint16_t port, unsigned width) {
  const auto type = static_cast<SystemType>(cpu.tr.attributes & kTypeMask);
  if ((type != SystemType::Tss32 && type != SystemType::Tss32Busy) || cpu.tr.limit < kBitmapPointer + 1)
    return refuse_port(cpu);
  std::uint16_t bitmap = 0;
  if (!cpu.mmu.read_system(cpu.tr.base + kBitmapPointer, bitmap)) return false;
  // Two bytes are read always: a bitmap ends with a byte of ones.
  const std::uint32_t at = std::uint32_t{bitmap} + port / 8u;
  if (at + 1 > cpu.tr.limit) return refuse_port(cpu);
  std::uint16_t bits = 0;
  if (!cpu.mmu.read_system(cpu.tr.base + at, bits)) return false;
  const unsigned mask = ((1u << width) - 1) << port % 8;
  return (bits & mask) == 0 || refuse_port(cpu);
}

bool may_use_port(Cpu& cpu, std::uint16_t port, unsigned width) {
  if (!cpu.protected_mode()) return true;
  if (!cpu.virtual_8086() && cpu.cpl <= cpu.iopl()) return true;
  return bitmap_allows(cpu, port, width);
}

template <bool kImmediate>
std::uint16_t port_of(const Cpu& cpu, const Op& op) {
  return kImmediate ? static_cast<std::uint8_t>(op.immediate) : cpu.reg<std::uint16_t>(kRdx);
}

template <class T, bool kImmediate>
Flow in(Cpu& cpu, const Op& op) {
  const std::uint16_t port = port_of<kImmediate>(cpu, op);
  if (!may_use_port(cpu, port, sizeof(T))) return Flow::Fault;
  cpu.set_reg(kRax, static_cast<T>(ports(cpu).read(port, sizeof(T))));
  return Flow::Leave;
}

template <class T, bool kImmediate>
Flow out(Cpu& cpu, const Op& op) {
  const std::uint16_t port = port_of<kImmediate>(cpu, op);
  if (!may_use_port(cpu, port, sizeof(T))) return Flow::Fault;
  ports(cpu).write(port, sizeof(T), cpu.reg<T>(kRax));
  return Flow::Leave;
}

template <class T, class A>
struct Ins {
  static bool one(Cpu& cpu, const Op&) {
    std::uint64_t to = 0;
    // The port is read only if what it gives can be stored.
    if (!string_address(cpu, kEs, cpu.reg<A>(kRdi), sizeof(T), Access::Write, to) ||
        !cpu.mmu.probe(to, sizeof(T), Access::Write))
      return false;
    std::array<std::uint8_t, sizeof(T)> bytes{};
    ports(cpu).read_string(cpu.reg<std::uint16_t>(kRdx), sizeof(T), bytes);
    const auto value = core::load_le<T>(bytes.data());
    if (!cpu.mmu.write(to, value)) return false;
    advance<T, A>(cpu, kRdi, 1);
    return true;
  }
  static std::uint64_t run(Cpu& cpu, const Op&, std::uint64_t count) {
    std::uint8_t* to = nullptr;
    const std::uint64_t wanted = std::min<std::uint64_t>(count, core::kPageSize) * sizeof(T);
    const std::size_t elements = direct_run(cpu, kEs, cpu.reg<A>(kRdi), wanted, Access::Write, to) / sizeof(T);
    if (elements == 0) return 0;
    ports(cpu).read_string(cpu.reg<std::uint16_t>(kRdx), sizeof(T), std::span(to, elements * sizeof(T)));
    advance<T, A>(cpu, kRdi, elements);
    return elements;
  }
};

template <class T, class A>
struct Outs {
  static bool one(Cpu& cpu, const Op& op) {
    std::uint64_t from = 0;
    T value = 0;
    if (!string_address(cpu, op.segment, cpu.reg<A>(kRsi), sizeof(T), Access::Read, from) || !cpu.mmu.read(from, value))
      return false;
    ports(cpu).write(cpu.reg<std::uint16_t>(kRdx), sizeof(T), value);
    advance<T, A>(cpu, kRsi, 1);
    return true;
  }
  static std::uint64_t run(Cpu& cpu, const Op& op, std::uint64_t count) {
    std::uint8_t* from = nullptr;
    const std::uint64_t wanted = std::min<std::uint64_t>(count, core::kPageSize) * sizeof(T);
    const std::size_t elements = direct_run(cpu, op.segment, cpu.reg<A>(kRsi), wanted, Access::Read, from) / sizeof(T);
    if (elements == 0) return 0;
    ports(cpu).write_string(cpu.reg<std::uint16_t>(kRdx), sizeof(T), std::span(from, elements * sizeof(T)));
    advance<T, A>(cpu, kRsi, elements);
    return elements;
  }
};

template <class Kind, class T>
Flow once(Cpu& cpu, const Op& op) {
  if (!may_use_port(cpu, cpu.reg<std::uint16_t>(kRdx), sizeof(T)) || !Kind::one(cpu, op)) return Flow::Fault;
  return Flow::Leave;
}

template <class Kind, class T, class A>
Flow repeated(Cpu& cpu, const Op& op) {
  const Op own = op;  // a store may void the op
  if (!may_use_port(cpu, cpu.reg<std::uint16_t>(kRdx), sizeof(T))) return Flow::Fault;
  while (cpu.reg<A>(kRcx) != 0) {
    const bool upwards = (cpu.other_flags & kDf) == 0;
    std::uint64_t done = upwards ? Kind::run(cpu, own, string_part(cpu.reg<A>(kRcx))) : 0;
    if (done == 0) {
      if (!Kind::one(cpu, own)) return Flow::Fault;
      done = 1;
    }
    const auto left = static_cast<A>(cpu.reg<A>(kRcx) - done);
    cpu.set_reg(kRcx, left);
    if (left == 0) break;
    if (string_part_ends(left)) return Flow::Again;
    if (cpu.attention.load(std::memory_order_relaxed) != 0) return Flow::Restart;
  }
  return Flow::Leave;
}

// --- Which function. ---

Handler select_in(const Instruction& instruction, Op&) {
  const bool immediate = is_immediate(instruction, 1);
  return for_size(instruction.bits(0), [&]<class T>() -> Handler {
    if constexpr (sizeof(T) == 8) return nullptr;
    return immediate ? in<T, true> : in<T, false>;
  });
}
Handler select_out(const Instruction& instruction, Op&) {
  const bool immediate = is_immediate(instruction, 0);
  return for_size(instruction.bits(1), [&]<class T>() -> Handler {
    if constexpr (sizeof(T) == 8) return nullptr;
    return immediate ? out<T, true> : out<T, false>;
  });
}

template <template <class, class> class Kind, unsigned kBits>
Handler select(const Instruction& instruction, Op& op) {
  take_string_operands(instruction, op);
  const bool repeats = (op.flags & (kRepeat | kRepeatNot)) != 0;
  return for_string_sizes(instruction, kBits, [&]<class T, class A>() -> Handler {
    return repeats ? repeated<Kind<T, A>, T, A> : once<Kind<T, A>, T>;
  });
}

constexpr SelectorTable kSelectors = {
    {ZYDIS_MNEMONIC_IN, select_in},           {ZYDIS_MNEMONIC_OUT, select_out},
    {ZYDIS_MNEMONIC_INSB, select<Ins, 8>},    {ZYDIS_MNEMONIC_INSW, select<Ins, 16>},
    {ZYDIS_MNEMONIC_INSD, select<Ins, 32>},   {ZYDIS_MNEMONIC_OUTSB, select<Outs, 8>},
    {ZYDIS_MNEMONIC_OUTSW, select<Outs, 16>}, {ZYDIS_MNEMONIC_OUTSD, select<Outs, 32>},
};

}  // namespace

Handler io_family(const Instruction& instruction, Op& op) {
  return kSelectors(instruction, op);
}

}  // namespace vmm::cpu::soft
