// Stands in for the thread that waits for eventfds: a test says when it runs.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <poll.h>
#include <utility>

#include "core/event/event_thread.h"

namespace tests {

class FakeEventWaiter final : public core::EventWaiter {
 public:
  core::Result<std::unique_ptr<core::EventWatch>> watch(int eventfd, std::function<void()> on_event) override {
    if (refuses) return core::fail("no more");
    watched[eventfd] = std::move(on_event);
    return std::make_unique<Watch>(*this, eventfd);
  }
  // Calls for each eventfd that has been signalled; how many those were.
  unsigned run() {
    unsigned calls = 0;
    for (const auto& [fd, on_event] : watched) {
      pollfd ready{fd, POLLIN, 0};
      if (::poll(&ready, 1, 0) != 1) continue;
      on_event();
      ++calls;
    }
    return calls;
  }
  // What comes of an event that was on its way when somebody else took its count.
  void run_stale() {
    for (const auto& [fd, on_event] : watched)
      on_event();
  }

  bool refuses = false;
  std::map<int, std::function<void()>> watched;

 private:
  class Watch final : public core::EventWatch {
   public:
    Watch(FakeEventWaiter& waiter, int eventfd) : waiter_(waiter), eventfd_(eventfd) {}
    ~Watch() override { waiter_.watched.erase(eventfd_); }
    Watch(const Watch&) = delete;
    Watch& operator=(const Watch&) = delete;

   private:
    FakeEventWaiter& waiter_;
    int eventfd_;
  };
};

}  // namespace tests
