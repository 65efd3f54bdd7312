// What the SPICE server is told.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "spice/agent/messages.h"
#include "spice/net/tls.h"
#include "spice/wire/protocol.h"

namespace spice::server {

// What a channel may run over.
enum class Security : std::uint8_t { Any, Plain, Tls };

// What becomes of a client who may type when there is one already. Those who only watch come and go beside them.
enum class ClientPolicy : std::uint8_t {
  Share,     // all stay
  Takeover,  // the new one stays
  Refuse,    // the old one stays
};

struct ServerConfig {
  std::optional<std::uint16_t> port = 0;  // 0: any free one; none: no plain port
  std::optional<std::uint16_t> tls_port;  // likewise; needs `tls`
  std::string addr;                       // empty: decided by resolve_listen
  std::string unix_path;                  // a socket instead of ports and addr; @NAME is an abstract one
  std::optional<int> listen_fd;           // listening sockets that we were started with, beside the others
  std::optional<int> tls_listen_fd;
  net::TlsConfig tls;
  Security default_security = Security::Any;
  std::map<wire::ChannelType, Security> channel_security;  // instead of the default
  bool ipv4_only = false;
  bool ipv6_only = false;
  std::optional<std::string> password;  // given but empty: every client is refused
  bool disable_ticketing = false;
  bool sasl = false;                              // takes the place of tickets
  std::optional<std::string> view_only_password;  // whoever gives this one may only watch
  ClientPolicy clients = ClientPolicy::Share;

  bool copy_paste = true;     // between clients and the guest
  bool file_transfer = true;  // by the guest's agent
  bool agent_mouse = true;    // the agent may move the pointer
  std::vector<agent::DisplayAddress> display_addresses{};

  std::string name;
  std::array<std::uint8_t, 16> uuid{};
  std::uint32_t ram_hint = 0;  // bytes of memory for pictures: clients size their caches by it

  std::size_t max_half_open = 64;  // connections that have not linked
  std::chrono::nanoseconds link_timeout = std::chrono::seconds(10);
  std::chrono::nanoseconds failure_delay = std::chrono::seconds(1);  // of an address, for each of its failed tickets
};

}  // namespace spice::server
