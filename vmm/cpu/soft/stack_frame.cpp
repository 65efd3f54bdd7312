#include "vmm/cpu/soft/stack_frame.h"

#include "vmm/cpu/soft/descriptors.h"
#include "vmm/cpu/soft/segments.h"

namespace vmm::cpu::soft {

namespace {

constexpr std::uint8_t kStackPointer = 4 * 8;

// The linear address of `size` bytes at `offset`; #SS otherwise.
bool locate(Cpu& cpu, const Stack& stack, std::uint64_t offset, unsigned size, std::uint64_t& linear) {
  const SegmentRegister& s = stack.segment;
  const std::uint64_t end = offset + size - 1;
  if (stack.is_64) {
    linear = offset;
    if (cpu.mmu.is_canonical(offset) && cpu.mmu.is_canonical(end)) return true;
  } else {
    linear = static_cast<std::uint32_t>(s.base + offset);
    if (offset >= s.first && end <= s.last && end >= offset) return true;
  }
  return refuse(cpu, Vector::StackFault, stack.error_code);
}

bool read(Cpu& cpu, const Stack& stack, unsigned size, std::uint64_t& value) {
  std::uint64_t linear = 0;
  value = 0;
  return locate(cpu, stack, stack.pointer, size, linear) && cpu.mmu.read_bytes(linear, &value, size);
}

}  // namespace

Stack Stack::present(const Cpu& cpu) {
  return {cpu.segments[kSs], stack_pointer(cpu), cpu.cpl, cpu.code64(), 0};
}

std::uint64_t Stack::mask() const {
  if (is_64) return ~std::uint64_t{0};
  return (segment.attributes & kAttributeBig) != 0 ? 0xffffffff : 0xffff;
}

std::uint64_t stack_pointer(const Cpu& cpu) {
  const auto pointer = cpu.reg<std::uint64_t>(kStackPointer);
  if (cpu.code64()) return pointer;
  return pointer & ((cpu.segments[kSs].attributes & kAttributeBig) != 0 ? 0xffffffff : 0xffff);
}

void set_stack_pointer(Cpu& cpu, std::uint64_t pointer) {
  if (cpu.code64()) {
    cpu.set_reg(kStackPointer, pointer);
  } else if ((cpu.segments[kSs].attributes & kAttributeBig) != 0) {
    cpu.set_reg(kStackPointer, static_cast<std::uint32_t>(pointer));
  } else {
    cpu.set_reg(kStackPointer, static_cast<std::uint16_t>(pointer));
  }
}

bool StackFrame::write(Cpu& cpu, Stack& stack) const {
  std::array<std::uint64_t, kMost> slots;
  std::uint64_t pointer = stack.pointer;
  for (unsigned i = 0; i < count_; ++i) {
    pointer = (pointer - width_) & stack.mask();
    if (!locate(cpu, stack, pointer, width_, slots[i])) return false;
  }
  // A frame is one run of memory, unless a 16-bit stack wraps around in it.
  const bool in_one_piece = count_ > 0 && slots[0] - slots[count_ - 1] == width_ * (count_ - 1);
  const bool system = stack.cpl != 3 && cpu.cpl == 3;
  const auto put = [&](std::uint64_t linear, const void* bytes, unsigned size) {
    return system ? cpu.mmu.write_system_bytes(linear, bytes, size) : cpu.mmu.write_bytes(linear, bytes, size);
  };
  if (in_one_piece) {
    std::array<std::uint8_t, kMost * 8> bytes;
    for (unsigned i = 0; i < count_; ++i)
      std::memcpy(&bytes[(count_ - 1 - i) * width_], &values_[i], width_);
    if (!put(slots[count_ - 1], bytes.data(), count_ * width_)) return false;
  } else {
    // 16-bit stacks lie within 64 KiB; a fault midway leaves only bytes below the stack pointer changed.
    for (unsigned i = 0; i < count_; ++i)
      if (!put(slots[i], &values_[i], width_)) return false;
  }
  stack.pointer = pointer;
  return true;
}

bool StackReader::pop(std::uint64_t& value) {
  if (!read(cpu_, stack_, width_, value)) return false;
  skip(width_);
  return true;
}

bool StackReader::pop_selector(std::uint16_t& selector) {
  std::uint64_t value = 0;
  if (!pop(value)) return false;
  selector = static_cast<std::uint16_t>(value);
  return true;
}

bool inner_stack(Cpu& cpu, std::uint8_t cpl, std::uint32_t external, Stack& stack) {
  const std::uint32_t type = cpu.tr.attributes & kTypeMask;
  const bool is_32 = (type & 8) != 0;
  const unsigned offset = is_32 ? 4 + 8 * cpl : 2 + 4 * cpl;
  const unsigned size = is_32 ? 8 : 4;
  if (offset + size - 1 > cpu.tr.limit || (cpu.tr.attributes & Segment::kUnusable) != 0)
    return refuse(cpu, Vector::InvalidTss, selector_error(cpu.tr.selector, external));
  std::uint64_t bytes = 0;
  if (!cpu.mmu.read_system_bytes(cpu.tr.base + offset, &bytes, size)) return false;
  const std::uint64_t pointer = bytes & (is_32 ? 0xffffffff : 0xffff);
  const auto selector = static_cast<std::uint16_t>(bytes >> (is_32 ? 32 : 16));
  if (is_null(selector)) return refuse(cpu, Vector::InvalidTss, external);
  Descriptor descriptor;
  if (!read_descriptor(cpu, selector, descriptor, Vector::InvalidTss, external)) return false;
  if (rpl_of(selector) != cpl || descriptor.dpl() != cpl || !descriptor.is_writable_data())
    return refuse(cpu, Vector::InvalidTss, selector_error(selector, external));
  if (!descriptor.is_present()) return refuse(cpu, Vector::StackFault, selector_error(selector, external));
  if (!mark_accessed(cpu, selector, descriptor)) return false;
  fill_segment(stack.segment, selector, descriptor);
  stack.pointer = pointer & stack.mask();
  stack.cpl = cpl;
  stack.is_64 = false;
  stack.error_code = selector_error(selector, external);
  return true;
}

bool inner_stack_64(Cpu& cpu, std::uint8_t cpl, unsigned ist, std::uint32_t external, std::uint64_t& pointer) {
  const unsigned offset = ist != 0 ? 0x24 + 8 * (ist - 1) : 4 + 8 * cpl;
  if (offset + 7 > cpu.tr.limit || (cpu.tr.attributes & Segment::kUnusable) != 0)
    return refuse(cpu, Vector::InvalidTss, selector_error(cpu.tr.selector, external));
  if (!cpu.mmu.read_system(cpu.tr.base + offset, pointer)) return false;
  if (!cpu.mmu.is_canonical(pointer)) return refuse(cpu, Vector::StackFault, external);
  return true;
}

SegmentRegister null_stack_segment(std::uint8_t cpl) {
  SegmentRegister segment;
  fill_unusable(segment, cpl);
  segment.attributes |= std::uint32_t{cpl} << kAttributeDplShift;
  return segment;
}

}  // namespace vmm::cpu::soft
