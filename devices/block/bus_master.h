// The bus master registers of one IDE channel and the walk over its descriptor table. [BMIDE 2]
//
// The walk gathers guest memory for a whole command at once; data then moves between there and the image without a
// copy. Descriptors are fetched once. A table or a buffer outside RAM (also one in a device's memory) is a fault.
#pragma once

#include <cstdint>

#include "core/memory/guest_memory.h"
#include "core/state/state.h"
#include "devices/block/dma_engine.h"

namespace devices::block {

class BusMaster final : public DmaEngine {
 public:
  explicit BusMaster(const core::GuestMemory& memory) : memory_(memory) {}

  void reset() { state_ = {}; }
  // Bit 2 of the PCI command register; derived, not saved.
  void set_enabled(bool enabled) { enabled_ = enabled; }

  std::uint8_t read(unsigned offset) const;         // offset 0..7
  void write(unsigned offset, std::uint8_t value);  // byte by byte

  bool active() const override;
  Gathered gather(std::uint64_t wanted, core::GuestIoVector& out) override;
  void finish(bool longer) override;  // with table left the engine stays active [BMIDE 2.2]
  void fail() override;               // the error bit, and inactive
  void note_interrupt();              // the drive's interrupt went up

  void visit(core::StateVisitor& visitor);

 private:
  struct State {
    std::uint8_t command = 0;
    std::uint8_t status = 0;
    std::uint32_t table = 0;
  };

  const core::GuestMemory& memory_;
  bool enabled_ = false;
  State state_;
};

}  // namespace devices::block
