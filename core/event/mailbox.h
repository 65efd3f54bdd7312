// A bounded queue of values into one loop. Any thread sends, the loop's thread receives, in order; a burst of sends
// wakes the loop once.
#pragma once

#include <atomic>
#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <utility>

#include "core/event/loop.h"

namespace core::inline event {

template <class Message>
class Mailbox {
 public:
  using Receive = std::move_only_function<void(Message)>;

  // `receive` runs on the loop for each message. The mailbox may be destroyed on the loop's thread, or when the loop
  // has stopped; what is queued then is dropped.
  Mailbox(Loop& loop, std::size_t capacity, Receive receive)
      : loop_(loop), shared_(std::make_shared<Shared>(capacity, std::move(receive))) {}
  ~Mailbox() { shared_->closed = true; }
  Mailbox(const Mailbox&) = delete;
  Mailbox& operator=(const Mailbox&) = delete;

  // Any thread. False, and the message is dropped, when `capacity` messages wait.
  bool try_send(Message message) {
    {
      const std::scoped_lock lock(shared_->mutex);
      if (shared_->queue.size() >= shared_->capacity) return false;
      shared_->queue.push_back(std::move(message));
      if (std::exchange(shared_->wake_posted, true)) return true;
    }
    loop_.post([shared = shared_] { drain(*shared); });
    return true;
  }

 private:
  struct Shared {
    Shared(std::size_t limit, Receive handler) : capacity(limit), receive(std::move(handler)) {}
    const std::size_t capacity;
    Receive receive;
    std::mutex mutex;
    std::deque<Message> queue;
    bool wake_posted = false;
    bool closed = false;  // loop thread only
  };

  static void drain(Shared& shared) {
    std::deque<Message> batch;
    {
      const std::scoped_lock lock(shared.mutex);
      batch.swap(shared.queue);
      shared.wake_posted = false;
    }
    for (auto& message : batch) {
      if (shared.closed) return;
      shared.receive(std::move(message));
    }
  }

  Loop& loop_;
  std::shared_ptr<Shared> shared_;
};

// A wake-up without a value: rings while one is pending coalesce.
class Signal {
 public:
  Signal(Loop& loop, std::move_only_function<void()> on_ring)
      : loop_(loop), shared_(std::make_shared<Shared>(std::move(on_ring))) {}
  ~Signal() { shared_->closed = true; }
  Signal(const Signal&) = delete;
  Signal& operator=(const Signal&) = delete;

  void ring() {  // any thread, never blocks
    if (shared_->state.fetch_or(kRung) == 0) post();
  }

  // Loop thread. Between listen() and rest() a ring wakes nobody: who is awake asks heard() instead, again and again.
  void listen() { shared_->state.fetch_or(kListening); }
  bool heard() { return shared_->take_ring(); }
  void rest() {
    if (shared_->state.fetch_and(~kListening) == (kRung | kListening)) post();
  }

 private:
  static constexpr unsigned kRung = 1;
  static constexpr unsigned kListening = 2;
  struct Shared {
    explicit Shared(std::move_only_function<void()> handler) : on_ring(std::move(handler)) {}
    bool take_ring() { return (state.load() & kRung) != 0 && (state.fetch_and(~kRung) & kRung) != 0; }
    std::move_only_function<void()> on_ring;
    std::atomic<unsigned> state = 0;
    bool closed = false;  // loop thread only
  };

  void post() {
    loop_.post([shared = shared_] {
      if (shared->take_ring() && !shared->closed) shared->on_ring();
    });
  }

  Loop& loop_;
  std::shared_ptr<Shared> shared_;
};

}  // namespace core::inline event
