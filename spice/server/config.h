// What the SPICE server is told.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

namespace spice::server {

struct ServerConfig {
  std::uint16_t port = 0;  // 0: any free one
  std::string addr;        // empty: decided by resolve_listen
  bool ipv4_only = false;
  bool ipv6_only = false;
  std::optional<std::string> password;  // given but empty: every client is refused
  bool disable_ticketing = false;

  std::string name;
  std::array<std::uint8_t, 16> uuid{};
  std::uint32_t ram_hint = 0;  // bytes of memory for pictures: clients size their caches by it

  std::size_t max_half_open = 64;  // connections that have not linked
  std::chrono::nanoseconds link_timeout = std::chrono::seconds(10);
};

}  // namespace spice::server
