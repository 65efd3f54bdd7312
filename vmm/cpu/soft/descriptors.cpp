#include "vmm/cpu/soft/descriptors.h"

namespace vmm::cpu::soft {

namespace {

constexpr std::uint16_t kLocalTable = 4;
constexpr std::uint64_t kAccessByte = 5;  // of a descriptor: type, S, DPL, P
constexpr std::uint8_t kBusy = 2;

std::uint64_t offset_of(std::uint16_t selector) {
  return selector & 0xfff8u;
}

// The linear address of `size` bytes from the descriptor on; false if the table ends before.
bool locate(const Cpu& cpu, std::uint16_t selector, unsigned size, std::uint64_t& linear) {
  const bool local = (selector & kLocalTable) != 0;
  if (local && (cpu.ldt.attributes & Segment::kUnusable) != 0) return false;
  const std::uint64_t limit = local ? cpu.ldt.limit : cpu.gdt.limit;
  linear = (local ? cpu.ldt.base : cpu.gdt.base) + offset_of(selector);
  return offset_of(selector) + size - 1 <= limit;
}

}  // namespace

bool has_descriptor(const Cpu& cpu, std::uint16_t selector) {
  std::uint64_t linear = 0;
  return locate(cpu, selector, 8, linear);
}

bool read_descriptor(Cpu& cpu, std::uint16_t selector, Descriptor& descriptor, Vector vector, std::uint32_t external) {
  std::uint64_t linear = 0;
  if (!locate(cpu, selector, 8, linear)) return refuse(cpu, vector, selector_error(selector, external));
  std::uint64_t bytes = 0;
  if (!cpu.mmu.read_system(linear, bytes)) return false;
  descriptor = {static_cast<std::uint32_t>(bytes), static_cast<std::uint32_t>(bytes >> 32), 0};
  return true;
}

bool read_upper_half(Cpu& cpu, std::uint16_t selector, Descriptor& descriptor, Vector vector, std::uint32_t external) {
  std::uint64_t linear = 0;
  if (!locate(cpu, selector, 16, linear)) return refuse(cpu, vector, selector_error(selector, external));
  std::uint64_t bytes = 0;
  if (!cpu.mmu.read_system(linear + 8, bytes)) return false;
  // [SDM 3A 5.8.3.1] the type field of the upper half must be zero.
  if ((bytes >> 40 & 0x1f) != 0) return refuse(cpu, vector, selector_error(selector, external));
  descriptor.upper = static_cast<std::uint32_t>(bytes);
  return true;
}

bool mark_accessed(Cpu& cpu, std::uint16_t selector, Descriptor& descriptor) {
  if ((descriptor.type() & kTypeAccessed) != 0) return true;
  descriptor.high |= kTypeAccessed << 8;
  std::uint64_t linear = 0;
  locate(cpu, selector, 8, linear);
  return cpu.mmu.write_system(linear + kAccessByte, static_cast<std::uint8_t>(descriptor.high >> 8));
}

bool mark_busy(Cpu& cpu, std::uint16_t selector, bool busy) {
  const std::uint64_t linear = cpu.gdt.base + offset_of(selector) + kAccessByte;
  std::uint8_t access = 0;
  if (!cpu.mmu.read_system(linear, access)) return false;
  access = static_cast<std::uint8_t>(busy ? access | kBusy : access & ~kBusy);
  return cpu.mmu.write_system(linear, access);
}

void fill_segment(SegmentRegister& segment, std::uint16_t selector, const Descriptor& descriptor) {
  segment.selector = selector;
  segment.base = descriptor.base();
  segment.limit = descriptor.limit();
  segment.attributes = descriptor.attributes();
  segment.derive(true);
}

void fill_unusable(SegmentRegister& segment, std::uint16_t selector) {
  segment.selector = selector;
  segment.base = 0;
  segment.limit = 0;
  segment.attributes = Segment::kUnusable;
  segment.derive(true);
}

}  // namespace vmm::cpu::soft
