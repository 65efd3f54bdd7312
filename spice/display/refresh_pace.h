// How long a display worker waits from one refresh to the next: short while the picture changes or somebody types,
// longer and longer while nothing happens. A pure function of what was seen.
#pragma once

#include <algorithm>
#include <chrono>

namespace spice::display {

class RefreshPace {
 public:
  using Milliseconds = std::chrono::milliseconds;
  static constexpr Milliseconds kShortest{30};
  // An idle text screen is looked at five times a second: what a guest does by itself is seen within this.
  static constexpr Milliseconds kLongest{200};
  // So many refreshes without a change before the pace slackens: a cursor's blink does not keep it up for ever.
  static constexpr unsigned kQuietBeforeSlack = 4;

  // After a refresh: the time to the next one.
  Milliseconds after_refresh(bool changed) {
    if (changed) {
      quiet_ = 0;
      interval_ = kShortest;
    } else if (++quiet_ > kQuietBeforeSlack) {
      interval_ = std::min(interval_ * 3 / 2, kLongest);
    }
    return interval_;
  }
  // Input or a wake-up: something is likely to change soon.
  void expect_change() {
    quiet_ = 0;
    interval_ = kShortest;
  }
  Milliseconds interval() const { return interval_; }

 private:
  Milliseconds interval_ = kShortest;
  unsigned quiet_ = 0;
};

}  // namespace spice::display
