// A host-side timer on a loop: timeouts of sockets, refresh pace. Guest time is GuestClock's business.
#pragma once

#include <chrono>
#include <functional>
#include <memory>

#include "core/event/loop.h"
#include "core/event/timeout.h"

namespace core::inline event {

class LoopTimer final : public Timeout {
 public:
  // `fire` runs on the loop, once for each arm(). It may arm again and may destroy the timer.
  LoopTimer(Loop& loop, std::move_only_function<void()> fire);
  ~LoopTimer() override;  // loop thread, or the loop has stopped; `fire` does not run afterwards
  LoopTimer(const LoopTimer&) = delete;
  LoopTimer& operator=(const LoopTimer&) = delete;

  // Loop thread.
  void arm(std::chrono::nanoseconds delay) override;
  void cancel() override;
  bool armed() const override;

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace core::inline event
