// Every message of every channel that we describe or at least know by name.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "spice/wire/protocol.h"

namespace spice::wire {

enum class Direction : std::uint8_t { ToClient, ToServer };

struct MessageInfo {
  static constexpr int kNoCap = -1;
  ChannelType channel;  // kEveryChannel for the common ones
  Direction direction;
  std::uint16_t type;
  std::string_view name;
  std::uint32_t max_size;  // of the body; a longer one is a protocol violation
  int capability;          // of the client, needed before we send it
};

std::span<const MessageInfo> all_messages();

// nullptr for what we do not know. Common messages are found under every channel.
const MessageInfo* find_message(ChannelType channel, Direction direction, std::uint16_t type);

}  // namespace spice::wire
