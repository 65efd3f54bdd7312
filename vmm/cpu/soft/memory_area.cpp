#include "vmm/cpu/soft/memory_area.h"

#include <algorithm>

namespace vmm::cpu::soft {

bool MemoryArea::probe_part(Cpu& cpu, const Op& op, unsigned distance, unsigned size, Access access) {
  std::uint64_t linear = 0;
  return linear_address(cpu, op, wrap_address(op, effective_address(cpu, op) + distance), size, access, linear) &&
         cpu.mmu.probe(linear, size, access);
}

bool MemoryArea::find(Cpu& cpu, const Op& op, unsigned size, Access access, unsigned element) {
  const std::uint64_t first = effective_address(cpu, op);
  const std::uint64_t last = wrap_address(op, first + size - 1);
  tail_size_ = last < first ? static_cast<unsigned>(last) + 1 : 0;
  head_size_ = size - tail_size_;
  return probe_part(cpu, op, 0, std::min(element, head_size_), access) && probe_part(cpu, op, size - 1, 1, access) &&
         linear_address(cpu, op, first, head_size_, access, head_) &&
         (tail_size_ == 0 || linear_address(cpu, op, 0, tail_size_, access, tail_));
}

template <class Do>
bool MemoryArea::for_parts(unsigned first, unsigned size, Do&& part) const {
  const unsigned of_head = std::min(size, head_size_ - std::min(first, head_size_));
  const unsigned of_tail = size - of_head;
  return (of_head == 0 || part(head_ + first, 0, of_head)) &&
         (of_tail == 0 || part(tail_ + (first + of_head - head_size_), of_head, of_tail));
}

bool MemoryArea::probe(Cpu& cpu, Access access) const {
  return for_parts(0, head_size_ + tail_size_, [&](std::uint64_t linear, unsigned, unsigned count) {
    return cpu.mmu.probe(linear, count, access);
  });
}

bool MemoryArea::read(Cpu& cpu, unsigned first, void* bytes, unsigned size) const {
  return for_parts(first, size, [&](std::uint64_t linear, unsigned at, unsigned count) {
    return cpu.mmu.read_bytes(linear, static_cast<std::uint8_t*>(bytes) + at, count);
  });
}

bool MemoryArea::write(Cpu& cpu, unsigned first, const void* bytes, unsigned size) const {
  return for_parts(first, size, [&](std::uint64_t linear, unsigned at, unsigned count) {
    return cpu.mmu.write_bytes(linear, static_cast<const std::uint8_t*>(bytes) + at, count);
  });
}

}  // namespace vmm::cpu::soft
