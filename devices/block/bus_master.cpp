#include "devices/block/bus_master.h"

#include <algorithm>

#include "core/base/bits.h"
#include "devices/block/ide_abi.h"

namespace devices::block {

using namespace abi;

std::uint8_t BusMaster::read(unsigned offset) const {
  switch (offset) {
    case BMICX: return state_.command;
    case BMISX: return state_.status;
    case BMIDTPX:
    case BMIDTPX + 1:
    case BMIDTPX + 2:
    case BMIDTPX + 3: return static_cast<std::uint8_t>(state_.table >> (8 * (offset - BMIDTPX)));
    default: return 0;
  }
}

void BusMaster::write(unsigned offset, std::uint8_t value) {
  if (offset == BMICX) {
    const bool was_started = (state_.command & SSBM) != 0;
    state_.command = value & (SSBM | RWCON);
    const bool started = (value & SSBM) != 0;
    if (started && !was_started) state_.status |= BMIDEA;
    if (!started) state_.status &= static_cast<std::uint8_t>(~BMIDEA);
  } else if (offset == BMISX) {
    const auto cleared = value & (kDmaError | kDmaInterrupt);
    const auto kept = state_.status & (BMIDEA | kDmaError | kDmaInterrupt) & ~cleared;
    state_.status = static_cast<std::uint8_t>(kept | (value & kDriveDmaCapable));
  } else if (offset >= BMIDTPX && offset < BMIDTPX + 4) {
    const auto shift = 8 * (offset - BMIDTPX);
    const auto merged = (state_.table & ~(0xffU << shift)) | (std::uint32_t{value} << shift);
    state_.table = merged & ~3U;
  }
}

bool BusMaster::active() const {
  return (state_.status & BMIDEA) != 0;
}

DmaEngine::Gathered BusMaster::gather(std::uint64_t wanted, core::GuestIoVector& out) {
  if (!enabled_) return {};
  for (std::uint32_t i = 0; i < kMaxPrds; ++i) {
    const auto prd = memory_.read<Prd>(core::Gpa(std::uint64_t{state_.table} + i * sizeof(Prd)));
    if (!prd) return {};
    const std::uint32_t base = prd->base & ~1U;
    const std::uint32_t count = prd->byte_count & ~1U;
    const std::uint64_t length = count == 0 ? 0x10000 : count;
    const bool last = (prd->flags & kEndOfTable) != 0;
    const auto part = std::min(length, wanted);
    if (!memory_.gather(core::Gpa(base), part, out)) return {};
    wanted -= part;
    if (wanted == 0) return {Table::Whole, part < length || !last};
    if (last) return {Table::TooShort, false};
  }
  return {Table::TooShort, false};
}

void BusMaster::note_interrupt() {
  state_.status |= kDmaInterrupt;
}

void BusMaster::finish(bool longer) {
  if (!longer) state_.status &= static_cast<std::uint8_t>(~BMIDEA);
}

void BusMaster::fail() {
  state_.status = static_cast<std::uint8_t>((state_.status & ~BMIDEA) | kDmaError);
}

void BusMaster::visit(core::StateVisitor& visitor) {
  visitor.field("command", state_.command);
  visitor.field("status", state_.status);
  visitor.field("table", state_.table);
}

}  // namespace devices::block
