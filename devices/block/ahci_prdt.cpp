#include "devices/block/ahci_prdt.h"

#include <algorithm>

#include "devices/block/ahci_abi.h"

namespace devices::block {

namespace hba = abi::hba;

void PrdTable::begin(core::Gpa table, std::uint32_t entries) {
  walk_ = {};
  walk_.next = table;
  walk_.entries = entries;
}

bool PrdTable::fetch() {
  const auto prd = memory_.read<hba::Prd>(walk_.next);
  const auto next = walk_.next.checked_add(sizeof(hba::Prd));
  if (!prd || !next) return false;
  walk_.next = *next;
  --walk_.entries;
  walk_.region = core::Gpa((std::uint64_t{prd->base_upper} << 32) | (prd->base & ~1U));
  walk_.region_left = (prd->count & hba::kPrdCount & ~1U) + 2;  // always even
  walk_.region_interrupts = (prd->count & hba::kPrdInterrupt) != 0;
  return true;
}

DmaEngine::Gathered PrdTable::gather(std::uint64_t wanted, core::GuestIoVector& out) {
  while (wanted > 0) {
    if (walk_.region_left == 0 && walk_.entries == 0) {
      walk_.overflow = true;
      return {Table::TooShort, false};
    }
    const bool fetched = walk_.region_left > 0 || fetch();
    const auto part = std::min(walk_.region_left, wanted);
    const auto rest = walk_.region.checked_add(part);
    if (!fetched || !rest || !memory_.gather(walk_.region, part, out)) {
      walk_.faulty = true;
      return {};
    }
    walk_.region = *rest;
    walk_.region_left -= part;
    walk_.taken += part;
    wanted -= part;
    if (walk_.region_left == 0) walk_.interrupt |= walk_.region_interrupts;
  }
  return {Table::Whole, walk_.region_left > 0 || walk_.entries > 0};
}

}  // namespace devices::block
