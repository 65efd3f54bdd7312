#include "vmm/cpu/soft/segments.h"

#include <algorithm>

#include "vmm/cpu/soft/descriptors.h"
#include "vmm/cpu/soft/operands.h"

namespace vmm::cpu::soft {

namespace {

bool refuse_address(Cpu& cpu, unsigned segment) {
  return refuse(cpu, segment == kSs ? Vector::StackFault : Vector::GeneralProtection, 0);
}

// FS and GS are never taken for flat.
bool decides_mode(SegmentIndex index) {
  return index != kFs && index != kGs;
}

// [SDM 2B MOV] a null selector in SS is for 64-bit mode's inner rings.
bool load_null(Cpu& cpu, SegmentIndex index, std::uint16_t selector) {
  if (index == kSs && (!cpu.code64() || cpu.cpl == 3 || rpl_of(selector) != cpu.cpl))
    return refuse(cpu, Vector::GeneralProtection, 0);
  fill_unusable(cpu.segments[index], selector);
  if (index == kSs) {
    // The DPL of SS is the CPL, whatever else it lacks. [SDM 3A 5.5]
    cpu.segments[kSs].attributes |= std::uint32_t{cpu.cpl} << kAttributeDplShift;
  }
  if (decides_mode(index)) cpu.derive_mode();
  return true;
}

bool check_stack_descriptor(Cpu& cpu, std::uint16_t selector, const Descriptor& descriptor) {
  if (rpl_of(selector) != cpu.cpl || !descriptor.is_writable_data() || descriptor.dpl() != cpu.cpl)
    return refuse(cpu, Vector::GeneralProtection, selector_error(selector));
  if (!descriptor.is_present()) return refuse(cpu, Vector::StackFault, selector_error(selector));
  return true;
}

bool check_data_descriptor(Cpu& cpu, std::uint16_t selector, const Descriptor& descriptor) {
  const bool privileged = descriptor.is_conforming_code() || std::max(rpl_of(selector), cpu.cpl) <= descriptor.dpl();
  if (!descriptor.is_readable() || !privileged) return refuse(cpu, Vector::GeneralProtection, selector_error(selector));
  if (!descriptor.is_present()) return refuse(cpu, Vector::SegmentNotPresent, selector_error(selector));
  return true;
}

}  // namespace

bool segment_address(Cpu& cpu, unsigned segment, std::uint64_t offset, unsigned size, Access access,
                     std::uint64_t& linear) {
  const SegmentRegister& s = cpu.segments[segment];
  if (cpu.code64()) {
    linear = segment == kFs || segment == kGs ? s.base + offset : offset;
    if (cpu.mmu.is_canonical(linear) && cpu.mmu.is_canonical(linear + size - 1)) return true;
    return refuse_address(cpu, segment);
  }
  const std::uint64_t end = offset + size - 1;
  if (offset < s.first || end > s.last || end < offset) return refuse_address(cpu, segment);
  if (access == Access::Write ? !s.writable : access == Access::Read && !s.readable)
    return refuse_address(cpu, segment);
  linear = static_cast<std::uint32_t>(s.base + offset);
  return true;
}

bool load_segment(Cpu& cpu, SegmentIndex index, std::uint16_t selector) {
  if (!cpu.protected_mode() || cpu.virtual_8086()) {
    set_real_segment(cpu, index, selector);
    return true;
  }
  if (is_null(selector)) return load_null(cpu, index, selector);
  Descriptor descriptor;
  if (!read_descriptor(cpu, selector, descriptor)) return false;
  const bool allowed = index == kSs ? check_stack_descriptor(cpu, selector, descriptor)
                                    : check_data_descriptor(cpu, selector, descriptor);
  if (!allowed || !mark_accessed(cpu, selector, descriptor)) return false;
  fill_segment(cpu.segments[index], selector, descriptor);
  if (decides_mode(index)) cpu.derive_mode();
  return true;
}

// Real mode changes selector and base only: limits of protected mode live on ("unreal mode"). [SDM 3A 9.9.2]
void set_real_segment(Cpu& cpu, SegmentIndex index, std::uint16_t selector) {
  SegmentRegister& s = cpu.segments[index];
  s.selector = selector;
  s.base = std::uint64_t{selector} << 4;
  if (cpu.virtual_8086()) {
    s.limit = 0xffff;
    s.attributes = kVirtual8086Attributes;
  } else if ((s.attributes & Segment::kUnusable) != 0) {
    s.limit = 0xffff;
    s.attributes = kRealAttributes;
  }
  s.derive(false);
  if (decides_mode(index)) cpu.derive_mode();
}

void set_flat_segment(Cpu& cpu, SegmentIndex index, std::uint16_t selector, std::uint32_t attributes) {
  SegmentRegister& s = cpu.segments[index];
  s.selector = selector;
  s.base = 0;
  s.limit = 0xffffffff;
  s.attributes = attributes;
  s.derive(true);
  if (decides_mode(index)) cpu.derive_mode();
}

void set_cpl(Cpu& cpu, std::uint8_t cpl) {
  cpu.cpl = cpl;
  cpu.mmu.privilege_changed();
}

}  // namespace vmm::cpu::soft
