// Loops, workers, mailboxes and the guest clock. Real threads, but nothing here depends on how long anything takes.
#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <functional>
#include <gtest/gtest.h>
#include <latch>
#include <mutex>
#include <optional>
#include <thread>

#include "core/base/fd.h"
#include "core/event/event_thread.h"
#include "core/event/guest_clock.h"
#include "core/event/loop.h"
#include "core/event/loop_event.h"
#include "core/event/mailbox.h"
#include "core/event/worker.h"

namespace {

using namespace std::chrono_literals;

TEST(Worker, runs_posted_tasks_in_order) {
  core::Worker worker("test");
  std::vector<int> order;
  for (int i = 0; i < 100; ++i)
    worker.loop().post([&order, i] { order.push_back(i); });
  worker.run_and_wait([] {});
  ASSERT_EQ(order.size(), 100u);
  EXPECT_TRUE(std::ranges::is_sorted(order));
}

TEST(Worker, run_and_wait_on_its_own_thread_runs_at_once) {
  core::Worker worker("test");
  bool inner = false;
  worker.run_and_wait([&] { worker.run_and_wait([&] { inner = true; }); });
  EXPECT_TRUE(inner);
}

TEST(EventThread, calls_who_is_behind_an_eventfd) {
  core::EventThread thread("events");
  const auto first = *core::EventFd::create();
  const auto second = *core::EventFd::create();
  std::latch both(2);
  const auto on_first = *thread.watch(first.get(), [&] {
    if (first.drain()) both.count_down();
  });
  const auto on_second = *thread.watch(second.get(), [&] {
    if (second.drain()) both.count_down();
  });
  first.signal();
  second.signal();
  both.wait();
}

TEST(EventThread, loses_no_signal_under_load) {
  core::EventThread thread("events");
  const auto event = *core::EventFd::create();
  std::atomic<int> asked = 0;
  std::atomic<int> answered = 0;
  const auto watch = *thread.watch(event.get(), [&] {
    if (!event.drain()) return;
    answered = asked.load();
    answered.notify_all();
  });
  for (int i = 1; i <= 2000; ++i) {
    asked = i;
    event.signal();
    event.signal();
    if (i % 10 != 0) continue;
    for (int seen = answered; seen != i; seen = answered)
      answered.wait(seen);
  }
}

TEST(EventThread, end_of_a_watch_waits_for_its_call) {
  core::EventThread thread("events");
  const auto event = *core::EventFd::create();
  for (int i = 0; i < 200; ++i) {
    std::latch entered(1);
    bool ended = false;
    auto watch = *thread.watch(event.get(), [&] {
      if (!event.drain()) return;
      entered.count_down();
      ended = true;
    });
    event.signal();
    entered.wait();
    watch.reset();
    EXPECT_TRUE(ended);
  }
  event.signal();  // nobody is there
}

TEST(EventThread, refuses_what_is_no_eventfd) {
  core::EventThread thread("events");
  EXPECT_FALSE(thread.watch(-1, [] {}));
}

TEST(Mailbox, delivers_from_many_threads_in_each_sender_s_order) {
  core::Worker worker("test");
  std::array<int, 4> last{};
  std::atomic<int> received = 0;
  core::Mailbox<std::pair<int, int>> mailbox(worker.loop(), 10'000, [&](std::pair<int, int> message) {
    EXPECT_EQ(message.second, last[static_cast<std::size_t>(message.first)] + 1);
    last[static_cast<std::size_t>(message.first)] = message.second;
    ++received;
  });
  {
    std::vector<std::jthread> senders;
    senders.reserve(last.size());
    for (int sender = 0; sender < 4; ++sender) {
      senders.emplace_back([&mailbox, sender] {
        for (int i = 1; i <= 500; ++i)
          EXPECT_TRUE(mailbox.try_send({sender, i}));
      });
    }
  }
  worker.run_and_wait([] {});
  EXPECT_EQ(received, 2000);
}

TEST(Mailbox, refuses_beyond_its_capacity) {
  core::Worker worker("test");
  int received = 0;
  core::Mailbox<int> mailbox(worker.loop(), 3, [&](int) { ++received; });
  std::latch go_on(1);
  worker.loop().post([&] { go_on.wait(); });
  for (int i = 0; i < 3; ++i)
    EXPECT_TRUE(mailbox.try_send(i));
  EXPECT_FALSE(mailbox.try_send(3));
  go_on.count_down();
  worker.run_and_wait([] {});
  EXPECT_EQ(received, 3);
}

TEST(Loop, posts_of_other_threads_and_its_own_all_run) {
  core::Worker worker("test");
  std::atomic<int> ran = 0;
  {
    const auto post = [&] {
      for (int i = 0; i < 500; ++i)
        worker.loop().post([&] { worker.loop().post([&ran] { ++ran; }); });
    };
    const std::jthread posters[] = {std::jthread(post), std::jthread(post), std::jthread(post)};
  }
  worker.run_and_wait([] {});  // all of the others, which post to the end of the queue
  std::latch behind(1);
  worker.loop().post([&] { worker.loop().post([&] { behind.count_down(); }); });
  behind.wait();
  EXPECT_EQ(ran, 1500);
}

TEST(Loop, runs_nothing_more_once_it_is_stopped) {
  core::Loop loop;
  int ran = 0;
  loop.post([&] {
    ++ran;
    loop.stop();
  });
  loop.post([&ran] { ++ran; });
  loop.run();
  EXPECT_EQ(ran, 1);
}

// As a socket's handler may do that was never called.
TEST(Loop, what_it_drops_may_post) {
  struct Poster {
    core::Loop* loop;
    ~Poster() {
      loop->post([] {});
    }
  };
  core::Loop loop;
  auto poster = std::make_unique<Poster>(&loop);
  loop.post([poster = std::move(poster)] {});
}

TEST(LoopEvent, calls_its_handler_on_the_loop) {
  core::Worker worker("test");
  const auto event = *core::EventFd::create();
  std::optional<core::LoopEvent> watch;
  std::atomic<int> asked = 0;
  std::atomic<int> answered = 0;
  worker.run_and_wait([&] {
    watch.emplace(worker.loop(), event.get(), [&] {
      EXPECT_TRUE(worker.loop().on_loop_thread());
      answered = asked.load();
      answered.notify_all();
    });
  });
  for (int i = 1; i <= 500; ++i) {
    asked = i;
    event.signal();
    event.signal();
    for (int seen = answered; seen != i; seen = answered)
      answered.wait(seen);
  }
  worker.run_and_wait([&] { watch.reset(); });
  asked = 0;
  event.signal();
  worker.run_and_wait([] {});
  EXPECT_EQ(answered, 500);
}

TEST(Signal, tells_who_listens_and_wakes_nobody) {
  core::Worker worker("test");
  int rings = 0;
  core::Signal signal(worker.loop(), [&] { ++rings; });
  worker.run_and_wait([&] {
    signal.listen();
    EXPECT_FALSE(signal.heard());
  });
  signal.ring();
  signal.ring();
  worker.run_and_wait([&] {
    EXPECT_TRUE(signal.heard());
    EXPECT_FALSE(signal.heard());
    EXPECT_EQ(rings, 0);
  });
  signal.ring();
  worker.run_and_wait([&] { signal.rest(); });  // it was not heard: now it comes as any other
  worker.run_and_wait([] {});
  worker.run_and_wait([&] { EXPECT_EQ(rings, 1); });
  signal.ring();
  worker.run_and_wait([] {});
  EXPECT_EQ(rings, 2);
}

// No ring is lost between one state and the next.
TEST(Signal, every_ring_is_heard_or_comes) {
  core::Worker worker("test");
  std::atomic<int> seen = 0;
  std::atomic<int> asked = 0;
  core::Signal signal(worker.loop(), [&] { seen = asked.load(), seen.notify_all(); });
  std::atomic<bool> ends = false;
  std::function<void()> turn = [&] {
    signal.listen();
    for (int i = 0; i < 20; ++i) {
      if (signal.heard()) seen = asked.load(), seen.notify_all();
    }
    signal.rest();
    if (!ends) worker.loop().post([&] { turn(); });
  };
  worker.loop().post([&] { turn(); });
  for (int i = 1; i <= 2000; ++i) {
    asked = i;
    signal.ring();
    for (int at = seen; at != i; at = seen)
      seen.wait(at);
  }
  ends = true;
  worker.run_and_wait([] {});
  worker.stop();
}

TEST(Signal, rings_while_pending_coalesce) {
  core::Worker worker("test");
  int rings = 0;
  core::Signal signal(worker.loop(), [&] { ++rings; });
  std::latch go_on(1);
  worker.loop().post([&] { go_on.wait(); });
  for (int i = 0; i < 10; ++i)
    signal.ring();
  go_on.count_down();
  worker.run_and_wait([] {});
  EXPECT_EQ(rings, 1);
}

// Counts how often a timer fired; waits for a number of times.
class Fired {
 public:
  void operator()() {
    const std::scoped_lock lock(mutex_);
    ++count_;
    changed_.notify_all();
  }
  void wait_for(int count) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return count_ >= count; });
  }
  int count() {
    const std::scoped_lock lock(mutex_);
    return count_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  int count_ = 0;
};

class GuestClockTest : public testing::Test {
 protected:
  void arm(core::GuestTime deadline) {
    const std::scoped_lock guard(lock);
    timer->arm(deadline);
  }

  core::RealTimeClock clock;
  core::DeviceLock lock;
  Fired fired;
  std::unique_ptr<core::Timer> timer = clock.create_timer(lock, [this] { fired(); });
};

TEST_F(GuestClockTest, starts_at_zero_and_stands_still) {
  EXPECT_EQ(clock.now(), 0ns);
  EXPECT_EQ(clock.now(), 0ns);
}

TEST_F(GuestClockTest, set_now_counts_while_stopped) {
  clock.set_now(5s);
  EXPECT_EQ(clock.now(), 5s);
}

TEST_F(GuestClockTest, past_deadline_fires_at_once) {
  clock.start();
  arm(0ns);
  fired.wait_for(1);
  const std::scoped_lock guard(lock);
  EXPECT_FALSE(timer->armed());
}

TEST_F(GuestClockTest, does_not_fire_while_stopped) {
  arm(0ns);
  EXPECT_EQ(fired.count(), 0);
  clock.start();
  fired.wait_for(1);
}

TEST_F(GuestClockTest, cancelled_timer_does_not_fire) {
  clock.start();
  {
    const std::scoped_lock guard(lock);
    timer->arm(0ns);
    timer->cancel();
    EXPECT_FALSE(timer->armed());
  }
  Fired later;
  auto other = clock.create_timer(lock, [&] { later(); });
  {
    const std::scoped_lock guard(lock);
    other->arm(clock.now());
  }
  later.wait_for(1);
  EXPECT_EQ(fired.count(), 0);
}

TEST_F(GuestClockTest, timer_re_arms_itself) {
  clock.start();
  std::unique_ptr<core::Timer> periodic;
  periodic = clock.create_timer(lock, [&] {
    fired();
    if (fired.count() < 5) periodic->arm(0ns);
  });
  {
    const std::scoped_lock guard(lock);
    periodic->arm(0ns);
  }
  fired.wait_for(5);
}

TEST_F(GuestClockTest, destruction_waits_for_a_firing_timer) {
  clock.start();
  std::latch inside{1};
  std::latch go_on{1};
  bool done = false;
  auto slow = clock.create_timer(lock, [&] {
    inside.count_down();
    go_on.wait();
    done = true;
  });
  {
    const std::scoped_lock guard(lock);
    slow->arm(0ns);
  }
  inside.wait();
  go_on.count_down();
  slow.reset();
  EXPECT_TRUE(done);
}

TEST_F(GuestClockTest, stop_waits_for_a_firing_timer) {
  clock.start();
  std::latch inside{1};
  std::latch go_on{1};
  std::atomic<bool> done = false;
  auto slow = clock.create_timer(lock, [&] {
    inside.count_down();
    go_on.wait();
    done = true;
  });
  {
    const std::scoped_lock guard(lock);
    slow->arm(0ns);
  }
  inside.wait();
  go_on.count_down();
  clock.stop();
  EXPECT_TRUE(done);
}

TEST_F(GuestClockTest, arm_and_cancel_storm_is_safe) {
  clock.start();
  for (int i = 0; i < 1000; ++i) {
    const std::scoped_lock guard(lock);
    timer->arm(clock.now());
    if (i % 3 == 0) timer->cancel();
  }
  arm(0ns);
  fired.wait_for(1);
}

TEST_F(GuestClockTest, completion_is_delivered_with_the_lock_held) {
  auto completion = clock.create_completion(lock);
  bool free = true;
  completion->issue(1ms);
  completion->post([&] { std::jthread([&] { free = lock.try_lock(); }).join(); });
  EXPECT_FALSE(free);
}

}  // namespace
