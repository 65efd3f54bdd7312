#include "spice/net/latency_probe.h"

#include <algorithm>

namespace spice::net {

std::optional<LatencyProbe::Time> LatencyProbe::next() const {
  if (awaits_pong()) return std::nullopt;
  return std::max(idle_since_ + kIdleBefore, not_before_);
}

bool LatencyProbe::due(Time now) {
  const auto when = next();
  if (!when || now < *when) return false;
  awaited_ = 2;
  return true;
}

wire::Ping LatencyProbe::ping(Time now) {
  return {id_, static_cast<std::uint64_t>(now.count()), {}};
}

bool LatencyProbe::pong(const wire::Pong& pong, Time now) {
  if (pong.id != id_ || awaited_ == 0) return false;
  if (--awaited_ == 0) {
    // The client may send any stamp back.
    const auto sent = Time(static_cast<std::int64_t>(pong.stamp));
    if (sent <= now) round_trip_ = now - std::max(sent, Time::zero());
    not_before_ = now + interval_;
  }
  return true;
}

}  // namespace spice::net
