// Measures a client's line when it connects: three pings, to warm up, for the latency, and with 250 KiB for the rate.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>

#include "spice/wire/common.h"

namespace spice::channel {

class NetTest {
 public:
  using Time = std::chrono::nanoseconds;  // of a steady clock
  static constexpr std::uint32_t kPings = 3;
  static constexpr std::size_t kRateBytes = std::size_t{250} * 1024;

  // The pings, ids 1 to 3, to be sent one after the other.
  wire::Ping ping(std::uint32_t id, Time now);
  // True if the pong is the next of ours. What the client puts into it is not believed: we know when we sent it.
  bool pong(const wire::Pong& pong, Time now);

  bool finished() const { return answered_ == kPings; }
  // bit/s; 0 if the line is too fast to measure.
  std::uint64_t bit_rate() const;

 private:
  std::array<Time, kPings> round_trips_{};  // until answered: when it was sent
  std::uint32_t answered_ = 0;
};

}  // namespace spice::channel
