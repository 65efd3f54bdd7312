// A line between a connection and whoever handed it to another thread: it learns when the connection is gone, can cut
// it, and can ask the kernel about it.
#pragma once

#include <functional>
#include <mutex>
#include <optional>

#include "spice/net/line_facts.h"

namespace spice::net {

class Tether {
 public:
  // `on_gone` runs once, on the thread that closes the connection: post and return.
  explicit Tether(std::move_only_function<void()> on_gone) : on_gone_(std::move(on_gone)) {}

  void cut();  // any thread: the connection's owner sees the end of the stream when it reads

  std::optional<LineFacts> facts();  // any thread; nullopt: gone, or not TCP

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
