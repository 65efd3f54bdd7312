// Eventfds and a thread that waits for them: whoever is behind one that was signalled is called there. It is for events
// that the guest causes at any rate (doorbells), and so has no queue: signals of one eventfd coalesce in its counter.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "core/base/result.h"
#include "core/base/thread_start.h"

namespace core::inline event {

// Ends the calls when it goes out of scope, and returns when none is running: never with a lock held that the call
// takes, nor from within the call.
class EventWatch {
 public:
  virtual ~EventWatch() = default;
};

class EventWaiter {
 public:
  virtual ~EventWaiter() = default;
  // Calls `on_event`, with no lock held, while `eventfd` has a count; the call takes it. The watch ends before the
  // eventfd and the waiter do. Control loop or the process's main thread.
  virtual Result<std::unique_ptr<EventWatch>> watch(int eventfd, std::function<void()> on_event) = 0;
};

// The thread exists from the first watch on.
class EventThread final : public EventWaiter {
 public:
  explicit EventThread(std::string name, ThreadStart start = {});
  ~EventThread() override;
  EventThread(const EventThread&) = delete;
  EventThread& operator=(const EventThread&) = delete;

  Result<std::unique_ptr<EventWatch>> watch(int eventfd, std::function<void()> on_event) override;

 private:
  class Impl;
  std::string name_;
  ThreadStart start_;
  std::unique_ptr<Impl> impl_;
};

}  // namespace core::inline event
