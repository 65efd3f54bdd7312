#include "core/event/guest_clock.h"

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <set>
#include <thread>
#include <utility>

namespace core::inline event {

namespace {

using HostClock = std::chrono::steady_clock;

struct TimerEntry {
  TimerEntry(DeviceLock& device_lock, std::function<void()> on_fire) : lock(device_lock), fire(std::move(on_fire)) {}
  DeviceLock& lock;
  std::function<void()> fire;
  // Guarded by the clock's mutex.
  GuestTime deadline{};
  bool queued = false;
  std::uint64_t arms = 0;  // tells a firing thread that it was overtaken by cancel() or arm()
};

}  // namespace

struct RealTimeClock::Impl {
  struct Earlier {
    bool operator()(const TimerEntry* a, const TimerEntry* b) const {
      return std::pair(a->deadline, a) < std::pair(b->deadline, b);
    }
  };

  // offset is guest minus host time while running; guest time itself while stopped.
  GuestTime now_locked() const {
    return running ? std::chrono::duration_cast<GuestTime>(HostClock::now().time_since_epoch()) + offset : offset;
  }

  void dequeue(TimerEntry& entry) {
    if (std::exchange(entry.queued, false)) queue.erase(&entry);
  }

  void run() {
    std::unique_lock guard(mutex);
    while (!ending) {
      if (!running || queue.empty()) {
        changed.wait(guard);
        continue;
      }
      auto* entry = *queue.begin();
      const auto left = entry->deadline - now_locked();
      if (left > GuestTime::zero()) {
        changed.wait_for(guard, left);
        continue;
      }
      dequeue(*entry);
      firing = entry;
      const auto arms = entry->arms;
      guard.unlock();
      {
        const std::scoped_lock device(entry->lock);
        if (still_due(*entry, arms)) entry->fire();
      }
      guard.lock();
      firing = nullptr;
      idle.notify_all();
    }
  }

  bool still_due(const TimerEntry& entry, std::uint64_t arms) {
    const std::scoped_lock guard(mutex);
    return entry.arms == arms;
  }

  mutable std::mutex mutex;
  std::condition_variable changed;
  std::condition_variable idle;
  std::set<TimerEntry*, Earlier> queue;
  TimerEntry* firing = nullptr;
  bool running = false;
  bool ending = false;
  GuestTime offset{};
  std::jthread thread;
};

namespace {

template <class Clock>
class RealTimer final : public Timer {
 public:
  RealTimer(std::shared_ptr<Clock> clock, DeviceLock& lock, std::function<void()> fire)
      : clock_(std::move(clock)), entry_(lock, std::move(fire)) {}

  ~RealTimer() override {
    std::unique_lock guard(clock_->mutex);
    ++entry_.arms;
    clock_->dequeue(entry_);
    clock_->idle.wait(guard, [this] { return clock_->firing != &entry_; });
  }

  void arm(GuestTime deadline) override {
    const std::scoped_lock guard(clock_->mutex);
    clock_->dequeue(entry_);
    ++entry_.arms;
    entry_.deadline = deadline;
    entry_.queued = true;
    clock_->queue.insert(&entry_);
    if (*clock_->queue.begin() == &entry_) clock_->changed.notify_all();
  }

  void cancel() override {
    const std::scoped_lock guard(clock_->mutex);
    ++entry_.arms;
    clock_->dequeue(entry_);
  }

  bool armed() const override {
    const std::scoped_lock guard(clock_->mutex);
    return entry_.queued;
  }

 private:
  std::shared_ptr<Clock> clock_;
  TimerEntry entry_;
};

class RealCompletion final : public Completion {
 public:
  explicit RealCompletion(DeviceLock& lock) : lock_(lock) {}
  void issue(GuestTime) override {}
  void post(std::function<void()> deliver) override {
    const std::scoped_lock device(lock_);
    deliver();
  }

 private:
  DeviceLock& lock_;
};

}  // namespace

RealTimeClock::RealTimeClock(const ThreadStart& start) : impl_(std::make_shared<Impl>()) {
  impl_->thread = start(ThreadKind::GuestTimers, "guest-timers", [impl = impl_.get()] { impl->run(); });
}

RealTimeClock::~RealTimeClock() {
  {
    const std::scoped_lock guard(impl_->mutex);
    impl_->ending = true;
    impl_->changed.notify_all();
  }
  impl_->thread.join();
}

GuestTime RealTimeClock::now() const {
  const std::scoped_lock guard(impl_->mutex);
  return impl_->now_locked();
}

std::unique_ptr<Timer> RealTimeClock::create_timer(DeviceLock& lock, std::function<void()> fire) {
  return std::make_unique<RealTimer<Impl>>(impl_, lock, std::move(fire));
}

std::unique_ptr<Completion> RealTimeClock::create_completion(DeviceLock& lock) {
  return std::make_unique<RealCompletion>(lock);
}

void RealTimeClock::start() {
  const std::scoped_lock guard(impl_->mutex);
  if (impl_->running) return;
  impl_->offset -= std::chrono::duration_cast<GuestTime>(HostClock::now().time_since_epoch());
  impl_->running = true;
  impl_->changed.notify_all();
}

void RealTimeClock::stop() {
  std::unique_lock guard(impl_->mutex);
  impl_->offset = impl_->now_locked();
  impl_->running = false;
  impl_->changed.notify_all();
  impl_->idle.wait(guard, [this] { return impl_->firing == nullptr; });
}

void RealTimeClock::set_now(GuestTime now) {
  const std::scoped_lock guard(impl_->mutex);
  if (!impl_->running) impl_->offset = now;
}

}  // namespace core::inline event
