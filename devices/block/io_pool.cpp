#include "devices/block/io_pool.h"

#include <algorithm>
#include <signal.h>
#include <system_error>
#include <utility>

namespace devices::block {

core::Result<std::unique_ptr<IoPool>> IoPool::create(unsigned threads, const core::ThreadStart& start) {
  std::unique_ptr<IoPool> pool(new IoPool);
  if (auto started = pool->start(std::min(threads, kMaxThreads), start); !started) {
    return std::unexpected(started.error());
  }
  return pool;
}

core::Result<> IoPool::start(unsigned threads, const core::ThreadStart& start) {
  // Signals are for the main thread (Ctrl-C) and the vCPUs (kicks): a thread inherits the mask it is started with.
  sigset_t all;
  sigset_t before;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  core::Result<> result;
  try {
    while (threads_.size() < threads)
      threads_.push_back(start(core::ThreadKind::Disk, "disk-io", [this] { run(); }));
  } catch (const std::system_error& error) {
    result = core::fail("cannot start a thread for disk I/O: {}", core::errno_text(error.code().value()));
  }
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  return result;
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
  if (threads_.empty()) return task();
  {
    const std::scoped_lock guard(mutex_);
    queue_.push_back(std::move(task));
  }
  work_.notify_one();
}

void IoPool::drain() {
  std::unique_lock guard(mutex_);
  quiet_.wait(guard, [this] { return queue_.empty() && running_ == 0; });
}

void IoPool::run() {
  std::unique_lock guard(mutex_);
  for (;;) {
    work_.wait(guard, [this] { return stopping_ || !queue_.empty(); });
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
