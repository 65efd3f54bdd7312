#include "spice/agent/monitor_trim.h"

#include <algorithm>

#include "spice/agent/agent_abi.h"
#include "spice/agent/messages.h"

namespace spice::agent {

using namespace abi;

namespace {

constexpr std::size_t kSize = offsetof(VDAgentMessage, size);
constexpr std::size_t kCount = sizeof(VDAgentMessage) + offsetof(VDAgentMonitorsConfig, num_of_monitors);
constexpr std::size_t kFlags = sizeof(VDAgentMessage) + offsetof(VDAgentMonitorsConfig, flags);
constexpr std::size_t kFixed = sizeof(VDAgentMessage) + sizeof(VDAgentMonitorsConfig);

// Rewrites the beginning of a message with sizes; returns how long the body is then.
std::uint32_t take_sizes_out(std::span<std::uint8_t> beginning) {
  const auto size = core::load_le<std::uint32_t>(beginning.data() + kSize);
  if (beginning.size() < kFixed) return size;
  const auto count = core::load_le<std::uint32_t>(beginning.data() + kCount);
  const auto flags = core::load_le<std::uint32_t>(beginning.data() + kFlags);
  if ((flags & VD_AGENT_CONFIG_MONITORS_FLAG_PHYSICAL_SIZE) == 0 || count > kMostMonitors) return size;
  const auto trimmed = static_cast<std::uint32_t>(sizeof(VDAgentMonitorsConfig) + count * sizeof(VDAgentMonConfig));
  if (size < trimmed) return size;
  core::store_le(beginning.data() + kSize, trimmed);
  core::store_le(beginning.data() + kFlags, flags & ~VD_AGENT_CONFIG_MONITORS_FLAG_PHYSICAL_SIZE);
  return trimmed;
}

}  // namespace

std::vector<std::uint8_t> MonitorTrim::feed(std::span<const std::uint8_t> piece, bool begins) {
  std::vector<std::uint8_t> bytes(piece.begin(), piece.end());
  const std::size_t header = begins ? sizeof(VDAgentMessage) : 0;
  if (begins) left_ = take_sizes_out(bytes);
  const auto body = std::min<std::size_t>(left_, bytes.size() - header);
  bytes.resize(header + body);
  left_ -= static_cast<std::uint32_t>(body);
  return bytes;
}

}  // namespace spice::agent
