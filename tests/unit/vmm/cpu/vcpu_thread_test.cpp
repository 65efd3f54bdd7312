// The run-state machine over a runner that spins until it is kicked. Run under ThreadSanitizer, too.
#include "vmm/cpu/vcpu_thread.h"

#include <atomic>
#include <gtest/gtest.h>

namespace {

using vmm::cpu::ExitReason;
using vmm::cpu::RunExit;
using vmm::cpu::RunState;
using vmm::cpu::VcpuThread;

class FakeRunner final : public vmm::cpu::CpuRunner {
 public:
  std::atomic<bool> kicked{false};
  std::atomic<bool> inside{false};
  std::atomic<unsigned> runs{0};
  std::atomic<ExitReason> exit{ExitReason::Kicked};
  unsigned begun = 0;
  unsigned ended = 0;
  unsigned unguarded = 0;  // written inside run() and by the orderer: a race if pausing did not exclude them

  void thread_begins() override { ++begun; }
  void thread_ends() override { ++ended; }
  RunExit run() override {
    inside = true;
    ++unguarded;
    ++runs;
    runs.notify_all();
    for (;;) {
      const auto reason = exit.load();
      if (reason != ExitReason::Kicked) return leave({reason, "because"});
      if (kicked.exchange(false)) return leave({});
      std::this_thread::yield();
    }
  }
  void kick() override { kicked = true; }
  void await_run() {
    for (auto seen = runs.load(); seen == 0; seen = runs.load())
      runs.wait(seen);
  }

 private:
  RunExit leave(RunExit result) {
    inside = false;
    return result;
  }
};

void expect_no_exit(const RunExit& exit) {
  ADD_FAILURE() << "unexpected exit: " << exit.detail;
}

TEST(VcpuThread, starts_paused) {
  FakeRunner runner;
  VcpuThread thread(runner, "cpu", expect_no_exit);
  EXPECT_EQ(thread.state(), RunState::Paused);
  EXPECT_EQ(runner.runs, 0u);
}

TEST(VcpuThread, runs_when_resumed_and_pause_is_acknowledged) {
  FakeRunner runner;
  VcpuThread thread(runner, "cpu", expect_no_exit);
  thread.resume();
  runner.await_run();
  thread.pause();
  EXPECT_EQ(thread.state(), RunState::Paused);
  EXPECT_FALSE(runner.inside);
}

TEST(VcpuThread, stop_ends_the_thread_from_any_state) {
  FakeRunner runner;
  {
    VcpuThread paused(runner, "cpu", expect_no_exit);
    paused.stop();
    EXPECT_EQ(paused.state(), RunState::Stopped);
    paused.stop();
  }
  VcpuThread running(runner, "cpu", expect_no_exit);
  running.resume();
  runner.await_run();
  running.stop();
  EXPECT_EQ(running.state(), RunState::Stopped);
  EXPECT_EQ(runner.begun, 2u);
  EXPECT_EQ(runner.ended, 2u);
}

TEST(VcpuThread, orders_after_stop_are_ignored) {
  FakeRunner runner;
  VcpuThread thread(runner, "cpu", expect_no_exit);
  thread.stop();
  thread.resume();
  thread.pause();
  EXPECT_EQ(thread.state(), RunState::Stopped);
  EXPECT_EQ(runner.runs, 0u);
}

TEST(VcpuThread, exit_pauses_the_thread_and_is_reported_once) {
  FakeRunner runner;
  runner.exit = ExitReason::Reset;
  std::atomic<unsigned> reports{0};
  VcpuThread thread(runner, "cpu", [&](const RunExit& exit) {
    EXPECT_EQ(exit.reason, ExitReason::Reset);
    EXPECT_EQ(exit.detail, "because");
    ++reports;
    reports.notify_all();
  });
  thread.resume();
  reports.wait(0);
  thread.wait_for(RunState::Paused);
  EXPECT_EQ(reports, 1u);
  EXPECT_EQ(runner.runs, 1u);
  runner.exit = ExitReason::Kicked;
  thread.resume();
  while (runner.runs < 2)
    std::this_thread::yield();
  thread.pause();
  EXPECT_EQ(reports, 1u);
}

TEST(VcpuThread, kicks_alone_do_not_pause) {
  FakeRunner runner;
  VcpuThread thread(runner, "cpu", expect_no_exit);
  thread.resume();
  for (unsigned i = 1; i <= 1000; ++i) {
    while (runner.runs < i)
      std::this_thread::yield();
    runner.kick();
  }
  while (runner.runs < 1001)
    std::this_thread::yield();
  EXPECT_EQ(thread.state(), RunState::Running);
}

TEST(VcpuThread, storm_of_orders_never_runs_while_paused) {
  FakeRunner runner;
  VcpuThread thread(runner, "cpu", expect_no_exit);
  std::atomic<bool> over{false};
  std::jthread kicker([&] {
    while (!over) {
      runner.kick();
      std::this_thread::yield();
    }
  });
  for (int i = 0; i < 2000; ++i) {
    thread.resume();
    thread.pause();
    ASSERT_FALSE(runner.inside);
    ++runner.unguarded;
  }
  over = true;
  kicker.join();
  thread.stop();
  EXPECT_EQ(runner.unguarded, runner.runs + 2000);
}

TEST(VcpuThread, many_threads_start_and_stop) {
  for (int round = 0; round < 50; ++round) {
    FakeRunner runners[4];
    std::vector<std::unique_ptr<VcpuThread>> threads;
    for (auto& runner : runners)
      threads.push_back(std::make_unique<VcpuThread>(runner, "cpu", expect_no_exit));
    for (const auto& thread : threads)
      thread->resume();
    for (const auto& thread : threads)
      thread->request(RunState::Paused);
    for (const auto& thread : threads)
      thread->wait_for(RunState::Paused);
    for (const auto& runner : runners)
      EXPECT_FALSE(runner.inside);
  }
}

}  // namespace
