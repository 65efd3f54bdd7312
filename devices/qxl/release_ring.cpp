#include "devices/qxl/release_ring.h"

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <limits>

#include "devices/qxl/qxl_abi.h"

namespace devices::qxl {

using Ring = abi::QXLReleaseRing;

std::size_t ReleaseRing::item() const {
  return offsetof(Ring, items) + sizeof(std::uint64_t) * (word(offsetof(Ring, prod)) % Ring::kItems);
}

bool ReleaseRing::add(const Release& release) {
  const auto own = slots_.at(release.place, sizeof(std::uint64_t));
  if (!own) return false;
  own->write(0, core::le64(0));
  const auto last = held_.count > 0 ? slots_.at(held_.last, sizeof(std::uint64_t)) : std::nullopt;
  if (last) {
    last->write(0, core::le64(release.id));
  } else {
    ring_.write(item(), core::le64(release.id));
  }
  held_.last = release.place;
  // A guest that takes nothing makes the list longer and longer, not the number.
  held_.count = std::min(held_.count + 1, std::numeric_limits<std::uint32_t>::max() - 1);
  return held_.count >= kBunch && push();
}

bool ReleaseRing::flush() {
  return held_.count > 0 ? push() : is_awaited();
}

bool ReleaseRing::feed() {
  return word(offsetof(Ring, prod)) == word(offsetof(Ring, cons)) && held_.count > 0 && push();
}

// One item is always kept free: the one that is built.
bool ReleaseRing::push() {
  const auto prod = word(offsetof(Ring, prod));
  if (prod - word(offsetof(Ring, cons)) + 1 >= Ring::kItems) return is_awaited();
  std::atomic_thread_fence(std::memory_order_release);  // the list before the index that says it is there
  ring_.write(offsetof(Ring, prod), prod + 1);
  std::atomic_thread_fence(std::memory_order_seq_cst);
  const bool awaited = is_awaited();
  held_ = {};
  ring_.write(item(), core::le64(0));
  return awaited;
}

// Linux's driver that has taken all asks for the next item without another look: one that comes between is never told
// of if only the very item it asked for is. It counts for as long as the guest has not come for it.
bool ReleaseRing::is_awaited() const {
  const auto taken = word(offsetof(Ring, cons));
  return word(offsetof(Ring, notify_on_prod)) - taken - 1 < word(offsetof(Ring, prod)) - taken;
}

void ReleaseRing::visit(core::StateVisitor& visitor) {
  visitor.field("held", held_.count);
  visitor.field("last", held_.last);
}

bool ReleaseRing::valid() const {
  return held_.count == 0 || (held_.last.memory <= QxlMemory::Vram && slots_.at(held_.last, sizeof(std::uint64_t)));
}

}  // namespace devices::qxl
