// A thread's event loop: an Asio io_context that others can post to. Sockets and host-side timers live on a loop.
#pragma once

#include <functional>
#include <memory>
#include <string>

namespace asio {
class io_context;
}

namespace core::inline event {

class Loop {
 public:
  Loop();
  ~Loop();
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  // Runs handlers on the calling thread until stop().
  void run();
  void stop();                                      // any thread; run() returns soon after
  void post(std::move_only_function<void()> task);  // any thread; in order of posting
  bool on_loop_thread() const;                      // any thread
  asio::io_context& context();                      // for sockets and timers of this loop

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace core::inline event
