#include "devices/qxl/memory_slots.h"

#include <algorithm>

#include "core/base/bits.h"

namespace devices::qxl {

void MemorySlots::add(std::uint8_t id, const MemorySlot& slot) {
  if (id < kSlots) slots_[id] = slot;
}

void MemorySlots::remove(std::uint8_t id) {
  if (id < kSlots) slots_[id] = {};
}

std::optional<GuestPlace> MemorySlots::locate(QxlAddress address, std::uint64_t length) const {
  if (address.slot() >= kSlots) return std::nullopt;
  const auto& slot = slots_[address.slot()];
  if (!slot.active || slot.generation != address.generation() || address.offset() < slot.base) return std::nullopt;
  const auto offset = address.offset() - slot.base;
  if (!core::range_inside(offset, length, slot.size)) return std::nullopt;
  return GuestPlace{slot.start.memory, slot.start.offset + offset};
}

std::optional<core::MemorySlice> MemorySlots::resolve(QxlAddress address, std::uint64_t length) const {
  const auto place = locate(address, length);
  return place ? at(*place, length) : std::nullopt;
}

std::optional<core::MemorySlice> MemorySlots::at(const GuestPlace& place, std::uint64_t length) const {
  return memories_.block(place.memory).slice(place.offset, length);
}

bool MemorySlots::valid() const {
  return std::ranges::all_of(slots_, [this](const MemorySlot& slot) {
    return !slot.active || (slot.start.memory <= QxlMemory::Vram && at(slot.start, slot.size));
  });
}

}  // namespace devices::qxl
