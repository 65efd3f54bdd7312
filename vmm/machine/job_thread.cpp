#include "vmm/machine/job_thread.h"

#include <system_error>
#include <utility>

namespace vmm::machine {

JobThread::~JobThread() {
  {
    const std::scoped_lock guard(mutex_);
    ends_ = true;
  }
  changed_.notify_all();
}

void JobThread::begin(Job job) {
  if (!has_thread()) {
    result_ = job();
    return;
  }
  {
    const std::scoped_lock guard(mutex_);
    job_ = std::move(job);
  }
  changed_.notify_all();
}

core::Result<> JobThread::wait() {
  std::unique_lock guard(mutex_);
  changed_.wait(guard, [this] { return !job_; });
  return std::exchange(result_, {});
}

bool JobThread::has_thread() {
  if (thread_.joinable()) return true;
  try {
    thread_ = std::jthread([this] { run(); });
  } catch (const std::system_error&) {
    return false;
  }
  return true;
}

void JobThread::run() {
  std::unique_lock guard(mutex_);
  for (;;) {
    changed_.wait(guard, [this] { return job_ || ends_; });
    if (!job_) return;
    guard.unlock();
    auto result = job_();
    guard.lock();
    result_ = std::move(result);
    job_ = nullptr;
    changed_.notify_all();
  }
}

}  // namespace vmm::machine
