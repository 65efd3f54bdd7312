#include "devices/virtio/virtqueue.h"

#include <algorithm>
#include <atomic>
#include <bit>
#include <utility>

#include "core/base/log.h"
#include "devices/virtio/virtqueue_abi.h"

namespace devices::virtio {

using namespace abi;

void Virtqueue::Places::visit(core::StateVisitor& visitor) {
  visitor.field("descriptors", descriptors);
  visitor.field("available", available);
  visitor.field("used", used);
}

bool Virtqueue::enable(const Ring& ring) {
  const auto& at = ring.places;
  const bool aligned = at.descriptors % 16 == 0 && at.available % 2 == 0 && at.used % 4 == 0;
  if (!aligned || !std::has_single_bit(ring.size) || ring.size > max_size_) return break_down();
  const auto descriptors = memory_->slice(core::Gpa(at.descriptors), descriptor_bytes(ring.size));
  const auto available = memory_->slice(core::Gpa(at.available), available_bytes(ring.size));
  const auto used = memory_->slice(core::Gpa(at.used), used_bytes(ring.size));
  if (!descriptors || !available || !used) return break_down();
  parts_ = {ring, *descriptors, *available, *used};
  enabled_ = true;
  return true;
}

void Virtqueue::reset() {
  disable();
  state_ = {};
}

bool Virtqueue::break_down() {
  if (!state_.broken) MV_LOG_LIMITED(Warn, "virtio", "the guest's queue is broken");
  state_.broken = true;
  return false;
}

// `offset` lies inside.
std::uint16_t Virtqueue::read_available(std::uint64_t offset) const {
  return parts_.available.read<core::le16>(offset).value_or(0);
}

bool Virtqueue::has_next() {
  const std::uint16_t index = read_available(kAvailableIndex);
  // [2.7.13.1] What the index covers was written before it.
  std::atomic_thread_fence(std::memory_order_acquire);
  const auto waiting = static_cast<std::uint16_t>(index - state_.next_available);
  if (waiting > parts_.ring.size) return break_down();
  return waiting > 0;
}

bool Virtqueue::pop(Chain& chain) {
  if (!enabled_ || state_.broken) return false;
  const auto& ring = parts_.ring;
  if (!has_next()) {
    if (state_.broken || !ring.event_index) return false;
    // [2.7.10] Ask to be told of the next one, and look again for one that came meanwhile.
    parts_.used.write(kUsedRing + kUsedEntry * ring.size, core::le16(state_.next_available));
    std::atomic_thread_fence(std::memory_order_seq_cst);
    if (!has_next()) return false;
  }
  // A driver that uses descriptors again before it got them back would have the device keep any number of chains.
  const auto outstanding = static_cast<std::uint16_t>(state_.next_available - state_.next_used);
  if (outstanding >= ring.size) return break_down();
  const auto slot = state_.next_available % ring.size;
  chain.head = read_available(kAvailableRing + kAvailableEntry * slot);
  chain.readable.clear();
  chain.writable.clear();
  if (!collect(chain)) return break_down();
  ++state_.next_available;
  return true;
}

void Virtqueue::unpop() {
  --state_.next_available;
}

std::uint16_t Virtqueue::waiting() const {
  if (!enabled_ || state_.broken) return 0;
  const auto waiting = static_cast<std::uint16_t>(read_available(kAvailableIndex) - state_.next_available);
  return std::min(waiting, parts_.ring.size);
}

// [2.7.10]
bool Virtqueue::ring_after(std::uint16_t count) {
  const auto& ring = parts_.ring;
  if (!enabled_ || !ring.event_index || count == 0) return true;
  const auto event = static_cast<std::uint16_t>(state_.next_available + count - 1);
  parts_.used.write(kUsedRing + kUsedEntry * ring.size, core::le16(event));
  std::atomic_thread_fence(std::memory_order_seq_cst);
  return waiting() < count;
}

std::optional<core::MemorySlice> Virtqueue::indirect_table(std::uint64_t address, std::uint32_t length) const {
  if (!parts_.ring.indirect || length == 0 || length % sizeof(Descriptor) != 0) return std::nullopt;
  return memory_->slice(core::Gpa(address), length);
}

// [2.7.5.3] A chain may go through descriptors of the ring, or through one that refers to a table of them.
bool Virtqueue::collect(Chain& chain) const {
  core::MemorySlice table = parts_.descriptors;
  bool in_table = false;
  std::uint64_t next = chain.head;
  for (unsigned buffers = 0; buffers < kMaxBuffers; ++buffers) {
    const auto descriptor = table.read<Descriptor>(next * sizeof(Descriptor));
    if (!descriptor) return false;
    const std::uint16_t flags = descriptor->flags;
    if ((flags & kIndirect) != 0) {
      const auto inner = indirect_table(descriptor->address, descriptor->length);
      if (in_table || buffers > 0 || (flags & kNext) != 0 || !inner) return false;
      table = *inner;
      in_table = true;
      next = 0;
      continue;
    }
    const bool is_writable = (flags & kWrite) != 0;
    if (!is_writable && chain.writable.size() > 0) return false;
    if (descriptor->length == 0) return false;
    auto& part = is_writable ? chain.writable : chain.readable;
    if (!memory_->gather(core::Gpa(descriptor->address), descriptor->length, part)) return false;
    if (part.size() > kMaxBytes) return false;
    if ((flags & kNext) == 0) return true;
    next = descriptor->next;
  }
  return false;
}

void Virtqueue::push(std::uint16_t head, std::uint32_t written) {
  if (!enabled_) return;
  const auto slot = state_.next_used % parts_.ring.size;
  parts_.used.write(kUsedRing + kUsedEntry * slot, UsedElement{head, written});
  ++state_.next_used;
  // [2.7.8.2] The element is there before the index says so.
  std::atomic_thread_fence(std::memory_order_release);
  parts_.used.write(kUsedIndex, core::le16(state_.next_used));
}

bool Virtqueue::wants_interrupt() {
  if (!enabled_ || state_.signalled == state_.next_used) return false;
  const auto before = std::exchange(state_.signalled, state_.next_used);
  // [2.7.7.2] The driver sets what it wants, then looks at the index; here it is the other way round.
  std::atomic_thread_fence(std::memory_order_seq_cst);
  const auto& ring = parts_.ring;
  if (!ring.event_index) return (read_available(kAvailableFlags) & kNoInterrupt) == 0;
  const std::uint16_t event = read_available(kAvailableRing + kAvailableEntry * ring.size);
  const auto from_event = static_cast<std::uint16_t>(state_.next_used - event - 1);
  return from_event < static_cast<std::uint16_t>(state_.next_used - before);
}

void Virtqueue::visit(core::StateVisitor& visitor) {
  visitor.field("next_available", state_.next_available);
  visitor.field("next_used", state_.next_used);
  visitor.field("signalled", state_.signalled);
  visitor.field("broken", state_.broken);
}

}  // namespace devices::virtio
