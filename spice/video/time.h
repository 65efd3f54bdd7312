// Time as the rules of video are told it: they never look at a clock themselves.
#pragma once

#include <chrono>
#include <cstdint>

namespace spice::video {

using Time = std::chrono::nanoseconds;  // of a steady clock

// Multimedia time: milliseconds of the server's clock, by which clients show pictures and play sound. It wraps around.
using MediaTime = std::uint32_t;

// How much later `to` is than `from`, in milliseconds; negative if it is earlier.
constexpr std::int32_t media_time_between(MediaTime from, MediaTime to) {
  return static_cast<std::int32_t>(to - from);
}

}  // namespace spice::video
