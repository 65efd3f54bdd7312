// Messages of the main channel. Those of migration have no description yet.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "spice/wire/common.h"

namespace spice::wire {

enum class MouseMode : std::uint16_t { Server = 1, Client = 2 };  // bits, where modes are listed

// From the server.

struct MainInit {
  static constexpr std::uint16_t kType = 103;
  std::uint32_t session_id = 0;
  std::uint32_t displays_hint = 1;
  std::uint32_t supported_mouse_modes = 0;
  std::uint32_t current_mouse_mode = 0;
  std::uint32_t agent_connected = 0;
  std::uint32_t agent_tokens = 0;
  std::uint32_t multi_media_time = 0;
  std::uint32_t ram_hint = 0;

  template <class IO>
  void wire(IO& io);
};

struct ListedChannel {
  static constexpr std::size_t kLeastSize = 2;
  ChannelType type{};
  std::uint8_t id = 0;

  template <class IO>
  void wire(IO& io) {
    io.value("type", type);
    io.value("id", id);
  }
};

struct MainChannelsList {
  static constexpr std::uint16_t kType = 104;
  std::vector<ListedChannel> channels;

  template <class IO>
  void wire(IO& io);
};

struct MainMouseMode {
  static constexpr std::uint16_t kType = 105;
  std::uint16_t supported = 0;
  std::uint16_t current = 0;

  template <class IO>
  void wire(IO& io);
};

struct MainMultiMediaTime {
  static constexpr std::uint16_t kType = 106;
  std::uint32_t time_ms = 0;

  template <class IO>
  void wire(IO& io);
};

using MainAgentConnected = Empty<ChannelType::Main, 107>;

struct MainAgentDisconnected {
  static constexpr std::uint16_t kType = 108;
  std::uint32_t error = 0;

  template <class IO>
  void wire(IO& io);
};

struct MainAgentData {
  static constexpr std::uint16_t kType = 109;
  Payload data;

  template <class IO>
  void wire(IO& io);
};

struct MainAgentToken {
  static constexpr std::uint16_t kType = 110;
  std::uint32_t tokens = 0;

  template <class IO>
  void wire(IO& io);
};

struct MainName {
  static constexpr std::uint16_t kType = 113;
  std::string name;

  template <class IO>
  void wire(IO& io);
};

struct MainUuid {
  static constexpr std::uint16_t kType = 114;
  std::array<std::uint8_t, 16> uuid{};

  template <class IO>
  void wire(IO& io);
};

struct MainAgentConnectedTokens {
  static constexpr std::uint16_t kType = 115;
  std::uint32_t tokens = 0;

  template <class IO>
  void wire(IO& io);
};

// From the client.

struct MainClientInfo {
  static constexpr std::uint16_t kType = 101;
  std::uint64_t cache_size = 0;

  template <class IO>
  void wire(IO& io);
};

using MainAttachChannels = Empty<ChannelType::Main, 104>;

struct MainMouseModeRequest {
  static constexpr std::uint16_t kType = 105;
  MouseMode mode{};

  template <class IO>
  void wire(IO& io);
};

struct MainAgentStart {
  static constexpr std::uint16_t kType = 106;
  std::uint32_t tokens = 0;

  template <class IO>
  void wire(IO& io);
};

struct MainClientAgentData {
  static constexpr std::uint16_t kType = 107;
  static constexpr std::size_t kMaxSize = 2048;
  Payload data;

  template <class IO>
  void wire(IO& io);
};

struct MainClientAgentToken {
  static constexpr std::uint16_t kType = 108;
  std::uint32_t tokens = 0;

  template <class IO>
  void wire(IO& io);
};

}  // namespace spice::wire
