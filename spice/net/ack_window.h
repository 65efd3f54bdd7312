// The ack window: how many messages may be on their way to a client. The client acknowledges every `window` messages;
// we go on until more than two windows are open.
#pragma once

#include <algorithm>
#include <cstdint>

#include "spice/wire/common.h"

namespace spice::net {

class AckWindow {
 public:
  // From here on the window counts, beginning with the returned message itself.
  wire::SetAck start(std::uint32_t window) {
    window_ = window;
    unacknowledged_ = 0;
    return {++generation_, window};
  }

  bool counts() const { return window_ != 0; }
  // Whether one more message may go.
  bool open() const { return !counts() || unacknowledged_ <= std::uint64_t{2} * window_; }
  void sent() { unacknowledged_ += counts() ? 1 : 0; }

  void synchronized(std::uint32_t generation) { client_generation_ = generation; }
  // Acks of an older generation mean nothing; more than was sent acknowledge all of it.
  void acknowledged() {
    if (client_generation_ == generation_) unacknowledged_ -= std::min<std::uint64_t>(unacknowledged_, window_);
  }
  std::uint64_t unacknowledged() const { return unacknowledged_; }

 private:
  std::uint32_t window_ = 0;  // 0: no window
  std::uint32_t generation_ = 0;
  std::uint32_t client_generation_ = 0;
  std::uint64_t unacknowledged_ = 0;
};

}  // namespace spice::net
