// Memory slots: what the addresses in a driver's commands mean. An address has a slot number, the slot's generation and
// an offset; it is resolved to a checked slice of the device's own memory, never to a pointer. [QXL QXLPHYSICAL]
//
// Display worker only.
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "core/memory/memory_block.h"
#include "core/state/state.h"

namespace devices::qxl {

// An address as commands have it: slot in bits 56..63, generation in 48..55, offset in the others. 0: null.
struct QxlAddress {
  static constexpr unsigned kOffsetBits = 48;
  std::uint64_t value = 0;

  bool null() const { return value == 0; }
  std::uint8_t slot() const { return static_cast<std::uint8_t>(value >> 56); }
  std::uint8_t generation() const { return static_cast<std::uint8_t>(value >> kOffsetBits); }
  std::uint64_t offset() const { return value & ((std::uint64_t{1} << kOffsetBits) - 1); }
  QxlAddress operator+(std::uint64_t bytes) const { return {value + bytes}; }
};

// The memories of the device that guests can name.
enum class QxlMemory : std::uint8_t { Ram = 0, Vram = 1 };

struct QxlMemories {
  core::MemoryBlock& ram;
  core::MemoryBlock& vram;
  core::MemoryBlock& block(QxlMemory which) const { return which == QxlMemory::Ram ? ram : vram; }
};

// A byte of the device's memory: what is left of an address once it was resolved.
struct GuestPlace {
  QxlMemory memory = QxlMemory::Ram;
  std::uint64_t offset = 0;
  bool operator==(const GuestPlace&) const = default;

  void visit(core::StateVisitor& visitor) {
    visitor.field("memory", memory);
    visitor.field("offset", offset);
  }
};

struct MemorySlot {
  bool active = false;
  std::uint8_t generation = 0;
  GuestPlace start{};
  std::uint64_t size = 0;
  std::uint64_t base = 0;  // the offset in addresses that means the slot's first byte

  void visit(core::StateVisitor& visitor) {
    visitor.field("active", active);
    visitor.field("generation", generation);
    visitor.field("start", start);
    visitor.field("size", size);
    visitor.field("base", base);
  }
};

class MemorySlots {
 public:
  static constexpr std::size_t kSlots = 8;  // 0 is compat mode's

  explicit MemorySlots(const QxlMemories& memories) : memories_(memories) {}

  void add(std::uint8_t id, const MemorySlot& slot);  // replaces; an id beyond the last is ignored
  void remove(std::uint8_t id);
  void clear() { slots_ = {}; }

  // nullopt unless the whole range lies in a slot of this generation.
  std::optional<GuestPlace> locate(QxlAddress address, std::uint64_t length) const;
  std::optional<core::MemorySlice> resolve(QxlAddress address, std::uint64_t length) const;
  // What locate() answered stays good for ever: slots may go, memory does not.
  std::optional<core::MemorySlice> at(const GuestPlace& place, std::uint64_t length) const;

  const std::array<MemorySlot, kSlots>& slots() const { return slots_; }
  void visit(core::StateVisitor& visitor) { visitor.field("slots", slots_); }
  // Whether all slots lie in the device's memory, as those of a loaded state may not.
  bool valid() const;

 private:
  QxlMemories memories_;
  std::array<MemorySlot, kSlots> slots_{};
};

}  // namespace devices::qxl
