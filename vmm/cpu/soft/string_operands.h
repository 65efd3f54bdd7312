// Where the elements of string instructions lie: DS (or its override) at rSI, ES at rDI. [SDM 1 7.3.9]
#pragma once

#include <algorithm>
#include <cstdint>

#include "vmm/cpu/soft/forms.h"

namespace vmm::cpu::soft {

constexpr std::uint8_t kRsi = 6 * 8, kRdi = 7 * 8;

// `segment`'s base counts at all.
inline bool is_flat(const Cpu& cpu, unsigned segment) {
  return cpu.code64() && segment != kFs && segment != kGs;
}

// The linear address of one element; false after a fault.
inline bool string_address(Cpu& cpu, unsigned segment, std::uint64_t offset, unsigned size, Access access,
                           std::uint64_t& linear) {
  linear = offset;
  return is_flat(cpu, segment) || segment_address(cpu, segment, offset, size, access, linear);
}

// A run of elements upwards from `offset` that lie in host memory in one piece: at most `wanted` bytes, fewer at the
// end of a page, of the segment or of the address size. 0: element by element.
template <class A>
unsigned direct_run(Cpu& cpu, unsigned segment, A offset, std::uint64_t wanted, Access access, std::uint8_t*& host) {
  std::uint64_t most = std::min<std::uint64_t>(wanted, core::kPageSize);
  if (sizeof(A) < 8) most = std::min<std::uint64_t>(most, (std::uint64_t{1} << (8 * sizeof(A) % 64)) - offset);
  std::uint64_t linear = offset;
  if (!is_flat(cpu, segment)) {
    const SegmentRegister& s = cpu.segments[segment];
    if (cpu.code64()) {
      linear = s.base + offset;
    } else {
      if (offset < s.first || offset > s.last || !(access == Access::Write ? s.writable : s.readable)) return 0;
      most = std::min(most, s.last - offset + 1);
      linear = static_cast<std::uint32_t>(s.base + offset);
    }
  }
  return cpu.mmu.direct(linear, static_cast<unsigned>(most), access, host);
}

// A long repeated string is done in parts, which end where a multiple of this many elements is left: wherever it was
// interrupted before, they are the same ones.
constexpr std::uint64_t kStringPart = 1u << 14;
inline std::uint64_t string_part(std::uint64_t left) {
  return (left - 1) % kStringPart + 1;
}
inline bool string_part_ends(std::uint64_t left) {
  return left % kStringPart == 0;
}

// Sets segment and flags of a string instruction's op: its memory operands are not among the visible ones.
inline void take_string_operands(const Instruction& instruction, Op& op) {
  static constexpr struct {
    ZydisInstructionAttributes attribute;
    SegmentIndex segment;
  } kOverrides[] = {{ZYDIS_ATTRIB_HAS_SEGMENT_ES, kEs}, {ZYDIS_ATTRIB_HAS_SEGMENT_CS, kCs},
                    {ZYDIS_ATTRIB_HAS_SEGMENT_SS, kSs}, {ZYDIS_ATTRIB_HAS_SEGMENT_DS, kDs},
                    {ZYDIS_ATTRIB_HAS_SEGMENT_FS, kFs}, {ZYDIS_ATTRIB_HAS_SEGMENT_GS, kGs}};
  op.segment = kDs;
  for (const auto& [attribute, segment] : kOverrides) {
    if ((instruction.decoded.attributes & attribute) != 0) op.segment = segment;
  }
}

// Moves an index register by `elements` in the direction that DF says.
template <class T, class A>
void advance(Cpu& cpu, std::uint8_t index, std::uint64_t elements) {
  const std::uint64_t by = elements * sizeof(T);
  const auto now = cpu.reg<A>(index);
  cpu.set_reg(index, static_cast<A>((cpu.other_flags & kDf) != 0 ? now - by : now + by));
}

// f<T, A>() with the types of element and address.
template <class F>
Handler for_string_sizes(const Instruction& instruction, unsigned element_bits, F f) {
  return for_size(element_bits, [&]<class T>() -> Handler {
    return for_wide_size(instruction.decoded.address_width,
                         [&]<class A>() -> Handler { return f.template operator()<T, A>(); });
  });
}

}  // namespace vmm::cpu::soft
