// What the kernel knows of a connection's line.
#pragma once

#include <cstdint>

namespace spice::net {

struct LineFacts {
  std::uint64_t bytes_sent = 0;        // and acknowledged by the other side
  std::uint64_t bytes_received = 0;    // from it
  std::uint64_t queued_bytes = 0;      // given to the kernel, not yet acknowledged
  std::uint64_t round_trip_us = 0;     // smoothed
  std::uint64_t bytes_per_second = 0;  // that it took of late, when it was given enough
};

}  // namespace spice::net
