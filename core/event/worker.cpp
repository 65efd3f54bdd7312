#include "core/event/worker.h"

#include <condition_variable>
#include <mutex>

namespace core::inline event {

Worker::Worker(const std::string& name, ThreadKind kind, const ThreadStart& start)
    : thread_(start(kind, name, [this] { loop_.run(); })) {}

Worker::~Worker() {
  stop();
}

void Worker::stop() {
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

}  // namespace core::inline event
