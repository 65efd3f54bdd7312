// How often a schedule in guest memory is looked at.
//
// Guests add work by writing to memory, of which a controller hears nothing, so that one that runs has to look. While
// something moves it does so at every step; a schedule on which nothing moves is looked at less and less often, until
// it is left alone (ScheduleWatch). A device that gets data ends that at once, so only what a guest adds to an idle
// schedule waits, and never for long.
#pragma once

#include <algorithm>

namespace devices::usb {

//
// Firmware gives a device 100 ms to show itself and keeps its schedules enabled meanwhile, so that looks become rare
// only after about half a second.
class IdlePace {
 public:
  // Of steps: `quick` looks at each, then looks at every `calm` ones; after `patience` looks the wait doubles with each
  // one, up to `longest`.
  struct Config {
    unsigned quick = 0;
    unsigned calm = 1;
    unsigned patience = 512;
    unsigned longest = 1;
  };
  explicit IdlePace(const Config& config) : config_(config) {}

  void note(bool worked) {
    if (worked) return hurry();
    if (idle_ < config_.patience) {
      wait_ = ++idle_ < config_.quick ? 1 : config_.calm;
    } else {
      wait_ = std::min(2 * wait_, config_.longest);
    }
  }
  void hurry() {
    idle_ = 0;
    wait_ = 1;
  }
  // The guest has written to the schedule: perhaps work, perhaps only something that lies beside it.
  void look_again() {
    idle_ = config_.patience - std::min(config_.patience, kSecondLooks);
    wait_ = 1;
  }
  unsigned steps() const { return wait_; }
  // Something has moved a moment ago.
  bool is_quick() const { return idle_ < config_.quick; }
  // Nothing has moved for some time.
  bool is_calm() const { return idle_ >= kCalm; }
  bool is_slow() const { return idle_ >= config_.patience && wait_ >= config_.longest; }

 private:
  static constexpr unsigned kSecondLooks = 16;
  static constexpr unsigned kCalm = 32;
  Config config_;
  unsigned idle_ = 0;
  unsigned wait_ = 1;
};

}  // namespace devices::usb
