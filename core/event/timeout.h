// A wait that its owner sets: in real time on a loop (LoopTimer), or as long as a test says.
#pragma once

#include <chrono>
#include <functional>
#include <memory>

namespace core::inline event {

class Timeout {
 public:
  virtual ~Timeout() = default;
  virtual void arm(std::chrono::nanoseconds delay) = 0;  // replaces an earlier deadline
  virtual void cancel() = 0;
  virtual bool armed() const = 0;
};

// Makes one that calls `fire` once for each arm().
using TimeoutMaker = std::function<std::unique_ptr<Timeout>(std::move_only_function<void()> fire)>;

}  // namespace core::inline event
