// The cases that NativeCpu and its process share, and what became of them.
#pragma once

#include <sys/mman.h>

#include "tests/unit/vmm/cpu/soft/differential/case.h"

namespace vmm::cpu::soft::differential {

struct NativeBatch {
  static constexpr std::size_t kMost = 256;

  std::size_t count = 0;
  Memory memory;  // of the data page, before each case
  std::array<Case, kMost> cases;
  std::array<Outcome, kMost> outcomes;
};

// Null on failure.
inline NativeBatch* map_batch(int file) {
  void* shared = mmap(nullptr, sizeof(NativeBatch), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  return shared == MAP_FAILED ? nullptr : static_cast<NativeBatch*>(shared);
}

}  // namespace vmm::cpu::soft::differential
