#include "vmm/cpu/vcpu_thread.h"

#include <utility>

namespace vmm::cpu {

VcpuThread::VcpuThread(CpuRunner& runner, std::string name, OnExit on_exit, const core::ThreadStart& start)
    : runner_(runner),
      on_exit_(std::move(on_exit)),
      thread_(start(core::ThreadKind::Vcpu, std::move(name), [this] { body(); })) {
  wait_for(RunState::Paused);
}

VcpuThread::~VcpuThread() {
  stop();
}

void VcpuThread::request(RunState wanted) {
  {
    const std::scoped_lock lock(mutex_);
    if (wanted_ == RunState::Stopped) return;
    wanted_ = wanted;
  }
  changed_.notify_all();
  // The order is visible before the kick: whoever returns from run() because of it finds the order.
  if (wanted != RunState::Running) runner_.kick();
}

void VcpuThread::wait_for(RunState state) {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return state_ == state || state_ == RunState::Stopped; });
}

void VcpuThread::pause() {
  request(RunState::Paused);
  wait_for(RunState::Paused);
}

void VcpuThread::resume() {
  request(RunState::Running);
}

void VcpuThread::stop() {
  request(RunState::Stopped);
  if (thread_.joinable()) thread_.join();
}

RunState VcpuThread::state() const {
  const std::scoped_lock lock(mutex_);
  return state_;
}

void VcpuThread::body() {
  runner_.thread_begins();
  std::unique_lock lock(mutex_);
  while (wanted_ != RunState::Stopped) {
    state_ = wanted_;
    changed_.notify_all();
    if (state_ == RunState::Paused) {
      changed_.wait(lock, [this] { return wanted_ != RunState::Paused; });
      continue;
    }
    lock.unlock();
    const auto exit = runner_.run();
    lock.lock();
    if (exit.reason == ExitReason::Kicked) continue;
    if (wanted_ == RunState::Running) wanted_ = RunState::Paused;
    lock.unlock();
    on_exit_(exit);
    lock.lock();
  }
  lock.unlock();
  runner_.thread_ends();
  lock.lock();
  state_ = RunState::Stopped;
  changed_.notify_all();
}

VcpuThreads::VcpuThreads(Accelerator& accelerator, const OnExit& on_exit, const core::ThreadStart& start)
    : accelerator_(accelerator) {
  unsigned index = 0;
  for (auto* runner : accelerator.runners()) {
    threads_.push_back(std::make_unique<VcpuThread>(
        *runner, fmt::format("vcpu{}", index), [on_exit, index](const RunExit& exit) { on_exit(index, exit); }, start));
    ++index;
  }
}

VcpuThreads::~VcpuThreads() {
  stop();
}

void VcpuThreads::pause() {
  for (const auto& thread : threads_)
    thread->request(RunState::Paused);
  for (const auto& thread : threads_)
    thread->wait_for(RunState::Paused);
  if (std::exchange(running_, false)) accelerator_.stop_clock();
}

void VcpuThreads::resume() {
  if (!std::exchange(running_, true)) accelerator_.start_clock();
  for (const auto& thread : threads_)
    thread->request(RunState::Running);
}

void VcpuThreads::reset() {
  for (auto* vcpu : accelerator_.vcpus())
    vcpu->reset();
}

void VcpuThreads::stop() {
  for (const auto& thread : threads_)
    thread->request(RunState::Stopped);
  for (const auto& thread : threads_)
    thread->stop();
}

}  // namespace vmm::cpu
