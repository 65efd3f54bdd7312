#include "devices/qxl/dirty_pages.h"

#include <algorithm>

namespace devices::qxl {

void DirtyPages::collect(core::MemoryBlock& block, std::uint64_t start, std::uint64_t length) {
  first_page_ = start / core::kPageSize;
  const auto end_page = std::min((start + length + core::kPageSize - 1) / core::kPageSize, block.pages());
  const auto count = end_page > first_page_ ? end_page - first_page_ : 0;
  pages_.clear();
  block.collect_dirty(core::Watcher::Scanout, std::min(first_page_, block.pages()), count, pages_);
  if (pages_.empty()) return;
  dirty_.assign(count, 0);
  for (const auto page : pages_)
    dirty_[page - first_page_] = 1;
}

bool DirtyPages::touches(std::uint64_t start, std::uint64_t length) const {
  if (pages_.empty() || length == 0) return false;
  const auto last = (start + length - 1) / core::kPageSize - first_page_;
  for (auto page = start / core::kPageSize - first_page_; page <= last && page < dirty_.size(); ++page)
    if (dirty_[page] != 0) return true;
  return false;
}

}  // namespace devices::qxl
