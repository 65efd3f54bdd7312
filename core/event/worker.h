// A thread that runs a loop, and can be paused: while paused it runs nothing, and pause() returns only when it does
// not.
#pragma once

#include <condition_variable>
#include <mutex>
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
  // lock held, nor while the worker is paused.
  void run_and_wait(std::move_only_function<void()> task);
  void pause();  // any other thread; returns when the worker is idle. Not nested.
  void resume();
  void stop();  // idempotent

 private:
  Loop loop_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool pause_wanted_ = false;
  bool paused_ = false;
  bool stopping_ = false;
  std::jthread thread_;
};

}  // namespace core::inline event
