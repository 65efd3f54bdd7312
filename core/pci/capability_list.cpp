#include "core/pci/capability_list.h"

#include "core/base/assert.h"
#include "core/base/bits.h"
#include "core/pci/pci_abi.h"

namespace core::inline pci {

using namespace abi;

CapabilityList::CapabilityList()
    : rows_{{.name = "STS", .offset = kStatus, .width = 2, .reset = kStatusCapabilities, .clear_on_one = kStatusErrors},
            {.name = "CAPPTR", .offset = kCapabilities, .width = 1}},
      pointer_(1),
      end_(kFirstCapability) {}

std::uint32_t CapabilityList::add(std::uint8_t id, std::uint32_t length, std::span<const Register> rows) {
  const auto start = end_;
  end_ = align_up(start + length, std::uint32_t{4});
  MV_ASSERT(end_ <= kConfigSize, "capabilities fit into config space");
  rows_[pointer_].reset = start;
  rows_.push_back({.name = "CAPID", .offset = start, .width = 1, .reset = id});
  pointer_ = rows_.size();
  rows_.push_back({.name = "NEXT", .offset = start + 1, .width = 1});
  for (auto row : rows) {
    row.offset += start;
    rows_.push_back(row);
  }
  return start;
}

}  // namespace core::inline pci
