#include "core/event/loop.h"

#include <asio/executor_work_guard.hpp>
#include <asio/io_context.hpp>
#include <asio/post.hpp>
#include <atomic>
#include <mutex>
#include <optional>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "core/base/fd.h"
#include "core/event/loop_event.h"

namespace core::inline event {

// What other threads post comes through an inbox of our own: Asio wakes its thread while it holds its lock, so that a
// thread which runs at once, as on the same processor, has to sleep again until the lock is free.
struct Loop::Impl {
  using Task = std::move_only_function<void()>;

  Impl() = default;
  // What is dropped may hold sockets of the context, and may post again when it goes.
  ~Impl() {
    std::vector<Task> dropped;
    const std::scoped_lock guard(mutex);
    ended = true;
    dropped.swap(inbox);
  }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  static EventFd create_eventfd() {
    auto created = EventFd::create();
    if (!created) throw std::system_error(errno, std::generic_category(), "eventfd");  // as Asio does for its own
    return std::move(*created);
  }

  void post_from_elsewhere(Task task) {
    {
      const std::scoped_lock guard(mutex);
      if (ended) return;
      inbox.push_back(std::move(task));
      if (inbox.size() > 1) return;
    }
    eventfd.signal();
  }
  void run_inbox() {
    std::vector<Task> tasks;
    {
      const std::scoped_lock guard(mutex);
      tasks.swap(inbox);
    }
    for (auto& task : tasks) {
      if (context.stopped()) return;
      task();
    }
  }

  std::atomic<std::thread::id> thread;
  const EventFd eventfd = create_eventfd();
  std::mutex mutex;  // of what follows
  std::vector<Task> inbox;
  bool ended = false;
  asio::io_context context{1};
  asio::executor_work_guard<asio::io_context::executor_type> work{context.get_executor()};
  std::optional<LoopEvent> bell;
};

Loop::Loop() : impl_(std::make_unique<Impl>()) {
  impl_->bell.emplace(*this, impl_->eventfd.get(), [impl = impl_.get()] { impl->run_inbox(); });
}
Loop::~Loop() = default;

void Loop::run() {
  impl_->thread = std::this_thread::get_id();
  impl_->context.run();
  impl_->thread = std::thread::id{};
}

void Loop::stop() {
  impl_->context.stop();
}

void Loop::post(std::move_only_function<void()> task) {
  if (on_loop_thread()) {
    asio::post(impl_->context, std::move(task));
  } else {
    impl_->post_from_elsewhere(std::move(task));
  }
}

bool Loop::on_loop_thread() const {
  return impl_->thread.load() == std::this_thread::get_id();
}

asio::io_context& Loop::context() {
  return impl_->context;
}

}  // namespace core::inline event
