#include "spice/agent/messages.h"

#include <algorithm>
#include <cstring>

#include "spice/agent/agent_abi.h"

namespace spice::agent {

using namespace abi;

namespace {

constexpr std::size_t kWordBytes = 4;
constexpr std::int32_t kLargestSide = 32767;  // and the farthest place, either way

template <class T>
void append(Bytes& to, const T& value) {
  const auto at = to.size();
  to.resize(at + sizeof value);
  std::memcpy(to.data() + at, &value, sizeof value);
}

template <class T>
T read(std::span<const std::uint8_t> from, std::size_t offset) {
  T value;
  std::memcpy(&value, from.data() + offset, sizeof value);
  return value;
}

Bytes message(std::uint32_t type, const Bytes& body) {
  Bytes bytes;
  VDAgentMessage header{};
  header.protocol = VD_AGENT_PROTOCOL;
  header.type = type;
  header.size = static_cast<std::uint32_t>(body.size());
  append(bytes, header);
  bytes.insert(bytes.end(), body.begin(), body.end());
  return bytes;
}

constexpr std::size_t kCapabilities = sizeof(VDAgentMessage) + sizeof(VDAgentAnnounceCapabilities);

// The byte with a capability, if the message is so long.
std::optional<std::size_t> byte_of(std::span<const std::uint8_t> message, unsigned capability) {
  const auto word_end = kCapabilities + (capability / 32 + 1) * kWordBytes;
  if (message.size() < word_end) return std::nullopt;
  return kCapabilities + capability / 8;
}

bool is_sane(const VDAgentMonConfig& monitor) {
  const auto near = [](std::uint32_t place) {
    const auto value = static_cast<std::int32_t>(place);
    return value >= -kLargestSide && value <= kLargestSide;
  };
  return monitor.width <= kLargestSide && monitor.height <= kLargestSide && near(monitor.x) && near(monitor.y);
}

}  // namespace

Bytes mouse_state(const MouseState& state) {
  VDAgentMouseState body{};
  body.x = state.x;
  body.y = state.y;
  body.buttons = state.buttons;
  body.display_id = state.display;
  Bytes bytes;
  append(bytes, body);
  return message(VD_AGENT_MOUSE_STATE, bytes);
}

Bytes client_disconnected() {
  return message(VD_AGENT_CLIENT_DISCONNECTED, {});
}

Bytes graphics_device_info(std::span<const DisplayAddress> displays) {
  Bytes bytes;
  VDAgentGraphicsDeviceInfo head{};
  head.count = static_cast<std::uint32_t>(displays.size());
  append(bytes, head);
  for (const auto& display : displays) {
    VDAgentDeviceDisplayInfo info{};
    info.channel_id = display.channel;
    info.monitor_id = display.monitor;
    info.device_display_id = display.output;
    info.device_address_len = static_cast<std::uint32_t>(display.device.size() + 1);
    append(bytes, info);
    bytes.insert(bytes.end(), display.device.begin(), display.device.end());
    bytes.push_back(0);
  }
  return message(VD_AGENT_GRAPHICS_DEVICE_INFO, bytes);
}

bool announces(std::span<const std::uint8_t> message, unsigned capability) {
  const auto byte = byte_of(message, capability);
  return byte && ((message[*byte] >> capability % 8) & 1) != 0;
}

void restrict_capabilities(std::span<std::uint8_t> message, const FilterRules& rules) {
  if (!rules.copy_paste) {
    for (const auto capability :
         {VD_AGENT_CAP_CLIPBOARD, VD_AGENT_CAP_CLIPBOARD_BY_DEMAND, VD_AGENT_CAP_CLIPBOARD_SELECTION}) {
      if (const auto byte = byte_of(message, capability)) {
        message[*byte] &= static_cast<std::uint8_t>(~(1U << capability % 8));
      }
    }
  }
  if (rules.file_transfer) return;
  if (const auto byte = byte_of(message, VD_AGENT_CAP_FILE_XFER_DISABLED)) {
    message[*byte] |= static_cast<std::uint8_t>(1U << VD_AGENT_CAP_FILE_XFER_DISABLED % 8);
  }
}

std::optional<std::vector<core::ClientMonitor>> parse_monitors(std::span<const std::uint8_t> body) {
  if (body.size() < sizeof(VDAgentMonitorsConfig)) return std::nullopt;
  const auto head = read<VDAgentMonitorsConfig>(body, 0);
  const std::size_t count = head.num_of_monitors;
  const bool has_sizes = (head.flags & VD_AGENT_CONFIG_MONITORS_FLAG_PHYSICAL_SIZE) != 0;
  const auto each = sizeof(VDAgentMonConfig) + (has_sizes ? sizeof(VDAgentMonitorMM) : 0);
  if (count > kMostMonitors || body.size() < sizeof head + count * each) return std::nullopt;
  std::vector<core::ClientMonitor> monitors;
  for (std::size_t i = 0; i < count; ++i) {
    const auto wanted = read<VDAgentMonConfig>(body, sizeof head + i * sizeof(VDAgentMonConfig));
    if (!is_sane(wanted)) return std::nullopt;
    const auto left = static_cast<std::int32_t>(wanted.x);
    const auto top = static_cast<std::int32_t>(wanted.y);
    auto& monitor = monitors.emplace_back();
    monitor.area = {left, top, left + static_cast<std::int32_t>(wanted.width),
                    top + static_cast<std::int32_t>(wanted.height)};
    if (!has_sizes) continue;
    const auto size =
        read<VDAgentMonitorMM>(body, sizeof head + count * sizeof(VDAgentMonConfig) + i * sizeof(VDAgentMonitorMM));
    monitor.width_mm = size.width;
    monitor.height_mm = size.height;
  }
  return monitors;
}

}  // namespace spice::agent
