// Descriptors and the tables they lie in, for whoever loads segments. [SDM 3A 3.4.5, 3.5, 7.2]
#pragma once

#include <cstdint>

#include "vmm/cpu/soft/cpu.h"

namespace vmm::cpu::soft {

// Segment::attributes: type, S, DPL, P in the low byte, AVL, L, D/B, G from bit 12 on.
constexpr std::uint32_t kTypeAccessed = 1, kTypeReadable = 2, kTypeWritable = 2, kTypeConforming = 4,
                        kTypeExpandDown = 4, kTypeCode = 8, kTypeMask = 15;
constexpr std::uint32_t kAttributeNotSystem = 1u << 4, kAttributePresent = 1u << 7, kAttributeLong = 1u << 13,
                        kAttributeBig = 1u << 14, kAttributeGranular = 1u << 15;
constexpr unsigned kAttributeDplShift = 5;

// What real mode, virtual-8086 mode and flat segments have.
constexpr std::uint32_t kRealAttributes = 0x93;
constexpr std::uint32_t kVirtual8086Attributes = 0xf3;

// [SDM 3A table 3-2]
enum class SystemType : std::uint8_t {
  Tss16 = 1,
  Ldt = 2,
  Tss16Busy = 3,
  CallGate16 = 4,
  TaskGate = 5,
  InterruptGate16 = 6,
  TrapGate16 = 7,
  Tss32 = 9,  // 64-bit in long mode, and so the others below
  Tss32Busy = 11,
  CallGate32 = 12,
  InterruptGate32 = 14,
  TrapGate32 = 15,
};

struct Descriptor {
  std::uint32_t low = 0, high = 0;
  std::uint32_t upper = 0;  // bits 95-64 of those of system segments and gates in long mode

  std::uint32_t attributes() const { return high >> 8 & 0xf0ff; }
  std::uint32_t type() const { return high >> 8 & kTypeMask; }
  SystemType system_type() const { return static_cast<SystemType>(type()); }
  bool is_system() const { return (attributes() & kAttributeNotSystem) == 0; }
  bool is_code() const { return !is_system() && (type() & kTypeCode) != 0; }
  bool is_conforming_code() const { return is_code() && (type() & kTypeConforming) != 0; }
  bool is_readable() const { return !is_system() && (!is_code() || (type() & kTypeReadable) != 0); }
  bool is_writable_data() const { return !is_system() && !is_code() && (type() & kTypeWritable) != 0; }
  bool is_present() const { return (attributes() & kAttributePresent) != 0; }
  bool is_long() const { return (attributes() & kAttributeLong) != 0; }
  bool is_big() const { return (attributes() & kAttributeBig) != 0; }
  unsigned dpl() const { return attributes() >> kAttributeDplShift & 3; }
  std::uint64_t base() const {
    return (low >> 16) | (high & 0xff) << 16 | (high & 0xff000000) | std::uint64_t{upper} << 32;
  }
  std::uint32_t limit() const {
    const std::uint32_t raw = (low & 0xffff) | (high & 0xf0000);
    return (attributes() & kAttributeGranular) != 0 ? raw << 12 | 0xfff : raw;
  }
  // Gates.
  std::uint16_t gate_selector() const { return static_cast<std::uint16_t>(low >> 16); }
  std::uint64_t gate_offset() const { return (low & 0xffff) | (high & 0xffff0000) | std::uint64_t{upper} << 32; }
};

inline bool is_null(std::uint16_t selector) {
  return (selector & 0xfffc) == 0;
}
inline std::uint8_t rpl_of(std::uint16_t selector) {
  return selector & 3;
}
// The error code that names a selector. [SDM 3A 6.13]
inline std::uint32_t selector_error(std::uint16_t selector, std::uint32_t external = 0) {
  return (selector & 0xfffcu) | external;
}

// Records a fault and answers false.
inline bool refuse(Cpu& cpu, Vector vector, std::uint32_t error_code) {
  cpu.raise(vector, error_code);
  return false;
}

// Whether a table reaches that far.
bool has_descriptor(const Cpu& cpu, std::uint16_t selector);
// Reads what the selector names; outside of its table: `vector` with the selector and `external` as error code.
bool read_descriptor(Cpu& cpu, std::uint16_t selector, Descriptor& descriptor,
                     Vector vector = Vector::GeneralProtection, std::uint32_t external = 0);
// Adds the upper half that LDTs, TSSs and call gates have in long mode.
bool read_upper_half(Cpu& cpu, std::uint16_t selector, Descriptor& descriptor,
                     Vector vector = Vector::GeneralProtection, std::uint32_t external = 0);
// The accessed bit, if it is clear yet, and the busy bit of a TSS.
bool mark_accessed(Cpu& cpu, std::uint16_t selector, Descriptor& descriptor);
bool mark_busy(Cpu& cpu, std::uint16_t selector, bool busy);

void fill_segment(SegmentRegister& segment, std::uint16_t selector, const Descriptor& descriptor);
void fill_unusable(SegmentRegister& segment, std::uint16_t selector);

}  // namespace vmm::cpu::soft
