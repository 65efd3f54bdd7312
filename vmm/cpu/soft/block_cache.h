// Decoded code: straight runs of instructions by host page and CPU mode, shared by all CPUs of a machine.
//
// A block lies in one page, except for a single instruction that crosses into the next. It is void as soon as any byte
// of it may have changed: stores of our CPUs come through code_written(), everybody else's (DMA) set the page's Code
// flag, which is looked at before a block runs. Voided ops are replaced by one that leaves (Flow::Restart), so that a
// block that overwrites itself stops there; the memory is given back when no block can be running.
//
// A translator to host code will hang its code on Block.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <utility>

#include "core/memory/memory_block.h"
#include "vmm/cpu/soft/cpu.h"

namespace vmm::cpu::soft {

struct Block {
  static constexpr unsigned kMaxOps = 64;
  static constexpr unsigned kMaxBytes = 255;  // what Op::after can say

  const std::uint8_t* host = nullptr;  // where its first byte is
  std::uint8_t mode = 0;
  bool live = true;
  bool crosses = false;  // into another page, whose place must be checked each time
  std::uint16_t bytes = 0;
  std::uint16_t watched = 0;  // bytes that it was decoded from, at most: those behind one that is no instruction too
  std::uint16_t count = 0;    // instructions; ops[count] is one that leaves
  Op* ops = nullptr;
  // Of the first `count` ops, the steps that set all flags: some that nobody asks for before they are set again are
  // left out of `ops`. nullptr: of none.
  Step* exact = nullptr;
  std::atomic<std::uint8_t>* page_flags = nullptr;
  Block* next = nullptr;                 // in the table's chain
  const std::uint8_t* second = nullptr;  // crosses: the other page
  std::atomic<std::uint8_t>* second_flags = nullptr;

  // Before, and again after, a run that will stop at instruction `most`, where all flags must be right.
  void exchange_steps(unsigned most) const {
    for (unsigned i = 0; exact != nullptr && i < most; ++i)
      std::swap(ops[i].run, exact[i]);
  }
  bool page_is_unwritten() const {
    return (page_flags->load(std::memory_order_relaxed) & static_cast<std::uint8_t>(core::Watcher::Code)) == 0;
  }
};

class BlockCache {
 public:
  static constexpr std::size_t kMaxBytes = 24u << 20;  // ops and blocks; full means begin anew

  BlockCache();
  ~BlockCache();
  BlockCache(const BlockCache&) = delete;
  BlockCache& operator=(const BlockCache&) = delete;

  // The block that starts at the CPU's RIP, decoded if need be. nullptr: the fetch faulted (cpu.fault). Between two
  // blocks only: what was found before may be gone.
  Block* find(Cpu& cpu) {
    const Jump& jump = jumps_[jump_index(jump_address(cpu))];
    if (jump.address == jump_address(cpu) && jump.stamp == stamp(cpu) && jump.block->live &&
        jump.block->page_is_unwritten() && fits_segment(cpu, *jump.block)) [[likely]] {
      return jump.block;
    }
    return find_slow(cpu);
  }

  // A CPU of ours stores to a page with code: voids the blocks that the bytes touch. True if the page has no code left
  // and quick stores may be allowed again.
  bool code_written(const std::uint8_t* host_page, unsigned offset, unsigned size);
  bool has_code(const std::uint8_t* host_page) const;
  void clear();  // all blocks; between two blocks only

 private:
  static constexpr unsigned kJumps = 4096;
  // Where a block is by linear address, for as long as the CPU's mappings stay what they are.
  struct Jump {
    std::uint64_t address = 0;
    std::uint64_t stamp = 0;
    Block* block = nullptr;
  };
  static unsigned jump_index(std::uint64_t address) { return static_cast<unsigned>(address ^ address >> 12) % kJumps; }
  static std::uint64_t jump_address(const Cpu& cpu) {
    return cpu.code64() ? cpu.rip : static_cast<std::uint32_t>(cpu.segments[kCs].base + cpu.rip);
  }
  // Each CPU counts generations of its own.
  static std::uint64_t stamp(const Cpu& cpu) {
    return cpu.mmu.generation() << 24 | std::uint64_t{cpu.index} << 16 | std::uint64_t{cpu.mode} << 8 | cpu.cpl;
  }
  static bool fits_segment(const Cpu& cpu, const Block& block) {
    return cpu.code64() || cpu.rip + block.bytes - 1 <= cpu.segments[kCs].limit;
  }
  Block* find_slow(Cpu& cpu);

  struct Impl;
  std::unique_ptr<Impl> impl_;
  std::array<Jump, kJumps> jumps_{};
};

}  // namespace vmm::cpu::soft
