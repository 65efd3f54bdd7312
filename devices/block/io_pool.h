// A few threads for blocking disk I/O, so that a vCPU never waits for one. Tasks are taken in order of submission and
// may end in any order when more than one thread is allowed. The queue is as long as its controllers let it grow: each
// has a fixed number of requests in flight (IDE: one a channel).
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "core/base/result.h"
#include "core/base/thread_start.h"

namespace devices::block {

class IoPool {
 public:
  static constexpr unsigned kMaxThreads = 4;
  using Task = std::move_only_function<void()>;

  // With `threads` (up to kMaxThreads) of them. With none, submit() does the task itself: where time does not follow
  // the host's, no task may end at a moment that the host chooses.
  static core::Result<std::unique_ptr<IoPool>> create(unsigned threads, const core::ThreadStart& start = {});
  ~IoPool();  // does what is queued, then joins; not on a thread of the pool
  IoPool(const IoPool&) = delete;
  IoPool& operator=(const IoPool&) = delete;

  void submit(Task task);  // any thread; with threads, it never waits for a disk
  void drain();            // returns when nothing is queued or running; not on a thread of the pool

 private:
  IoPool() = default;
  core::Result<> start(unsigned threads, const core::ThreadStart& start);
  void run();

  std::mutex mutex_;
  std::condition_variable work_;
  std::condition_variable quiet_;
  std::deque<Task> queue_;
  std::size_t running_ = 0;  // tasks being done
  bool stopping_ = false;
  std::vector<std::jthread> threads_;  // as they are from create() on
};

}  // namespace devices::block
