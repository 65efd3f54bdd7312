// The agent's messages that the server writes or understands: whole ones, header included where not said otherwise.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/ports/display.h"
#include "spice/agent/message_filter.h"

namespace spice::agent {

using Bytes = std::vector<std::uint8_t>;

// Where clients' pointer is.
struct MouseState {
  std::uint32_t x = 0;  // on the display
  std::uint32_t y = 0;
  std::uint32_t buttons = 0;  // VD_AGENT_*BUTTON_MASK
  std::uint8_t display = 0;
  bool operator==(const MouseState&) const = default;
};

// Which output of which device in the guest a client sees as which display.
struct DisplayAddress {
  std::uint32_t channel = 0;  // number of the display channel
  std::uint32_t monitor = 0;  // in it
  std::uint32_t output = 0;   // of the device
  std::string device;         // "pci/0000/02.0": domain, then device and function
};

Bytes mouse_state(const MouseState& state);
Bytes client_disconnected();
Bytes graphics_device_info(std::span<const DisplayAddress> displays);

// Of ANNOUNCE_CAPABILITIES, in one piece.
bool announces(std::span<const std::uint8_t> message, unsigned capability);
// What the rules forbid is not offered to clients.
void restrict_capabilities(std::span<std::uint8_t> message, const FilterRules& rules);

// The body of MONITORS_CONFIG; nothing if it is none, or asks for what no display has.
constexpr std::size_t kMostMonitors = 256;
constexpr std::size_t kMostMonitorBytes = 8 + kMostMonitors * 24;
std::optional<std::vector<core::ClientMonitor>> parse_monitors(std::span<const std::uint8_t> body);

}  // namespace spice::agent
