#include "spice/server/failure_delay.h"

#include <algorithm>
#include <arpa/inet.h>
#include <netinet/in.h>

namespace spice::server {

namespace {

// Whoever has one IPv6 address has 2^64 of them.
std::string place_of(const std::string& host) {
  constexpr std::size_t kNetworkBytes = 8;
  in6_addr address{};
  if (::inet_pton(AF_INET6, host.c_str(), &address) != 1 || IN6_IS_ADDR_V4MAPPED(&address)) return host;
  return {&address.s6_addr[0], &address.s6_addr[kNetworkBytes]};
}

}  // namespace

FailureDelay::Time FailureDelay::delay(const std::string& host, Time now) const {
  const auto found = failures_.find(place_of(host));
  if (found == failures_.end() || now - found->second.last >= kForgetAfter) return {};
  return step_ * std::min(found->second.count, kMostSteps);
}

bool FailureDelay::same_place(const std::string& host, const std::string& other) {
  return place_of(host) == place_of(other);
}

void FailureDelay::failed(const std::string& host, Time now) {
  const auto place = place_of(host);
  if (failures_.size() >= kMaxAddresses && !failures_.contains(place)) {
    std::erase_if(failures_, [&](const auto& entry) { return now - entry.second.last >= kForgetAfter; });
    if (failures_.size() >= kMaxAddresses) {
      failures_.erase(std::ranges::min_element(failures_, {}, [](const auto& entry) { return entry.second.last; }));
    }
  }
  auto& [count, last] = failures_[place];
  if (now - last >= kForgetAfter) count = 0;
  count = std::min(count + 1, kMostSteps);
  last = now;
}

void FailureDelay::succeeded(const std::string& host) {
  failures_.erase(place_of(host));
}

}  // namespace spice::server
