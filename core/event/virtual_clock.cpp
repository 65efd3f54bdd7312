#include "core/event/virtual_clock.h"

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <map>
#include <mutex>
#include <utility>

namespace core::inline event {

namespace {

// What has a place in the queue. Its members are guarded by the clock's mutex.
class Entry {
 public:
  explicit Entry(DeviceLock& device_lock) : lock(device_lock) {}
  virtual ~Entry() = default;
  Entry(const Entry&) = delete;
  Entry& operator=(const Entry&) = delete;

  virtual bool is_ready() const { return true; }
  // Clock's mutex held: what to call with the device's lock, unless `changes` has gone on by then.
  virtual std::function<void()> take() = 0;

  DeviceLock& lock;
  std::uint64_t changes = 0;
};

}  // namespace

struct VirtualClock::Impl {
  using Place = std::pair<GuestTime, std::uint64_t>;  // deadline, and a number in the order of arming

  // True: it is the first of all now.
  Place enqueue(Entry& entry, GuestTime deadline, bool& is_first) {
    const Place place{deadline, ++arms};
    queue.emplace(place, &entry);
    is_first = queue.begin()->first == place;
    return place;
  }

  // Once more outside of the mutex, so that the listener may ask the clock.
  void tell(bool is_first) const {
    if (is_first && listener) listener();
  }

  void settle(std::unique_lock<std::mutex>& guard, const Entry& entry) {
    idle.wait(guard, [&] { return firing != &entry; });
  }

  void fire(std::unique_lock<std::mutex>& guard, Entry& entry) {
    const auto call = entry.take();
    const auto changes = entry.changes;
    firing = &entry;
    guard.unlock();
    {
      const std::scoped_lock device(entry.lock);
      if (still_due(entry, changes)) call();
    }
    guard.lock();
    firing = nullptr;
    idle.notify_all();
  }

  bool still_due(const Entry& entry, std::uint64_t changes) {
    const std::scoped_lock guard(mutex);
    return entry.changes == changes;
  }

  mutable std::mutex mutex;
  std::condition_variable idle;   // nothing is firing
  std::condition_variable ready;  // a completion's host work is done, or an entry has left
  std::map<Place, Entry*> queue;
  const Entry* firing = nullptr;
  std::uint64_t arms = 0;
  std::atomic<GuestTime> now{GuestTime::zero()};
  std::function<void()> listener;
};

namespace {

template <class Clock>
class VirtualTimer final : public Timer, Entry {
 public:
  VirtualTimer(std::shared_ptr<Clock> clock, DeviceLock& device_lock, std::function<void()> fire)
      : Entry(device_lock), clock_(std::move(clock)), fire_(std::move(fire)) {}

  ~VirtualTimer() override {
    std::unique_lock guard(clock_->mutex);
    leave();
    clock_->settle(guard, *this);
  }

  void arm(GuestTime deadline) override {
    bool is_first = false;
    {
      const std::scoped_lock guard(clock_->mutex);
      leave();
      place_ = clock_->enqueue(*this, deadline, is_first);
      is_queued_ = true;
    }
    clock_->tell(is_first);
  }

  void cancel() override {
    const std::scoped_lock guard(clock_->mutex);
    leave();
  }

  bool armed() const override {
    const std::scoped_lock guard(clock_->mutex);
    return is_queued_;
  }

 private:
  std::function<void()> take() override {
    is_queued_ = false;
    return fire_;
  }

  void leave() {
    ++changes;
    if (std::exchange(is_queued_, false)) clock_->queue.erase(place_);
  }

  std::shared_ptr<Clock> clock_;
  std::function<void()> fire_;
  typename Clock::Place place_;
  bool is_queued_ = false;
};

// Results come in the order in which the operations were issued, as the host's do.
template <class Clock>
class VirtualCompletion final : public Completion, Entry {
 public:
  VirtualCompletion(std::shared_ptr<Clock> clock, DeviceLock& device_lock)
      : Entry(device_lock), clock_(std::move(clock)) {}

  ~VirtualCompletion() override {
    std::unique_lock guard(clock_->mutex);
    ++changes;
    for (const auto& place : places_)
      clock_->queue.erase(place);
    clock_->settle(guard, *this);
  }

  void issue(GuestTime virtual_latency) override {
    bool is_first = false;
    {
      const std::scoped_lock guard(clock_->mutex);
      places_.push_back(clock_->enqueue(*this, clock_->now.load() + virtual_latency, is_first));
    }
    clock_->tell(is_first);
  }

  void post(std::function<void()> deliver) override {
    const std::scoped_lock guard(clock_->mutex);
    results_.push_back(std::move(deliver));
    clock_->ready.notify_all();
  }

 private:
  bool is_ready() const override { return !results_.empty(); }
  std::function<void()> take() override {
    places_.pop_front();
    auto result = std::move(results_.front());
    results_.pop_front();
    return result;
  }

  std::shared_ptr<Clock> clock_;
  std::deque<typename Clock::Place> places_;   // in the queue
  std::deque<std::function<void()>> results_;  // of the first of them
};

}  // namespace

VirtualClock::VirtualClock() : impl_(std::make_shared<Impl>()) {}
VirtualClock::~VirtualClock() = default;

GuestTime VirtualClock::now() const {
  return impl_->now.load();
}

std::unique_ptr<Timer> VirtualClock::create_timer(DeviceLock& lock, std::function<void()> fire) {
  return std::make_unique<VirtualTimer<Impl>>(impl_, lock, std::move(fire));
}

std::unique_ptr<Completion> VirtualClock::create_completion(DeviceLock& lock) {
  return std::make_unique<VirtualCompletion<Impl>>(impl_, lock);
}

void VirtualClock::set_now(GuestTime now) {
  impl_->now = now;
}

void VirtualClock::on_earlier(std::function<void()> listener) {
  impl_->listener = std::move(listener);
}

void VirtualClock::move_to(GuestTime now) {
  impl_->now = now;
}

GuestTime VirtualClock::deadline() const {
  const std::scoped_lock guard(impl_->mutex);
  return impl_->queue.empty() ? kNever : impl_->queue.begin()->first.first;
}

void VirtualClock::fire_due() {
  std::unique_lock guard(impl_->mutex);
  while (!impl_->queue.empty()) {
    const auto first = impl_->queue.begin();
    const auto [place, entry] = *first;
    if (place.first > impl_->now.load()) return;
    if (!entry->is_ready()) {
      impl_->ready.wait(guard);
      continue;
    }
    impl_->queue.erase(first);
    impl_->fire(guard, *entry);
  }
}

}  // namespace core::inline event
