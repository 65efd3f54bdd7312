// Which addresses to listen on. See README.md for the rule.
#pragma once

#include <cstdint>
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
  std::vector<ListenAddress> addresses;
  std::uint16_t port = 0;
  bool wants_ticket = false;
};

// Everything about the configuration that can be wrong before a socket is opened.
core::Result<ListenPlan> resolve_listen(const ServerConfig& config);

}  // namespace spice::server
