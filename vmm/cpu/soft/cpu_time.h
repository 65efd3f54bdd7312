// The CPUs' time, and how many instructions run before somebody looks at it: the one place for both, so that time tied
// to retired instructions would be another implementation of this.
//
// Time is what time stamp counters and local APIC timers count, in ns: 1 GHz. It runs while the machine runs. Changed
// on the control loop with the runner paused, else read on the CPUs' thread.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>

namespace vmm::cpu::soft {

class CpuTime {
 public:
  using HostTime = std::chrono::steady_clock::time_point;

  void start() {
    started_ = std::chrono::steady_clock::now();
    runs_ = true;
  }
  void stop() {
    before_ = now();
    runs_ = false;
  }
  std::uint64_t now() const { return runs_ ? before_ + since(started_) : before_; }
  HostTime host_time(std::uint64_t deadline) const {
    constexpr std::uint64_t kHour = std::uint64_t{3600} * 1'000'000'000;  // an early look does no harm
    const std::uint64_t present = now();
    const std::uint64_t wait = deadline > present ? std::min(deadline - present, kHour) : 0;
    return std::chrono::steady_clock::now() + std::chrono::nanoseconds(static_cast<std::int64_t>(wait));
  }

  // Instructions until timers are looked at again, the next one being due at `deadline`.
  static std::uint64_t budget(std::uint64_t now, std::uint64_t deadline) {
    if (deadline <= now) return kShortest;
    return std::clamp((deadline - now) / kAssumed_ns, kShortest, kLongest);
  }

 private:
  static constexpr std::uint64_t kShortest = 1'000, kLongest = 20'000;
  static constexpr std::uint64_t kAssumed_ns = 20;  // an instruction takes about that, or less

  static std::uint64_t since(HostTime then) {
    return static_cast<std::uint64_t>(
        std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now() - then).count());
  }

  HostTime started_;
  std::uint64_t before_ = 0;
  bool runs_ = false;
};

}  // namespace vmm::cpu::soft
