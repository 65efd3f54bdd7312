#include "devices/qxl/command_ring.h"

#include <atomic>
#include <cstddef>

namespace devices::qxl {

using Ring = abi::QXLCommandRing;

std::optional<std::uint32_t> CommandRing::waiting() const {
  const auto count = word(offsetof(Ring, prod)) - word(offsetof(Ring, cons));
  if (count > Ring::kItems) return std::nullopt;
  return count;
}

// The number of items is our own: what the guest's memory says of it is not looked at.
std::optional<abi::QXLCommand> CommandRing::pop() {
  if (waiting().value_or(0) == 0) return std::nullopt;
  std::atomic_thread_fence(std::memory_order_acquire);  // the command after the index that says it is there
  const auto cons = word(offsetof(Ring, cons));
  const auto item = offsetof(Ring, items) + sizeof(abi::QXLCommand) * (cons % Ring::kItems);
  const auto command = ring_.read<abi::QXLCommand>(item);
  std::atomic_thread_fence(std::memory_order_release);  // the guest may use the item again from here on
  ring_.write(offsetof(Ring, cons), cons + 1);
  return command;
}

bool CommandRing::wants_interrupt() const {
  // The guest asks and then looks at `cons` again; we write `cons` and then look whether it asks.
  std::atomic_thread_fence(std::memory_order_seq_cst);
  return word(offsetof(Ring, notify_on_cons)) == word(offsetof(Ring, cons));
}

bool CommandRing::arm() {
  ring_.write(offsetof(Ring, notify_on_prod), word(offsetof(Ring, prod)) + 1);
  std::atomic_thread_fence(std::memory_order_seq_cst);
  return waiting() == 0u;
}

}  // namespace devices::qxl
