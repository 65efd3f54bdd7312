// One of the two rings from which the device takes commands. Our side of the protocol: nothing but `cons` and
// `notify_on_prod` is written. [QXL ipc_ring.h]
//
// Display worker only.
#pragma once

#include <cstdint>
#include <optional>

#include "core/memory/memory_block.h"
#include "devices/qxl/qxl_command_abi.h"

namespace devices::qxl {

class CommandRing {
 public:
  explicit CommandRing(const core::MemorySlice& ring) : ring_(ring) {}

  // How many commands wait. nullopt: more than fit, so that the indices make no sense.
  std::optional<std::uint32_t> waiting() const;
  // The next command, if there is one.
  std::optional<abi::QXLCommand> pop();
  // Whether the guest wants an interrupt for the command that was popped last: it waits for room.
  bool wants_interrupt() const;
  // The guest will notify us of its next command. False: there is one already.
  bool arm();

 private:
  std::uint32_t word(std::size_t offset) const { return ring_.read<std::uint32_t>(offset).value_or(0); }

  core::MemorySlice ring_;
};

}  // namespace devices::qxl
