// The pages of video memory that the guest has written since the last refresh, as a bitmap over the part in view.
#pragma once

#include <cstdint>
#include <vector>

#include "core/memory/memory_block.h"

namespace devices::qxl {

class DirtyPages {
 public:
  // Takes (and forgets) the flags of the pages that hold [start, start+length).
  void collect(core::MemoryBlock& block, std::uint64_t start, std::uint64_t length);
  bool any() const { return !pages_.empty(); }
  // Whether [start, start+length), inside what was collected, has a dirty page.
  bool touches(std::uint64_t start, std::uint64_t length) const;

 private:
  std::uint64_t first_page_ = 0;
  std::vector<std::uint64_t> pages_;
  std::vector<std::uint8_t> dirty_;  // by page from first_page_ on
};

}  // namespace devices::qxl
