// A thread that runs a loop.
#pragma once

#include <functional>
#include <string>
#include <thread>

#include "core/base/thread_start.h"
#include "core/event/loop.h"

namespace core::inline event {

class Worker {
 public:
  explicit Worker(const std::string& name, ThreadKind kind = ThreadKind::Control, const ThreadStart& start = {});
  ~Worker();  // stops the loop and joins
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  Loop& loop() { return loop_; }
  // Runs `task` on the worker and waits for it; at once when called on the worker itself. Never call it with a device
  // lock held.
  void run_and_wait(std::move_only_function<void()> task);
  void stop();  // idempotent

 private:
  Loop loop_;
  std::jthread thread_;
};

}  // namespace core::inline event
