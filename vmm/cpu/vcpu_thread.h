// The thread of one CpuRunner, as a machine of three states:
//
//            resume                    stop
//   Paused ---------> Running   any ---------> Stopped (the thread ends)
//          <---------
//            pause, or an exit that concerns the machine
//
// Orders come from one thread at a time, the control loop; each is acknowledged by the thread's state. The runner is
// never inside run() unless the state is Running.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "core/base/thread_start.h"
#include "vmm/cpu/accelerator.h"
#include "vmm/cpu/vcpu.h"

namespace vmm::cpu {

enum class RunState : std::uint8_t { Paused, Running, Stopped };

class VcpuThread {
 public:
  // An exit that concerns the machine. On the vCPU's thread, which is pausing itself: it must not order this thread
  // about, but post to the control loop.
  using OnExit = std::function<void(const RunExit& exit)>;

  // Starts Paused.
  VcpuThread(CpuRunner& runner, std::string name, OnExit on_exit, const core::ThreadStart& start = {});
  ~VcpuThread();
  VcpuThread(const VcpuThread&) = delete;
  VcpuThread& operator=(const VcpuThread&) = delete;

  // Asks for a state; several threads are paused together by asking all of them before waiting.
  void request(RunState wanted);
  // Returns when the thread is in `state`, or has ended.
  void wait_for(RunState state);

  void pause();
  void resume();
  void stop();  // idempotent; joins
  RunState state() const;

 private:
  void body();

  CpuRunner& runner_;
  OnExit on_exit_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  RunState wanted_ = RunState::Paused;
  RunState state_ = RunState::Running;  // until the thread has begun and says otherwise
  std::jthread thread_;
};

// The threads of a whole accelerator, ordered about together.
class VcpuThreads {
 public:
  using OnExit = std::function<void(unsigned runner, const RunExit& exit)>;

  // Starts paused.
  VcpuThreads(Accelerator& accelerator, const OnExit& on_exit, const core::ThreadStart& start = {});
  ~VcpuThreads();
  VcpuThreads(const VcpuThreads&) = delete;
  VcpuThreads& operator=(const VcpuThreads&) = delete;

  void pause();  // all of them are out of the guest when it returns
  void resume();
  void reset();  // paused: every vCPU to its power-on state
  void stop();   // idempotent

 private:
  Accelerator& accelerator_;
  std::vector<std::unique_ptr<VcpuThread>> threads_;
  bool running_ = false;
};

}  // namespace vmm::cpu
