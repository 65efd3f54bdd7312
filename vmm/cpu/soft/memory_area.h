// The memory operands of many bytes: FSAVE's, FXSAVE's, XSAVE's. They may run over pages, and their offsets wrap at the
// address size. Which of their pages processors ask for first is not said; this is how AMD's do it.
#pragma once

#include "vmm/cpu/soft/operands.h"

namespace vmm::cpu::soft {

class MemoryArea {
 public:
  // Are `size` bytes at `distance` from the operand's first one within its segment, and mapped? False after a fault.
  static bool probe_part(Cpu& cpu, const Op& op, unsigned distance, unsigned size, Access access);

  // `size` bytes, all of them within the segment, the first `element` ones and the last one mapped: false after a
  // fault.
  bool find(Cpu& cpu, const Op& op, unsigned size, Access access, unsigned element = 1);

  // All the other bytes are mapped, too: false after a fault.
  bool probe(Cpu& cpu, Access access) const;
  // Parts of the area: false after a fault. A write is all or nothing only after probe().
  bool read(Cpu& cpu, unsigned first, void* bytes, unsigned size) const;
  bool write(Cpu& cpu, unsigned first, const void* bytes, unsigned size) const;

 private:
  // part(linear address, where that is in the bytes, how many) on both sides of the wrap, until one is false.
  template <class Do>
  bool for_parts(unsigned first, unsigned size, Do&& part) const;

  std::uint64_t head_ = 0, tail_ = 0;  // linear addresses of the first byte, and of the first one behind the wrap
  unsigned head_size_ = 0, tail_size_ = 0;
};

}  // namespace vmm::cpu::soft
