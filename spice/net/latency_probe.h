// Measures the round trip to a client: when the channel has been idle for 100 ms, two pings with one id, of which the
// first warms up and the second counts; again some time after the last pong.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

#include "spice/wire/common.h"

namespace spice::net {

class LatencyProbe {
 public:
  using Time = std::chrono::nanoseconds;  // of a steady clock
  static constexpr Time kIdleBefore = std::chrono::milliseconds(100);

  LatencyProbe(std::uint32_t id, Time interval) : id_(id), interval_(interval) {}

  // The channel sent or received something of its own. An idle time is wanted before a measurement, not after.
  void busy(Time now) { idle_since_ = now; }
  // When due() wants to be asked next; nullopt while pongs are awaited.
  std::optional<Time> next() const;
  // Two pings are due now.
  bool due(Time now);
  wire::Ping ping(Time now);  // twice

  // True if the pong is one of ours.
  bool pong(const wire::Pong& pong, Time now);
  bool awaits_pong() const { return awaited_ > 0; }
  std::optional<Time> round_trip() const { return round_trip_; }  // the latest

 private:
  std::uint32_t id_;
  Time interval_;
  Time idle_since_{};
  Time not_before_{};
  unsigned awaited_ = 0;
  std::optional<Time> round_trip_;
};

}  // namespace spice::net
