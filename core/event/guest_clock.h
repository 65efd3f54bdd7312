// Guest time and what happens in it. Guest time starts at 0, runs while the machine runs and stands still while it is
// stopped. Devices take time from here and nowhere else.
//
// Every guest-visible event passes this clock: timers fire through it, and completions of host work (disk, network,
// display) are posted through a Completion. In real time they happen at once; a clock tied to retired instructions can
// hold each one until its virtual deadline without a device noticing the difference.
#pragma once

#include <chrono>
#include <functional>
#include <memory>

#include "core/base/device_lock.h"
#include "core/base/thread_start.h"

namespace core::inline event {

using GuestTime = std::chrono::nanoseconds;  // since power-on

class Timer;
class Completion;

class GuestClock {
 public:
  virtual ~GuestClock() = default;
  virtual GuestTime now() const = 0;  // any thread
  // The timer calls `fire` with `lock` held, once for each arm(), on the clock's thread.
  virtual std::unique_ptr<Timer> create_timer(DeviceLock& lock, std::function<void()> fire) = 0;
  virtual std::unique_ptr<Completion> create_completion(DeviceLock& lock) = 0;
};

class Timer {
 public:
  // Waits until `fire` is not running: never destroy a timer with its device's lock held.
  virtual ~Timer() = default;
  // All three with the device's lock held.
  virtual void arm(GuestTime deadline) = 0;  // replaces an earlier deadline; one in the past fires at once
  virtual void cancel() = 0;                 // afterwards `fire` does not run until the next arm()
  virtual bool armed() const = 0;
};

// One guest-visible result at a time: issued when the guest starts an operation, posted when the host has finished it.
class Completion {
 public:
  virtual ~Completion() = default;
  // With the device's lock held: the operation started. `virtual_latency` is what it takes in a clock that is not real.
  virtual void issue(GuestTime virtual_latency) = 0;
  // Any thread, no device lock held: `deliver` runs with the device's lock held, perhaps before post() returns.
  virtual void post(std::function<void()> deliver) = 0;
};

// The clock as the machine has it. It starts stopped.
class MachineClock : public GuestClock {
 public:
  // stop() returns when no timer is firing. Control loop, no device lock held, no CPU running.
  virtual void start() = 0;
  virtual void stop() = 0;
  virtual void set_now(GuestTime now) = 0;  // after a load, while stopped
};

// The clock of a machine that runs in real time, with a thread for its timers.
class RealTimeClock final : public MachineClock {
 public:
  explicit RealTimeClock(const ThreadStart& start = {});
  ~RealTimeClock() override;  // all timers must be gone

  GuestTime now() const override;
  std::unique_ptr<Timer> create_timer(DeviceLock& lock, std::function<void()> fire) override;
  std::unique_ptr<Completion> create_completion(DeviceLock& lock) override;

  void start() override;
  void stop() override;
  void set_now(GuestTime now) override;

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace core::inline event
