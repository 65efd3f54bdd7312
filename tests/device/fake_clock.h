// A guest clock that tests wind by hand: timers fire inside advance(), at their deadlines and in their order;
// completions are delivered at once or when the test says so. Thread-safe, so that a backend's thread may post.
#pragma once

#include <algorithm>
#include <functional>
#include <gtest/gtest.h>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

#include "core/event/guest_clock.h"

namespace tests {

class FakeClock final : public core::GuestClock {
 public:
  core::GuestTime now() const override {
    const std::scoped_lock guard(mutex_);
    return now_;
  }
  std::unique_ptr<core::Timer> create_timer(core::DeviceLock& lock, std::function<void()> fire) override {
    return std::make_unique<FakeTimer>(*this, lock, std::move(fire));
  }
  std::unique_ptr<core::Completion> create_completion(core::DeviceLock& lock) override {
    return std::make_unique<FakeCompletion>(*this, lock);
  }

  // Moves time on; whatever falls due on the way fires at its own deadline. No device lock may be held.
  void advance(core::GuestTime by) { advance_to(now() + by); }
  void advance_to(core::GuestTime end) {
    for (unsigned fires = 0; auto* timer = next_due(end); ++fires) {
      if (fires == kMaxFires) {
        ADD_FAILURE() << "a timer keeps re-arming itself without time passing";
        break;
      }
      timer->run();
    }
    const std::scoped_lock guard(mutex_);
    now_ = std::max(now_, end);
  }
  // Jumps without firing anything: what a machine does before it loads state.
  void set_now(core::GuestTime now) {
    const std::scoped_lock guard(mutex_);
    now_ = now;
  }

  std::optional<core::GuestTime> next_deadline() const {
    const std::scoped_lock guard(mutex_);
    const auto* timer = earliest();
    return timer == nullptr ? std::nullopt : std::optional(timer->deadline);
  }
  std::size_t armed_timers() const {
    const std::scoped_lock guard(mutex_);
    return static_cast<std::size_t>(std::ranges::count_if(timers_, [](const auto* timer) { return timer->queued; }));
  }
  std::uint64_t fired() const {  // timers that have fired so far
    const std::scoped_lock guard(mutex_);
    return fired_;
  }

  // With `held`, posted completions wait for deliver_completions(), oldest first.
  void hold_completions(bool held) {
    const std::scoped_lock guard(mutex_);
    completions_held_ = held;
  }
  std::size_t held_completions() const {
    const std::scoped_lock guard(mutex_);
    return posted_.size();
  }
  // Delivers what waits now, at most `most`; returns how many. No device lock may be held.
  std::size_t deliver_completions(std::size_t most = SIZE_MAX) {
    std::size_t delivered = 0;
    for (; delivered < most; ++delivered) {
      std::unique_lock guard(mutex_);
      if (posted_.empty()) break;
      const auto post = std::move(posted_.front());
      posted_.erase(posted_.begin());
      guard.unlock();
      const std::scoped_lock device(post.owner->lock);
      post.deliver();
    }
    return delivered;
  }

 private:
  static constexpr unsigned kMaxFires = 1'000'000;

  struct FakeTimer final : core::Timer {
    FakeTimer(FakeClock& owner, core::DeviceLock& device_lock, std::function<void()> on_fire)
        : clock(owner), lock(device_lock), fire(std::move(on_fire)) {
      const std::scoped_lock guard(clock.mutex_);
      clock.timers_.push_back(this);
    }
    ~FakeTimer() override {
      const std::scoped_lock guard(clock.mutex_);
      std::erase(clock.timers_, this);
    }
    void arm(core::GuestTime at) override {
      const std::scoped_lock guard(clock.mutex_);
      deadline = at;
      queued = true;
    }
    void cancel() override {
      const std::scoped_lock guard(clock.mutex_);
      queued = false;
    }
    bool armed() const override {
      const std::scoped_lock guard(clock.mutex_);
      return queued;
    }
    void run() {
      const std::scoped_lock device(lock);
      fire();
    }

    FakeClock& clock;
    core::DeviceLock& lock;
    std::function<void()> fire;
    core::GuestTime deadline{};
    bool queued = false;
  };

  struct FakeCompletion final : core::Completion {
    FakeCompletion(FakeClock& owner, core::DeviceLock& device_lock) : clock(owner), lock(device_lock) {}
    ~FakeCompletion() override {
      const std::scoped_lock guard(clock.mutex_);
      std::erase_if(clock.posted_, [this](const Post& post) { return post.owner == this; });
    }
    void issue(core::GuestTime) override {}
    void post(std::function<void()> deliver) override {
      {
        const std::scoped_lock guard(clock.mutex_);
        if (clock.completions_held_) {
          clock.posted_.push_back({this, std::move(deliver)});
          return;
        }
      }
      const std::scoped_lock device(lock);
      deliver();
    }

    FakeClock& clock;
    core::DeviceLock& lock;
  };

  struct Post {
    FakeCompletion* owner = nullptr;
    std::function<void()> deliver;
  };

  // mutex_ held. Of equal deadlines the timer created first.
  FakeTimer* earliest() const {
    FakeTimer* first = nullptr;
    for (auto* timer : timers_) {
      if (timer->queued && (first == nullptr || timer->deadline < first->deadline)) first = timer;
    }
    return first;
  }
  FakeTimer* next_due(core::GuestTime end) {
    const std::scoped_lock guard(mutex_);
    auto* timer = earliest();
    if (timer == nullptr || timer->deadline > end) return nullptr;
    timer->queued = false;
    now_ = std::max(now_, timer->deadline);
    ++fired_;
    return timer;
  }

  mutable std::mutex mutex_;
  core::GuestTime now_{};
  std::vector<FakeTimer*> timers_;
  std::vector<Post> posted_;
  bool completions_held_ = false;
  std::uint64_t fired_ = 0;
};

}  // namespace tests
