#include "core/event/event_thread.h"

#include <array>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <span>
#include <sys/epoll.h>
#include <thread>
#include <unordered_map>
#include <utility>

#include "core/base/fd.h"

namespace core::inline event {

class EventThread::Impl {
 public:
  static Result<std::unique_ptr<Impl>> create(const std::string& name, const ThreadStart& start) {
    auto stop = EventFd::create();
    if (!stop) return std::unexpected(stop.error());
    Fd epoll(::epoll_create1(EPOLL_CLOEXEC));
    if (!epoll.valid()) return fail("cannot wait for eventfds: {}", errno_text());
    std::unique_ptr<Impl> impl(new Impl(std::move(epoll), std::move(*stop)));
    if (auto added = impl->add_to_epoll(impl->stop_.get(), kStop); !added) return std::unexpected(added.error());
    impl->thread_ = start(ThreadKind::Doorbells, name, [self = impl.get()] { self->body(); });
    return impl;
  }
  ~Impl() {
    stop_.signal();
    if (thread_.joinable()) thread_.join();
  }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  Result<std::uint64_t> add(int eventfd, std::function<void()> on_event) {
    const std::scoped_lock guard(mutex_);
    const auto id = ++last_id_;
    if (auto added = add_to_epoll(eventfd, id); !added) return std::unexpected(added.error());
    entries_[id] = {eventfd, std::move(on_event)};
    return id;
  }
  void remove(std::uint64_t id) {
    std::unique_lock guard(mutex_);
    ::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, entries_[id].eventfd, nullptr);
    idle_.wait(guard, [this, id] { return running_ != id; });
    entries_.erase(id);
  }

 private:
  using Clock = std::chrono::steady_clock;
  static constexpr std::uint64_t kStop = 0;
  static constexpr std::chrono::microseconds kMostLooking{32};
  struct Entry {
    int eventfd = -1;
    std::function<void()> on_event;
  };

  Impl(Fd epoll, EventFd stop) : epoll_(std::move(epoll)), stop_(std::move(stop)) {}

  Result<> add_to_epoll(int fd, std::uint64_t id) const {
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.u64 = id;
    if (::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event) < 0) {
      return fail("cannot wait for an eventfd: {}", errno_text());
    }
    return {};
  }

  void body() {
    // A few at a time: what is signalled again queues up behind the others.
    std::array<epoll_event, 16> events{};
    for (;;) {
      const int count = wait_for(events);
      for (int i = 0; i < count; ++i) {
        const auto id = events[static_cast<std::size_t>(i)].data.u64;
        if (id == kStop) return;
        call(id);
      }
    }
  }
  // Looks for a while before it sleeps, if what came last came soon: to be woken takes the host longer than a guest
  // that rings again as soon as it is answered.
  int wait_for(std::span<epoll_event> events) {
    const auto begun = Clock::now();
    for (auto now = begun; now - begun < look_for_; now = Clock::now()) {
      if (const int count = look(events, 0); count > 0) return count;
    }
    const int count = look(events, -1);
    look_for_ = looks_pay_ && Clock::now() - begun < kMostLooking ? kMostLooking : Clock::duration{};
    return count;
  }
  int look(std::span<epoll_event> events, int timeout) const {
    return ::epoll_wait(epoll_.get(), events.data(), static_cast<int>(events.size()), timeout);
  }
  void call(std::uint64_t id) {
    std::unique_lock guard(mutex_);
    const auto found = entries_.find(id);
    if (found == entries_.end()) return;
    auto& on_event = found->second.on_event;  // stays where it is: a removal waits
    running_ = id;
    guard.unlock();
    on_event();
    guard.lock();
    running_ = kStop;
    idle_.notify_all();
  }

  Fd epoll_;
  EventFd stop_;
  // With one processor looking keeps the guest from ringing.
  const bool looks_pay_ = std::thread::hardware_concurrency() > 1;
  Clock::duration look_for_{};  // the thread's own
  std::mutex mutex_;            // of what follows
  std::condition_variable idle_;
  std::unordered_map<std::uint64_t, Entry> entries_;
  std::uint64_t last_id_ = kStop;
  std::uint64_t running_ = kStop;
  std::jthread thread_;
};

namespace {

template <class Owner>
class Watch final : public EventWatch {
 public:
  Watch(Owner& owner, std::uint64_t id) : owner_(owner), id_(id) {}
  ~Watch() override { owner_.remove(id_); }
  Watch(const Watch&) = delete;
  Watch& operator=(const Watch&) = delete;

 private:
  Owner& owner_;
  std::uint64_t id_;
};

}  // namespace

EventThread::EventThread(std::string name, ThreadStart start) : name_(std::move(name)), start_(std::move(start)) {}
EventThread::~EventThread() = default;

Result<std::unique_ptr<EventWatch>> EventThread::watch(int eventfd, std::function<void()> on_event) {
  if (!impl_) {
    auto created = Impl::create(name_, start_);
    if (!created) return std::unexpected(created.error());
    impl_ = std::move(*created);
  }
  const auto id = impl_->add(eventfd, std::move(on_event));
  if (!id) return std::unexpected(id.error());
  return std::make_unique<Watch<Impl>>(*impl_, *id);
}

}  // namespace core::inline event
