// The ring through which the device gives commands back. The item that comes next is built in place as a list: each
// command's release_info, whose id was read before, is overwritten by the id of the next. [QXL QXLReleaseInfo]
//
// Display worker only.
#pragma once

#include <cstdint>

#include "core/memory/memory_block.h"
#include "core/state/state.h"
#include "devices/qxl/memory_slots.h"

namespace devices::qxl {

// A command to be given back: where its release_info lies, and the id that the driver put there.
struct Release {
  GuestPlace place{};
  std::uint64_t id = 0;

  void visit(core::StateVisitor& visitor) {
    visitor.field("place", place);
    visitor.field("id", id);
  }
};

class ReleaseRing {
 public:
  static constexpr std::uint32_t kBunch = 32;

  ReleaseRing(const core::MemorySlice& ring, const MemorySlots& slots) : ring_(ring), slots_(slots) {}

  // All three: true if the guest wants an interrupt for it.
  bool add(const Release& release);  // pushes the list when it is long enough
  bool flush();                      // pushes what there is, if there is room
  bool feed();                       // the same, if the guest has nothing to take

  void clear() { held_ = {}; }  // the ring was made anew
  std::uint32_t held() const { return held_.count; }
  void visit(core::StateVisitor& visitor);
  bool valid() const;

 private:
  struct Held {
    std::uint32_t count = 0;
    GuestPlace last{};  // the end of the list, if there is one
  };
  std::uint32_t word(std::size_t offset) const { return ring_.read<std::uint32_t>(offset).value_or(0); }
  std::size_t item() const;
  bool push();
  bool is_awaited() const;

  core::MemorySlice ring_;
  const MemorySlots& slots_;
  Held held_;
};

}  // namespace devices::qxl
