// For how long the next drawings of a guest wait for a client that has not taken the last ones. A client that is nearly
// as fast as the guest takes them in this time, which is cheaper for all than to send it pixels instead; one that is
// not is waited for once, and then no more until it has taken all there is.
#pragma once

#include <chrono>
#include <cstddef>

namespace spice::display {

class Patience {
 public:
  using Time = std::chrono::steady_clock::time_point;
  // Drawings that are queued when the waiting begins: two ack windows and a guest's whole ring.
  static constexpr std::size_t kCrowd = 72;
  static constexpr std::chrono::milliseconds kLongest{10};

  // Whether to wait now, with so many drawings queued.
  bool waits(std::size_t queued, Time now) {
    if (queued == 0) is_spent_ = false;
    if (queued < kCrowd || is_spent_) return waits_ = false;
    if (!waits_) since_ = now;
    is_spent_ = now - since_ >= kLongest;
    return waits_ = !is_spent_;
  }
  // Whether it was waited for, and need not be any more.
  bool has_caught_up(std::size_t queued) {
    if (!waits_ || queued >= kCrowd / 2) return false;
    waits_ = false;
    return true;
  }

 private:
  Time since_{};
  bool waits_ = false;
  bool is_spent_ = false;  // in vain
};

}  // namespace spice::display
