#include "vmm/cpu/soft/irqfds.h"

#include <array>
#include <mutex>
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <thread>
#include <unistd.h>
#include <unordered_map>
#include <utility>

namespace vmm::cpu::soft {

class Irqfds::Thread {
 public:
  static core::Result<std::unique_ptr<Thread>> create(core::MsiSink& sink) {
    core::Fd epoll(::epoll_create1(EPOLL_CLOEXEC));
    core::Fd stop(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
    if (!epoll.valid() || !stop.valid()) return core::fail("cannot wait for eventfds: {}", core::errno_text());
    std::unique_ptr<Thread> thread(new Thread(sink, std::move(epoll), std::move(stop)));
    if (auto watched = thread->watch(thread->stop_.get(), kStop); !watched) return std::unexpected(watched.error());
    thread->thread_ = std::jthread([self = thread.get()] { self->body(); });
    return thread;
  }
  ~Thread() {
    const std::uint64_t one = 1;
    // A counter of 0 takes it.
    if (::write(stop_.get(), &one, sizeof one) == sizeof one && thread_.joinable()) thread_.join();
  }
  Thread(const Thread&) = delete;
  Thread& operator=(const Thread&) = delete;

  core::Result<std::uint64_t> add(int eventfd, const core::MsiMessage& message) {
    const std::scoped_lock lock(mutex_);
    const std::uint64_t id = ++last_id_;
    if (auto watched = watch(eventfd, id); !watched) return std::unexpected(watched.error());
    entries_[id] = {eventfd, message};
    return id;
  }
  void change(std::uint64_t id, const core::MsiMessage& message) {
    const std::scoped_lock lock(mutex_);
    entries_[id].message = message;
  }
  void remove(std::uint64_t id) {
    const std::scoped_lock lock(mutex_);
    ::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, entries_[id].eventfd, nullptr);
    entries_.erase(id);
  }

 private:
  static constexpr std::uint64_t kStop = 0;
  struct Entry {
    int eventfd = -1;
    core::MsiMessage message;
  };

  Thread(core::MsiSink& sink, core::Fd epoll, core::Fd stop)
      : sink_(sink), epoll_(std::move(epoll)), stop_(std::move(stop)) {}

  core::Result<> watch(int fd, std::uint64_t id) const {
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.u64 = id;
    if (::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event) < 0)
      return core::fail("cannot wait for an eventfd: {}", core::errno_text());
    return {};
  }

  void body() {
    ::pthread_setname_np(::pthread_self(), "irqfds");
    std::array<epoll_event, 16> events{};
    while (true) {
      const int count = ::epoll_wait(epoll_.get(), events.data(), static_cast<int>(events.size()), -1);
      for (int i = 0; i < count; ++i) {
        if (events[static_cast<std::size_t>(i)].data.u64 == kStop) return;
        ring(events[static_cast<std::size_t>(i)].data.u64);
      }
    }
  }
  void ring(std::uint64_t id) {
    const std::scoped_lock lock(mutex_);
    const auto found = entries_.find(id);
    if (found == entries_.end()) return;
    std::uint64_t rings = 0;
    // It does not block: the event has been seen, and nobody else takes it.
    // NOLINTNEXTLINE(clang-analyzer-unix.BlockInCriticalSection)
    if (::read(found->second.eventfd, &rings, sizeof rings) == sizeof rings) sink_.deliver(found->second.message);
  }

  core::MsiSink& sink_;
  core::Fd epoll_;
  core::Fd stop_;
  std::mutex mutex_;
  std::unordered_map<std::uint64_t, Entry> entries_;  // guarded by mutex_
  std::uint64_t last_id_ = kStop;                     // guarded by mutex_
  std::jthread thread_;
};

namespace {

template <class Thread>
class SoftDoorbell final : public MsiDoorbell {
 public:
  SoftDoorbell(Thread& thread, std::uint64_t id) : thread_(thread), id_(id) {}
  ~SoftDoorbell() override { thread_.remove(id_); }
  SoftDoorbell(const SoftDoorbell&) = delete;
  SoftDoorbell& operator=(const SoftDoorbell&) = delete;
  core::Result<> change(const core::MsiMessage& message) override {
    thread_.change(id_, message);
    return {};
  }

 private:
  Thread& thread_;
  std::uint64_t id_;
};

}  // namespace

Irqfds::Irqfds(core::MsiSink& sink) : sink_(sink) {}
Irqfds::~Irqfds() = default;

core::Result<std::unique_ptr<MsiDoorbell>> Irqfds::attach(int eventfd, const core::MsiMessage& message) {
  if (!thread_) {
    auto created = Thread::create(sink_);
    if (!created) return std::unexpected(created.error());
    thread_ = std::move(*created);
  }
  const auto id = thread_->add(eventfd, message);
  if (!id) return std::unexpected(id.error());
  return std::make_unique<SoftDoorbell<Thread>>(*thread_, *id);
}

}  // namespace vmm::cpu::soft
