// Where a drive's DMA data lies in guest memory: the bus master of an IDE channel, or the PRD table of an AHCI command.
#pragma once

#include <cstdint>

#include "core/memory/memory_block.h"

namespace devices::block {

class DmaEngine {
 public:
  virtual ~DmaEngine() = default;

  virtual bool active() const = 0;  // started, and the transfer is not over

  enum class Table : std::uint8_t { Whole, TooShort, Fault };
  struct Gathered {
    Table table = Table::Fault;
    bool longer = false;  // the table describes more than was asked for
  };
  // Appends memory for `wanted` bytes to `out`, or as much as the table has.
  virtual Gathered gather(std::uint64_t wanted, core::GuestIoVector& out) = 0;

  virtual void finish(bool longer) = 0;  // the drive is done
  virtual void fail() = 0;
};

}  // namespace devices::block
