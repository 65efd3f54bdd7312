// A line between a connection and whoever handed it to another thread: it learns when the connection is gone, and can
// cut it.
#pragma once

#include <functional>
#include <mutex>

namespace spice::net {

class Tether {
 public:
  // `on_gone` runs once, on the thread that closes the connection: post and return.
  explicit Tether(std::move_only_function<void()> on_gone) : on_gone_(std::move(on_gone)) {}

  void cut();  // any thread: the connection's owner sees the end of the stream

  // For the owner of the descriptor.
  void attach(int fd);
  void release();    // before it closes the descriptor
  void tell_gone();  // when it has

 private:
  std::mutex mutex_;
  int fd_ = -1;
  bool is_cut_ = false;
  std::move_only_function<void()> on_gone_;
};

}  // namespace spice::net
