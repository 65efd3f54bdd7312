// When a silent peer is given up: nothing came from it for 30 s while we waited for something from it (room in the
// socket, acks, a pong). Bytes that the socket took count as a sign of life: a slow line is not a dead one.
#pragma once

#include <chrono>
#include <optional>

namespace spice::net {

class Liveness {
 public:
  using Time = std::chrono::nanoseconds;  // of a steady clock
  static constexpr Time kTimeout = std::chrono::seconds(30);

  void sign_of_life(Time now) {
    if (waiting_since_) waiting_since_ = now;
  }
  void waiting(bool is_waiting, Time now) {
    if (!is_waiting) {
      waiting_since_.reset();
    } else if (!waiting_since_) {
      waiting_since_ = now;
    }
  }
  // When to give up, if nothing happens until then.
  std::optional<Time> deadline() const {
    if (!waiting_since_) return std::nullopt;
    return *waiting_since_ + kTimeout;
  }

 private:
  std::optional<Time> waiting_since_;
};

}  // namespace spice::net
