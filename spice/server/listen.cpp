#include "spice/server/listen.h"

#include <array>
#include <cstring>
#include <memory>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "spice/wire/link.h"

namespace spice::server {

namespace {

struct Resolved {
  ListenAddress address;
  bool loopback = false;
};

bool is_loopback(const sockaddr* address) {
  if (address->sa_family == AF_INET) {
    sockaddr_in v4{};
    std::memcpy(&v4, address, sizeof v4);
    return (ntohl(v4.sin_addr.s_addr) >> 24) == IN_LOOPBACKNET;
  }
  sockaddr_in6 v6{};
  std::memcpy(&v6, address, sizeof v6);
  return IN6_IS_ADDR_LOOPBACK(&v6.sin6_addr);
}

core::Result<std::vector<Resolved>> resolve(const ServerConfig& config) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE;
  hints.ai_family = config.ipv4_only ? AF_INET : config.ipv6_only ? AF_INET6 : AF_UNSPEC;
  addrinfo* first = nullptr;
  if (const int error = ::getaddrinfo(config.addr.c_str(), nullptr, &hints, &first); error != 0) {
    return core::fail("spice: cannot resolve addr={}: {}", config.addr, ::gai_strerror(error));
  }
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> owner(first, &::freeaddrinfo);
  std::vector<Resolved> found;
  for (const auto* info = first; info != nullptr; info = info->ai_next) {
    std::array<char, NI_MAXHOST> text{};
    if (info->ai_family != AF_INET && info->ai_family != AF_INET6) continue;
    if (::getnameinfo(info->ai_addr, info->ai_addrlen, text.data(), text.size(), nullptr, 0, NI_NUMERICHOST) != 0) {
      continue;
    }
    found.push_back({{text.data(), info->ai_family == AF_INET6, false}, is_loopback(info->ai_addr)});
  }
  if (found.empty()) return core::fail("spice: addr={} has no IP address", config.addr);
  return found;
}

std::vector<ListenAddress> both_families(const ServerConfig& config, const char* v4, const char* v6) {
  std::vector<ListenAddress> addresses;
  if (!config.ipv6_only) addresses.push_back({v4, false, false});
  if (!config.ipv4_only) addresses.push_back({v6, true, !config.ipv6_only});
  return addresses;
}

}  // namespace

core::Result<ListenPlan> resolve_listen(const ServerConfig& config) {
  if (config.ipv4_only && config.ipv6_only) return core::fail("spice: ipv4 and ipv6 exclude each other");
  if (config.password && config.password->size() > wire::kMaxPasswordLength) {
    return core::fail("spice: the password is longer than {} characters", wire::kMaxPasswordLength);
  }
  if (config.view_only_password && config.view_only_password->size() > wire::kMaxPasswordLength) {
    return core::fail("spice: the view-only password is longer than {} characters", wire::kMaxPasswordLength);
  }
  if (config.view_only_password && (!config.password || config.disable_ticketing || config.sasl)) {
    return core::fail("spice: view-only-password needs a password for those who may do more");
  }
  const bool is_told_how = config.password.has_value() || config.disable_ticketing || config.sasl;
  ListenPlan plan{.addresses = {},
                  .port = config.port,
                  .tls_port = config.tls_port,
                  .may_be_outside = is_told_how,
                  .wants_ticket = config.password.has_value() && !config.disable_ticketing};
  if (!config.unix_path.empty()) {
    if (config.port || config.tls_port) return core::fail("spice: a Unix socket and ports exclude each other");
    return plan;
  }
  if (!config.port && !config.tls_port) return plan;
  if (config.addr.empty()) {
    plan.addresses = is_told_how ? both_families(config, "0.0.0.0", "::") : both_families(config, "127.0.0.1", "::1");
    return plan;
  }
  const auto resolved = resolve(config);
  if (!resolved) return std::unexpected(resolved.error());
  for (const auto& [address, loopback] : *resolved) {
    if (!loopback && !is_told_how) {
      return core::fail(
          "spice: addr={} can be reached from outside: give password=..., sasl=on or disable-ticketing=on with it",
          config.addr);
    }
    plan.addresses.push_back(address);
  }
  return plan;
}

bool is_local(int listener) {
  sockaddr_storage address{};
  socklen_t length = sizeof address;
  if (::getsockname(listener, reinterpret_cast<sockaddr*>(&address), &length) != 0) return false;
  return address.ss_family == AF_UNIX || is_loopback(reinterpret_cast<const sockaddr*>(&address));
}

}  // namespace spice::server
