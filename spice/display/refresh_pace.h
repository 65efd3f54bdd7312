// How long a display worker waits from one refresh to the next: short while the picture changes or somebody types,
// longer and longer while nothing happens. A pure function of what was seen.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>

namespace spice::display {

class RefreshPace {
 public:
  using Milliseconds = std::chrono::milliseconds;
  static constexpr Milliseconds kShortest{30};
  // An idle text screen is looked at five times a second: what a guest does by itself is seen within this.
  static constexpr Milliseconds kLongest{200};
  // A text cursor blinks some four times a second: often enough to show it, and no reason to hurry.
  static constexpr Milliseconds kBlinking{100};
  // So many refreshes without a change before the pace slackens.
  static constexpr unsigned kQuietBeforeSlack = 4;

  enum class Seen : std::uint8_t { Nothing, Blink, Change };

  // After a refresh: the time to the next one.
  Milliseconds after_refresh(Seen seen) {
    if (seen == Seen::Change) {
      expect_change();
    } else if (++quiet_ > kQuietBeforeSlack) {
      interval_ = seen == Seen::Blink ? std::min(interval_, kBlinking) : std::min(interval_ * 3 / 2, kLongest);
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
