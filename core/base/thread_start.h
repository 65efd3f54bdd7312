// How the process's threads begin: each has a name, for people, and a kind, by which a sandbox can tell what it will
// ever need of the kernel.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <thread>

namespace core::inline base {

enum class ThreadKind : std::uint8_t {
  Main,         // builds the machine, waits, takes it down
  Control,      // the control loop
  Display,      // a display's worker
  Vcpu,         // guest code and the devices it touches
  GuestTimers,  // device timers
  Doorbells,    // devices whose eventfd the guest has rung
  Disk,         // requests of an image
  Character,    // one character stream's host end
  Encoder,      // images, for the displays' workers
};

class ThreadStart {
 public:
  // The first thing on every thread that is started, on that thread. It must not throw.
  using Rule = std::function<void(ThreadKind kind)>;

  ThreadStart() = default;  // no rule
  explicit ThreadStart(Rule rule) : rule_(std::move(rule)) {}

  // The kernel keeps 15 characters of the name. std::system_error if the system has no thread to give.
  std::jthread operator()(ThreadKind kind, std::string name, std::move_only_function<void()> body) const;

 private:
  Rule rule_;
};

}  // namespace core::inline base
