// The walk over the physical region descriptor table of one AHCI command. [AHCI 4.2.3.3]
//
// A drive may ask for its data in several pieces: the walk goes on where it stood. Descriptors are fetched once. A
// table or a region outside RAM is a fault, a table with less than the drive has an overflow.
#pragma once

#include <cstdint>

#include "core/memory/guest_memory.h"
#include "devices/block/dma_engine.h"

namespace devices::block {

class PrdTable final : public DmaEngine {
 public:
  explicit PrdTable(const core::GuestMemory& memory) : memory_(memory) {}
  void begin(core::Gpa table, std::uint32_t entries);

  bool active() const override { return true; }
  Gathered gather(std::uint64_t wanted, core::GuestIoVector& out) override;
  void finish(bool) override {}
  void fail() override {}

  bool is_faulty() const { return walk_.faulty; }
  bool has_overflowed() const { return walk_.overflow; }
  bool wants_interrupt() const { return walk_.interrupt; }  // a descriptor that is used up does
  std::uint64_t taken() const { return walk_.taken; }       // bytes

 private:
  struct Walk {
    core::Gpa next;             // descriptor
    std::uint32_t entries = 0;  // from there on
    core::Gpa region;           // what is left of the one before
    std::uint64_t region_left = 0;
    bool region_interrupts = false;
    bool faulty = false;
    bool overflow = false;
    bool interrupt = false;
    std::uint64_t taken = 0;
  };
  bool fetch();

  const core::GuestMemory& memory_;
  Walk walk_;
};

}  // namespace devices::block
