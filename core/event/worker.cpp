#include "core/event/worker.h"

namespace core::inline event {

Worker::Worker(const std::string& name, ThreadKind kind, const ThreadStart& start)
    : thread_(start(kind, name, [this] { loop_.run(); })) {}

Worker::~Worker() {
  stop();
}

void Worker::stop() {
  {
    const std::scoped_lock lock(mutex_);
    stopping_ = true;
    pause_wanted_ = false;
  }
  changed_.notify_all();
  loop_.stop();
  if (thread_.joinable()) thread_.join();
}

void Worker::run_and_wait(std::move_only_function<void()> task) {
  if (loop_.on_loop_thread()) return task();
  std::mutex done_mutex;
  std::condition_variable done_changed;
  bool done = false;
  loop_.post([&] {
    task();
    const std::scoped_lock lock(done_mutex);
    done = true;
    done_changed.notify_one();
  });
  std::unique_lock lock(done_mutex);
  done_changed.wait(lock, [&done] { return done; });
}

void Worker::pause() {
  std::unique_lock lock(mutex_);
  if (stopping_) return;
  pause_wanted_ = true;
  loop_.post([this] {
    std::unique_lock worker_lock(mutex_);
    paused_ = true;
    changed_.notify_all();
    changed_.wait(worker_lock, [this] { return !pause_wanted_; });
    paused_ = false;
  });
  changed_.wait(lock, [this] { return paused_ || stopping_; });
}

void Worker::resume() {
  {
    const std::scoped_lock lock(mutex_);
    pause_wanted_ = false;
  }
  changed_.notify_all();
}

}  // namespace core::inline event
