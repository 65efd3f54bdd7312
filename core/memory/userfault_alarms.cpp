#include "core/memory/userfault_alarms.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <condition_variable>
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <mutex>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <thread>
#include <unistd.h>
#include <utility>
#include <vector>

#include "core/base/fd.h"

namespace core::inline memory {

namespace {

constexpr int kTryAgain_ms = 1;  // for a device's lock
constexpr int kForEver = -1;

// Host memory, in whole pages.
struct Range {
  std::uint64_t start = 0;
  std::uint64_t length = 0;
};

bool overlap(const Range& a, const Range& b) {
  return a.start < b.start + b.length && b.start < a.start + a.length;
}

Result<Fd> open_userfaultfd() {
  Fd fd(static_cast<int>(::syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK)));
  if (fd.valid()) return fd;
  // Since Linux 6.1; the distribution or the administrator says who may.
  constexpr unsigned long kNew = _IO(UFFDIO, 0x00);
  const Fd device(::open("/dev/userfaultfd", O_RDWR | O_CLOEXEC));
  if (device.valid()) fd = Fd(::ioctl(device.get(), kNew, O_CLOEXEC | O_NONBLOCK));
  if (!fd.valid()) return fail("no userfaultfd: {}", errno_text());
  return fd;
}

}  // namespace

class UserfaultAlarms::Impl {
 public:
  struct Alarm {
    DeviceLock& lock;
    std::function<void()> ring;
    std::vector<Range> ranges = {};  // that are protected for it
    bool tripped = false;
  };

  Impl(const GuestMemory& memory, Fd fault, EventFd wake, const ThreadStart& start)
      : memory_(memory),
        fault_(std::move(fault)),
        wake_(std::move(wake)),
        thread_(start(ThreadKind::Doorbells, "write-alarms", [this] { body(); })) {}
  ~Impl() {
    {
      const std::scoped_lock guard(mutex_);
      is_over_ = true;
    }
    wake_.signal();
  }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  void add(Alarm& alarm) {
    const std::scoped_lock guard(mutex_);
    alarms_.push_back(&alarm);
  }
  void remove(Alarm& alarm) {
    std::unique_lock guard(mutex_);
    lift_locked(alarm);
    alarm.tripped = false;
    idle_.wait(guard, [&] { return ringing_ != &alarm; });
    std::erase(alarms_, &alarm);
  }
  bool set(Alarm& alarm, std::span<const Gpa> pages) {
    const std::scoped_lock guard(mutex_);
    alarm.tripped = false;
    auto ranges = host_ranges(pages);
    lift_locked(alarm);
    for (const auto& range : ranges) {
      alarm.ranges.push_back(range);
      if (protect(range)) continue;
      lift_locked(alarm);
      return false;
    }
    return !ranges.empty();
  }
  void clear(Alarm& alarm) {
    const std::scoped_lock guard(mutex_);
    alarm.tripped = false;
    lift_locked(alarm);
  }

 private:
  // Pages that follow each other together; none if some are not RAM.
  std::vector<Range> host_ranges(std::span<const Gpa> pages) const {
    std::vector<Range> ranges;
    for (const auto page : pages) {
      const auto found = std::ranges::find_if(memory_.pieces(), [page](const auto& piece) {
        return page >= piece.start && page.value() - piece.start.value() < piece.size;
      });
      if (found == memory_.pieces().end() || page.value() % kPageSize != 0) return {};
      auto* const host = found->block->host() + found->offset + (page.value() - found->start.value());
      // Only what is there can be protected.
      static_cast<void>(std::atomic_ref(*host).load(std::memory_order_relaxed));
      const auto start = reinterpret_cast<std::uintptr_t>(host);
      if (!ranges.empty() && ranges.back().start + ranges.back().length == start) {
        ranges.back().length += kPageSize;
      } else {
        ranges.push_back({start, kPageSize});
      }
    }
    return ranges;
  }

  bool protect(const Range& range) const {
    uffdio_register enrolment{};
    enrolment.range = {range.start, range.length};
    enrolment.mode = UFFDIO_REGISTER_MODE_WP;
    if (::ioctl(fault_.get(), UFFDIO_REGISTER, &enrolment) < 0) return false;
    uffdio_writeprotect protection{{range.start, range.length}, UFFDIO_WRITEPROTECT_MODE_WP};
    return ::ioctl(fault_.get(), UFFDIO_WRITEPROTECT, &protection) >= 0;
  }
  // Who waits goes on.
  void lift(const Range& range) const {
    uffdio_writeprotect protection{{range.start, range.length}, 0};
    ::ioctl(fault_.get(), UFFDIO_WRITEPROTECT, &protection);
    uffdio_range bounds{range.start, range.length};
    ::ioctl(fault_.get(), UFFDIO_UNREGISTER, &bounds);
  }
  // Other alarms with pages among these go off: they see nothing of those any more.
  void lift_locked(Alarm& alarm) {
    for (const auto& range : std::exchange(alarm.ranges, {})) {
      lift(range);
      trip_locked(range);
    }
  }
  void trip_locked(const Range& range) {
    for (auto* const alarm : alarms_) {
      if (std::ranges::none_of(alarm->ranges, [&](const Range& own) { return overlap(own, range); })) continue;
      lift_locked(*alarm);
      alarm->tripped = true;
      wake_.signal();
    }
  }

  void body() {
    for (int timeout = kForEver;;) {
      std::array<pollfd, 2> ends{pollfd{fault_.get(), POLLIN, 0}, pollfd{wake_.get(), POLLIN, 0}};
      ::poll(ends.data(), ends.size(), timeout);
      wake_.drain();
      take_faults();
      timeout = ring_tripped() ? kForEver : kTryAgain_ms;
      const std::scoped_lock guard(mutex_);
      if (is_over_) return;
    }
  }
  void take_faults() {
    std::array<uffd_msg, 8> messages{};
    for (;;) {
      // No lock is held, and it does not block.
      // NOLINTNEXTLINE(clang-analyzer-unix.BlockInCriticalSection)
      const auto bytes = ::read(fault_.get(), messages.data(), sizeof messages);
      if (bytes <= 0) return;
      const std::scoped_lock guard(mutex_);
      for (std::size_t i = 0; i < static_cast<std::size_t>(bytes) / sizeof(uffd_msg); ++i) {
        if (messages[i].event != UFFD_EVENT_PAGEFAULT) continue;
        const Range page{messages[i].arg.pagefault.address & ~(kPageSize - 1), kPageSize};
        trip_locked(page);
        // If an alarm was cleared at the same time, there is nobody else to let the writer go.
        uffdio_range bounds{page.start, page.length};
        ::ioctl(fault_.get(), UFFDIO_WAKE, &bounds);
      }
    }
  }
  // False: some alarms are still to be rung.
  bool ring_tripped() {
    std::unique_lock guard(mutex_);
    bool all = true;
    const auto alarms = alarms_;
    for (auto* const alarm : alarms) {
      if (std::ranges::find(alarms_, alarm) == alarms_.end() || !alarm->tripped) continue;
      ringing_ = alarm;
      guard.unlock();
      all = try_to_ring(*alarm) && all;
      guard.lock();
      ringing_ = nullptr;
      idle_.notify_all();
    }
    return all;
  }
  // Never waits for a device's lock: who has it may wait for us.
  bool try_to_ring(Alarm& alarm) {
    const std::unique_lock device(alarm.lock, std::try_to_lock);
    if (!device.owns_lock()) return false;
    {
      const std::scoped_lock guard(mutex_);
      if (!std::exchange(alarm.tripped, false)) return true;
    }
    alarm.ring();
    return true;
  }

  const GuestMemory& memory_;
  Fd fault_;
  EventFd wake_;
  std::mutex mutex_;  // of what follows; a leaf
  std::condition_variable idle_;
  std::vector<Alarm*> alarms_;
  Alarm* ringing_ = nullptr;  // not to be removed
  bool is_over_ = false;
  std::jthread thread_;
};

namespace {

template <class Owner>
class Handle final : public WriteAlarm {
 public:
  Handle(Owner& owner, DeviceLock& lock, std::function<void()> ring) : owner_(owner), alarm_{lock, std::move(ring)} {
    owner_.add(alarm_);
  }
  ~Handle() override { owner_.remove(alarm_); }
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;

  bool set(std::span<const Gpa> pages) override { return owner_.set(alarm_, pages); }
  void clear() override { owner_.clear(alarm_); }

 private:
  Owner& owner_;
  typename Owner::Alarm alarm_;
};

}  // namespace

UserfaultAlarms::UserfaultAlarms(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
UserfaultAlarms::~UserfaultAlarms() = default;

Result<std::unique_ptr<UserfaultAlarms>> UserfaultAlarms::create(const GuestMemory& memory, const ThreadStart& start) {
  auto fault = open_userfaultfd();
  if (!fault) return std::unexpected(fault.error());
  uffdio_api wanted{UFFD_API, UFFD_FEATURE_PAGEFAULT_FLAG_WP, 0};
  if (::ioctl(fault->get(), UFFDIO_API, &wanted) < 0) return fail("no write protection: {}", errno_text());
  auto wake = EventFd::create();
  if (!wake) return std::unexpected(wake.error());
  auto impl = std::make_unique<Impl>(memory, std::move(*fault), std::move(*wake), start);
  return std::unique_ptr<UserfaultAlarms>(new UserfaultAlarms(std::move(impl)));
}

std::unique_ptr<WriteAlarm> UserfaultAlarms::create_alarm(DeviceLock& lock, std::function<void()> ring) {
  return std::make_unique<Handle<Impl>>(*impl_, lock, std::move(ring));
}

}  // namespace core::inline memory
