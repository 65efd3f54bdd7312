// Guest time that somebody moves: it stands still by itself, so what happens in it depends on nothing of the host. The
// software CPU's thread moves it by the instructions that its CPUs retire.
//
// Timers fire, and completions are delivered, on the mover's thread at their deadlines, in the order of deadlines and,
// among equals, of arming. A completion whose host work is not done by then holds the mover up until it is.
#pragma once

#include "core/event/guest_clock.h"

namespace core::inline event {

class VirtualClock final : public MachineClock {
 public:
  static constexpr GuestTime kNever = GuestTime::max();

  VirtualClock();
  ~VirtualClock() override;  // all timers and completions must be gone

  GuestTime now() const override;
  std::unique_ptr<Timer> create_timer(DeviceLock& lock, std::function<void()> fire) override;
  std::unique_ptr<Completion> create_completion(DeviceLock& lock) override;
  void start() override {}
  void stop() override {}
  void set_now(GuestTime now) override;

  // Called, on the thread that armed it, when there is a new earliest deadline; the caller holds a device's lock. Set
  // while nothing runs.
  void on_earlier(std::function<void()> listener);

  // The mover's thread, no device lock held.
  void move_to(GuestTime now);  // nothing fires yet
  GuestTime deadline() const;   // the earliest one, or kNever
  void fire_due();              // everything with a deadline up to now, also what that arms

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace core::inline event
