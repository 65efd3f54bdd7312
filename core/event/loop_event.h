// An eventfd that a loop watches: signals coalesce in its counter.
#pragma once

#include <functional>
#include <memory>

#include "core/event/loop.h"

namespace core::inline event {

class LoopEvent {
 public:
  // `on_event` runs on the loop once the eventfd has been signalled; the count is taken before. The eventfd is someone
  // else's and outlives this.
  LoopEvent(Loop& loop, int eventfd, std::move_only_function<void()> on_event);
  ~LoopEvent();  // loop thread, or the loop does not run; `on_event` does not run afterwards
  LoopEvent(const LoopEvent&) = delete;
  LoopEvent& operator=(const LoopEvent&) = delete;

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace core::inline event
