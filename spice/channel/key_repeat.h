// Which of a client's auto-repeats reach the guest. A line that stood still delivers many at once, for keys that were
// let go long ago by the time they arrive: those go no further.
#pragma once

#include <chrono>

namespace spice::channel {

class KeyRepeat {
 public:
  using Time = std::chrono::nanoseconds;  // of a steady clock
  // Faster than anybody has set a keyboard to repeat.
  static constexpr Time kLeastGap = std::chrono::milliseconds(10);

  void pressed(Time now) { last_ = now; }
  // A key that is held is pressed again.
  bool passes(Time now) {
    if (now - last_ < kLeastGap) return false;
    last_ = now;
    return true;
  }

 private:
  Time last_{};
};

}  // namespace spice::channel
