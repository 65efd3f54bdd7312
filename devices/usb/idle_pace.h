// How often a schedule in guest memory is looked at.
//
// Guests add work by writing to memory, of which a controller hears nothing, so that one that runs has to look. While
// something moves it does so at every step; a schedule on which nothing moves is looked at less and less often. A
// device that gets data ends that at once, so only what a guest adds to an idle schedule waits, and never for long.
#pragma once

#include <algorithm>

namespace devices::usb {

class IdlePace {
 public:
  // After `patience` idle steps the wait doubles with each one, up to `longest` steps.
  IdlePace(unsigned patience, unsigned longest) : patience_(patience), longest_(longest) {}

  void note(bool worked) {
    if (worked) return hurry();
    if (idle_ < patience_) {
      ++idle_;
    } else {
      wait_ = std::min(2 * wait_, longest_);
    }
  }
  void hurry() {
    idle_ = 0;
    wait_ = 1;
  }
  unsigned steps() const { return wait_; }

 private:
  unsigned patience_;
  unsigned longest_;
  unsigned idle_ = 0;
  unsigned wait_ = 1;
};

}  // namespace devices::usb
