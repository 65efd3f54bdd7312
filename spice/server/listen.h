// Which addresses to listen on. See README.md for the rule.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/base/result.h"
#include "spice/server/config.h"

namespace spice::server {

struct ListenAddress {
  std::string host;  // numeric
  bool ipv6 = false;
  // A host may be without IPv6: then this one is left out.
  bool may_be_missing = false;
  bool operator==(const ListenAddress&) const = default;
};

struct ListenPlan {
  std::vector<ListenAddress> addresses;  // of both ports
  std::optional<std::uint16_t> port;
  std::optional<std::uint16_t> tls_port;
  bool may_be_outside = false;  // somebody said how clients from outside are let in
  bool wants_ticket = false;
};

// Everything about the configuration that can be wrong before a socket is opened.
core::Result<ListenPlan> resolve_listen(const ServerConfig& config);

// Whether only this host reaches a socket: a Unix one or a loopback address. For those we were given.
bool is_local(int listener);

}  // namespace spice::server
