// What the guest's agent and a client say to each other, and the frame in which that goes through the guest's port.
// Names are those of the protocol's vd_agent.h. All is little-endian and packed.
#pragma once

#include <cstddef>
#include <cstdint>

#include "core/base/endian.h"

namespace spice::agent::abi {

constexpr const char* kPortName = "com.redhat.spice.0";

// On the port: chunks. Messages of a client and messages of the server are two streams.
constexpr std::uint32_t VDP_CLIENT_PORT = 1;
constexpr std::uint32_t VDP_SERVER_PORT = 2;

struct VDIChunkHeader {
  core::le32 port;
  core::le32 size;
};

// In each stream: messages.
constexpr std::uint32_t VD_AGENT_PROTOCOL = 1;
constexpr std::size_t VD_AGENT_MAX_DATA_SIZE = 2048;  // of a piece, on its way to or from a client

struct VDAgentMessage {
  core::le32 protocol;
  core::le32 type;
  core::le64 opaque;
  core::le32 size;  // of what follows
};
static_assert(sizeof(VDAgentMessage) == 20);

constexpr std::uint32_t VD_AGENT_MOUSE_STATE = 1;  // server to agent
constexpr std::uint32_t VD_AGENT_MONITORS_CONFIG = 2;
constexpr std::uint32_t VD_AGENT_CLIPBOARD = 4;
constexpr std::uint32_t VD_AGENT_ANNOUNCE_CAPABILITIES = 6;
constexpr std::uint32_t VD_AGENT_CLIPBOARD_GRAB = 7;
constexpr std::uint32_t VD_AGENT_CLIPBOARD_REQUEST = 8;
constexpr std::uint32_t VD_AGENT_CLIPBOARD_RELEASE = 9;
constexpr std::uint32_t VD_AGENT_FILE_XFER_START = 10;
constexpr std::uint32_t VD_AGENT_FILE_XFER_STATUS = 11;
constexpr std::uint32_t VD_AGENT_FILE_XFER_DATA = 12;
constexpr std::uint32_t VD_AGENT_CLIENT_DISCONNECTED = 13;   // server to agent
constexpr std::uint32_t VD_AGENT_GRAPHICS_DEVICE_INFO = 16;  // server to agent

// Bits of VDAgentAnnounceCapabilities.
constexpr unsigned VD_AGENT_CAP_CLIPBOARD = 3;
constexpr unsigned VD_AGENT_CAP_CLIPBOARD_BY_DEMAND = 5;
constexpr unsigned VD_AGENT_CAP_CLIPBOARD_SELECTION = 6;
constexpr unsigned VD_AGENT_CAP_FILE_XFER_DISABLED = 13;
constexpr unsigned VD_AGENT_CAP_GRAPHICS_DEVICE_INFO = 15;

struct VDAgentAnnounceCapabilities {
  core::le32 request;  // words of 32 capabilities follow
};

struct VDAgentMouseState {
  core::le32 x;
  core::le32 y;
  core::le32 buttons;
  std::uint8_t display_id;
};
static_assert(sizeof(VDAgentMouseState) == 13);

constexpr std::uint32_t VD_AGENT_CONFIG_MONITORS_FLAG_PHYSICAL_SIZE = 2;

struct VDAgentMonitorsConfig {
  core::le32 num_of_monitors;
  core::le32 flags;  // the monitors follow
};

struct VDAgentMonConfig {
  core::le32 height;
  core::le32 width;
  core::le32 depth;
  core::le32 x;  // signed, as y
  core::le32 y;
};

// Behind all monitors, with the flag.
struct VDAgentMonitorMM {
  core::le16 height;
  core::le16 width;
};

struct VDAgentGraphicsDeviceInfo {
  core::le32 count;
};

struct VDAgentDeviceDisplayInfo {
  core::le32 channel_id;
  core::le32 monitor_id;
  core::le32 device_display_id;
  core::le32 device_address_len;  // with its NUL; the address follows
};

}  // namespace spice::agent::abi
