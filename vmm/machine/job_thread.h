// A thread that does one job at a time for somebody who comes back for the result.
#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>

#include "core/base/result.h"

namespace vmm::machine {

// One thread calls all of it, the destructor included; the job runs on another, which exists from the first job on.
class JobThread {
 public:
  using Job = std::move_only_function<core::Result<>()>;

  JobThread() = default;
  ~JobThread();  // when the job has ended
  JobThread(const JobThread&) = delete;
  JobThread& operator=(const JobThread&) = delete;

  // The result of the last job has been waited for. Without a thread to be had, the job is done when this returns.
  void begin(Job job);
  // The job's result when it has ended; success if there was none since the last call.
  core::Result<> wait();

 private:
  bool has_thread();
  void run();

  std::mutex mutex_;
  std::condition_variable changed_;
  Job job_;  // until it has ended
  core::Result<> result_;
  bool ends_ = false;
  std::jthread thread_;
};

}  // namespace vmm::machine
