// Decoded code: straight runs of instructions by physical address and CPU mode, shared by all CPUs of a machine.
//
// A block lies in one page, except for a single instruction that crosses into the next. It is void as soon as any byte
// of it may have changed: stores of our CPUs come through code_written(), everybody else's (DMA) set the page's Code
// flag, which is looked at before a block runs. Voided ops are replaced by one that leaves (Flow::Restart), so that a
// block that overwrites itself stops there; the memory is given back when no block can be running.
//
// A translator to host code will hang its code on Block.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <vector>

#include "vmm/cpu/soft/op.h"
#include "vmm/cpu/soft/physical_map.h"

namespace vmm::cpu::soft {

struct Block {
  std::uint64_t physical = 0;  // of the first byte
  std::uint8_t mode = 0;
  std::uint16_t bytes = 0;
  std::uint16_t count = 0;  // instructions; ops[count] is an op that leaves
  bool live = true;
  std::atomic<std::uint8_t>* page_flags = nullptr;
  Op* ops = nullptr;
};

class BlockCache {
 public:
  static constexpr std::size_t kMaxBytes = 24u << 20;  // ops and blocks; full means begin anew

  BlockCache();
  ~BlockCache();

  // The block that starts at the CPU's RIP, decoded if need be. nullptr: the fetch faulted (cpu.fault).
  Block* find(Cpu& cpu);
  // A CPU of ours stores to a page with code: voids the blocks that the bytes touch. True if the page has no code left
  // and quick stores may be allowed again.
  bool code_written(const std::uint8_t* host_page, unsigned offset, unsigned size);
  bool has_code(const std::uint8_t* host_page) const;
  void clear();  // all blocks; between two blocks only

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace vmm::cpu::soft
