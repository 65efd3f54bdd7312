// AVX instructions that are about memory: moves, broadcasts, masked moves, gathers. [SDM 2C VMASKMOV, VPGATHERDD ...]
#include "vmm/cpu/soft/avx.h"
#include "vmm/cpu/soft/forms.h"
#include "vmm/cpu/soft/vector.h"

namespace vmm::cpu::soft {
namespace {

// [SDM 2A 2.4.1] Exceptions of type 1 are those of operands that must be aligned.
bool needs_alignment(const Instruction& instruction) {
  return instruction.decoded.meta.exception_class == ZYDIS_EXCEPTION_CLASS_AVX1;
}

// --- Moves of everything: what is loaded is followed by zeros. ---

template <class T, bool kAligned>
Flow load_whole(Cpu& cpu, const Op& op) {
  std::uint64_t linear = 0;
  T value{};
  if (!begin_avx(cpu) || !avx_address(cpu, op, sizeof(T), kAligned, Access::Read, linear) ||
      !cpu.mmu.read(linear, value)) {
    return Flow::Fault;
  }
  Ymm result{};
  std::memcpy(&result, &value, sizeof value);
  write_ymm(cpu, op.reg, result);
  return Flow::Next;
}
template <class T, bool kAligned>
Flow store_whole(Cpu& cpu, const Op& op) {
  std::uint64_t linear = 0;
  if (!begin_avx(cpu) || !avx_address(cpu, op, sizeof(T), kAligned, Access::Write, linear)) return Flow::Fault;
  const Ymm all = read_ymm(cpu, op.reg);
  T value;
  std::memcpy(&value, &all, sizeof value);
  return cpu.mmu.write(linear, value) ? Flow::Next : Flow::Fault;
}
Handler whole_form(const Instruction& instruction) {
  const bool stores = instruction.operand_is_memory(0);
  const unsigned bytes = instruction.bits(stores ? 0 : 1) / 8;
  return for_bytes(bytes, [&]<class T>() -> Handler {
    if (needs_alignment(instruction)) return stores ? store_whole<T, true> : load_whole<T, true>;
    return stores ? store_whole<T, false> : load_whole<T, false>;
  });
}

// --- Moves of half an XMM register; what is loaded goes beside a half of another one. ---

template <bool kHigh>
Flow load_half(Cpu& cpu, const Op& op) {
  std::uint64_t half = 0;
  if (!begin_avx(cpu) || !load(cpu, op, half)) return Flow::Fault;
  Ymm result{cpu.xmm[AvxExtra::of(op).vvvv], {}};
  result.low.set(half, kHigh ? 1 : 0);
  write_ymm(cpu, op.reg, result);
  return Flow::Next;
}
Flow store_high_half(Cpu& cpu, const Op& op) {
  return begin_avx(cpu) && store(cpu, op, cpu.xmm[op.reg].get<std::uint64_t>(1)) ? Flow::Next : Flow::Fault;
}

// --- Broadcasts ---

template <class T>
Flow broadcast(Cpu& cpu, const Op& op) {
  T value{};
  if (!begin_avx(cpu) || !load(cpu, op, value)) return Flow::Fault;
  Ymm result{};
  const unsigned bytes = AvxExtra::of(op).count * unsigned{sizeof value};
  for (unsigned at = 0; at < bytes; at += sizeof value)
    std::memcpy(reinterpret_cast<char*>(&result) + at, &value, sizeof value);
  write_ymm(cpu, op.reg, result);
  return Flow::Next;
}
Handler broadcast_form(const Instruction& instruction, AvxExtra& extra) {
  const unsigned bytes = instruction.bits(1) / 8;
  if (bytes == 0) return nullptr;
  extra.count = static_cast<std::uint8_t>(vector_bytes(instruction) / bytes);
  return for_bytes(bytes, []<class T>() -> Handler {
    if constexpr (sizeof(T) <= sizeof(Xmm)) return broadcast<T>;
    return nullptr;
  });
}

// --- Elements whose mask has its highest bit set. What the others mean is not looked at. ---

template <class T>
bool is_chosen(const Ymm& mask, unsigned element) {
  T value{};
  std::memcpy(&value, reinterpret_cast<const char*>(&mask) + element * sizeof value, sizeof value);
  return value >> (8 * sizeof value - 1) != 0;
}

template <class T>
bool element_address(Cpu& cpu, const Op& op, std::uint64_t offset, unsigned element, Access access,
                     std::uint64_t& linear) {
  offset += element * sizeof(T);
  if ((op.flags & kAddress32) != 0 && !cpu.code64()) offset = static_cast<std::uint32_t>(offset);
  return linear_address(cpu, op, offset, sizeof(T), access, linear);
}

template <class T>
Flow load_masked(Cpu& cpu, const Op& op) {
  if (!begin_avx(cpu)) return Flow::Fault;
  const AvxExtra extra = AvxExtra::of(op);
  const Ymm mask = read_ymm(cpu, extra.vvvv);
  const std::uint64_t offset = effective_address(cpu, op);
  Ymm result{};
  for (unsigned element = 0; element < extra.count; ++element) {
    if (!is_chosen<T>(mask, element)) continue;
    std::uint64_t linear = 0;
    T value{};
    if (!element_address<T>(cpu, op, offset, element, Access::Read, linear) || !cpu.mmu.read(linear, value))
      return Flow::Fault;
    std::memcpy(reinterpret_cast<char*>(&result) + element * sizeof value, &value, sizeof value);
  }
  write_ymm(cpu, op.reg, result);
  return Flow::Next;
}

// All of them can be stored, or none is.
template <class T>
Flow store_masked(Cpu& cpu, const Op& op) {
  if (!begin_avx(cpu)) return Flow::Fault;
  const AvxExtra extra = AvxExtra::of(op);  // a store may void the op
  const Ymm mask = read_ymm(cpu, extra.vvvv);
  const Ymm data = read_ymm(cpu, op.reg);
  const std::uint64_t offset = effective_address(cpu, op);
  std::array<std::uint64_t, sizeof(Ymm) / sizeof(T)> addresses{};
  for (unsigned element = 0; element < extra.count; ++element) {
    if (!is_chosen<T>(mask, element)) continue;
    if (!element_address<T>(cpu, op, offset, element, Access::Write, addresses[element]) ||
        !cpu.mmu.probe(addresses[element], sizeof(T), Access::Write)) {
      return Flow::Fault;
    }
  }
  for (unsigned element = 0; element < extra.count; ++element) {
    if (!is_chosen<T>(mask, element)) continue;
    T value{};
    std::memcpy(&value, reinterpret_cast<const char*>(&data) + element * sizeof value, sizeof value);
    if (!cpu.mmu.write(addresses[element], value)) return Flow::Fault;
  }
  return Flow::Next;
}
template <class T>
Handler masked_form(const Instruction& instruction, AvxExtra& extra) {
  extra.count = static_cast<std::uint8_t>(vector_bytes(instruction) / sizeof(T));
  return instruction.operand_is_memory(0) ? store_masked<T> : load_masked<T>;
}

Flow store_masked_bytes_avx(Cpu& cpu, const Op& op) {
  return begin_avx(cpu) ? store_masked_bytes(cpu, op) : Flow::Fault;
}

// --- Gathers: an element that has been read is in its place, and masks are clear up to there, whatever the next one
// meets. ---

template <class T>
T get_element(const Cpu& cpu, unsigned number, unsigned element) {
  constexpr unsigned kHalf = sizeof(Xmm) / sizeof(T);
  return element < kHalf ? cpu.xmm[number].get<T>(element) : cpu.ymm_high[number].get<T>(element - kHalf);
}
template <class T>
void set_element(Cpu& cpu, unsigned number, unsigned element, T value) {
  constexpr unsigned kHalf = sizeof(Xmm) / sizeof(T);
  if (element < kHalf) {
    cpu.xmm[number].set(value, element);
  } else {
    cpu.ymm_high[number].set(value, element - kHalf);
  }
}

template <class T, class Index>
bool gathered_address(Cpu& cpu, const Op& op, Index index, std::uint64_t& linear) {
  std::uint64_t offset = cpu.reg<std::uint64_t>(op.base) + static_cast<std::uint64_t>(op.displacement) +
                         (static_cast<std::uint64_t>(std::int64_t{index}) << op.scale);
  if ((op.flags & kAddress32) != 0) offset = static_cast<std::uint32_t>(offset);
  return linear_address(cpu, op, offset, sizeof(T), Access::Read, linear);
}

template <class T, class Index>
Flow gather(Cpu& cpu, const Op& op) {
  if (!begin_avx(cpu)) return Flow::Fault;
  const AvxExtra extra = AvxExtra::of(op);
  for (unsigned element = 0; element < extra.count; ++element) {
    std::uint64_t linear = 0;
    T value = get_element<T>(cpu, op.reg, element);
    const bool is_chosen = get_element<T>(cpu, extra.vvvv, element) >> (8 * sizeof(T) - 1) != 0;
    if (is_chosen && (!gathered_address<T>(cpu, op, get_element<Index>(cpu, extra.is4, element), linear) ||
                      !cpu.mmu.read(linear, value))) {
      return Flow::Fault;
    }
    set_element(cpu, op.reg, element, value);
    set_element(cpu, extra.vvvv, element, T{0});
  }
  for (unsigned element = extra.count; element < sizeof(Ymm) / sizeof(T); ++element)
    set_element(cpu, op.reg, element, T{0});
  write_ymm(cpu, extra.vvvv, {});
  return Flow::Next;
}
template <class T, class Index>
Handler gather_form(const Instruction& instruction, Op& op, AvxExtra& extra) {
  if ((op.flags & kAddress16) != 0) return nullptr;  // [SDM 2A 2.3.12]
  op.index = Cpu::kZero;
  extra.is4 = static_cast<std::uint8_t>(ZydisRegisterGetId(instruction.operands[1].mem.index) & 15);
  extra.count = static_cast<std::uint8_t>(vector_bytes(instruction) / std::max(sizeof(T), sizeof(Index)));
  return gather<T, Index>;
}

Handler gathering_form(const Instruction& instruction, Op& op, AvxExtra& extra) {
  switch (instruction.decoded.mnemonic) {
    case ZYDIS_MNEMONIC_VGATHERDPS:
    case ZYDIS_MNEMONIC_VPGATHERDD: return gather_form<std::uint32_t, std::int32_t>(instruction, op, extra);
    case ZYDIS_MNEMONIC_VGATHERDPD:
    case ZYDIS_MNEMONIC_VPGATHERDQ: return gather_form<std::uint64_t, std::int32_t>(instruction, op, extra);
    case ZYDIS_MNEMONIC_VGATHERQPS:
    case ZYDIS_MNEMONIC_VPGATHERQD: return gather_form<std::uint32_t, std::int64_t>(instruction, op, extra);
    case ZYDIS_MNEMONIC_VGATHERQPD:
    case ZYDIS_MNEMONIC_VPGATHERQQ: return gather_form<std::uint64_t, std::int64_t>(instruction, op, extra);
    default: return nullptr;
  }
}

}  // namespace

Handler avx_memory_form(const Instruction& instruction, Op& op, AvxExtra& extra) {
  if (instruction.decoded.mnemonic == ZYDIS_MNEMONIC_VMASKMOVDQU) {
    name_masked_destination(instruction, op);
    return store_masked_bytes_avx;
  }
  if ((op.flags & kHasMemory) == 0) return nullptr;
  switch (instruction.decoded.mnemonic) {
    case ZYDIS_MNEMONIC_VMOVAPS:
    case ZYDIS_MNEMONIC_VMOVAPD:
    case ZYDIS_MNEMONIC_VMOVDQA:
    case ZYDIS_MNEMONIC_VMOVUPS:
    case ZYDIS_MNEMONIC_VMOVUPD:
    case ZYDIS_MNEMONIC_VMOVDQU:
    case ZYDIS_MNEMONIC_VLDDQU:
    case ZYDIS_MNEMONIC_VMOVNTDQA:
    case ZYDIS_MNEMONIC_VMOVNTDQ:
    case ZYDIS_MNEMONIC_VMOVNTPS:
    case ZYDIS_MNEMONIC_VMOVNTPD:
    case ZYDIS_MNEMONIC_VMOVD:
    case ZYDIS_MNEMONIC_VMOVQ:
    case ZYDIS_MNEMONIC_VMOVSS:
    case ZYDIS_MNEMONIC_VMOVSD: return whole_form(instruction);
    case ZYDIS_MNEMONIC_VMOVLPS:
    case ZYDIS_MNEMONIC_VMOVLPD: return instruction.operand_is_memory(0) ? whole_form(instruction) : load_half<false>;
    case ZYDIS_MNEMONIC_VMOVHPS:
    case ZYDIS_MNEMONIC_VMOVHPD: return instruction.operand_is_memory(0) ? store_high_half : load_half<true>;
    case ZYDIS_MNEMONIC_VBROADCASTSS:
    case ZYDIS_MNEMONIC_VBROADCASTSD:
    case ZYDIS_MNEMONIC_VBROADCASTF128:
    case ZYDIS_MNEMONIC_VBROADCASTI128:
    case ZYDIS_MNEMONIC_VPBROADCASTB:
    case ZYDIS_MNEMONIC_VPBROADCASTW:
    case ZYDIS_MNEMONIC_VPBROADCASTD:
    case ZYDIS_MNEMONIC_VPBROADCASTQ: return broadcast_form(instruction, extra);
    case ZYDIS_MNEMONIC_VMASKMOVPS:
    case ZYDIS_MNEMONIC_VPMASKMOVD: return masked_form<std::uint32_t>(instruction, extra);
    case ZYDIS_MNEMONIC_VMASKMOVPD:
    case ZYDIS_MNEMONIC_VPMASKMOVQ: return masked_form<std::uint64_t>(instruction, extra);
    default: return gathering_form(instruction, op, extra);
  }
}

}  // namespace vmm::cpu::soft
