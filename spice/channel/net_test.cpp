#include "spice/channel/net_test.h"

#include <algorithm>

namespace spice::channel {

wire::Ping NetTest::ping(std::uint32_t id, Time now) {
  static const std::array<std::uint8_t, kRateBytes> kZeros{};
  round_trips_.at(id - 1) = now;
  const auto stamp = std::chrono::duration_cast<std::chrono::microseconds>(now).count();
  const std::span<const std::uint8_t> padding = kZeros;
  return {id, static_cast<std::uint64_t>(stamp), wire::Payload::borrowed(id == kPings ? padding : padding.first(0))};
}

bool NetTest::pong(const wire::Pong& pong, Time now) {
  if (finished() || pong.id != answered_ + 1) return false;
  auto& round_trip = round_trips_.at(answered_++);
  round_trip = now - round_trip;
  return true;
}

std::uint64_t NetTest::bit_rate() const {
  const auto latency = std::min(round_trips_[0], round_trips_[1]);
  const auto transfer = std::chrono::duration_cast<std::chrono::microseconds>(round_trips_[2] - latency).count();
  if (!finished() || transfer <= 0) return 0;
  return std::uint64_t{kRateBytes} * 8 * 1'000'000 / static_cast<std::uint64_t>(transfer);
}

}  // namespace spice::channel
