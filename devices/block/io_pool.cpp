#include "devices/block/io_pool.h"

#include <algorithm>
#include <pthread.h>
#include <signal.h>
#include <system_error>
#include <utility>

#include "core/base/log.h"

namespace devices::block {

core::Result<std::unique_ptr<IoPool>> IoPool::create(unsigned max_threads) {
  std::unique_ptr<IoPool> pool(new IoPool(std::min(max_threads, kMaxThreads)));
  if (max_threads > 0) {
    const std::scoped_lock guard(pool->mutex_);
    if (auto started = pool->start_thread_locked(); !started) return std::unexpected(started.error());
  }
  return pool;
}

IoPool::~IoPool() {
  {
    const std::scoped_lock guard(mutex_);
    stopping_ = true;
  }
  work_.notify_all();
  for (auto& thread : threads_)
    thread.join();
}

void IoPool::submit(Task task) {
  if (max_threads_ == 0) return task();
  {
    const std::scoped_lock guard(mutex_);
    queue_.push_back(std::move(task));
    if (queue_.size() > idle_ && threads_.size() < max_threads_) {
      // Those that run will do, if no further thread can be had.
      const auto started = start_thread_locked();
      if (!started) MV_LOG_LIMITED(Warn, "block", "{}", started.error().message);
    }
  }
  work_.notify_one();
}

void IoPool::drain() {
  std::unique_lock guard(mutex_);
  quiet_.wait(guard, [this] { return queue_.empty() && running_ == 0; });
}

std::size_t IoPool::threads() const {
  const std::scoped_lock guard(mutex_);
  return threads_.size();
}

core::Result<> IoPool::start_thread_locked() {
  // Signals are for the main thread (Ctrl-C) and the vCPUs (kicks): a thread inherits the mask it is started with.
  sigset_t all;
  sigset_t before;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  core::Result<> result;
  try {
    threads_.emplace_back([this] { run(); });
  } catch (const std::system_error& error) {
    result = core::fail("cannot start a thread for disk I/O: {}", core::errno_text(error.code().value()));
  }
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  return result;
}

void IoPool::run() {
  ::pthread_setname_np(::pthread_self(), "disk-io");
  std::unique_lock guard(mutex_);
  for (;;) {
    ++idle_;
    work_.wait(guard, [this] { return stopping_ || !queue_.empty(); });
    --idle_;
    if (queue_.empty()) return;
    {
      auto task = std::move(queue_.front());
      queue_.pop_front();
      ++running_;
      guard.unlock();
      task();
    }  // what the task holds is gone before it counts as done
    guard.lock();
    --running_;
    if (queue_.empty() && running_ == 0) quiet_.notify_all();
  }
}

}  // namespace devices::block
