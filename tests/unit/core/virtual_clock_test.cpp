#include "core/event/virtual_clock.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <thread>
#include <vector>

namespace {

using core::GuestTime;
using core::VirtualClock;
using testing::ElementsAre;
using testing::IsEmpty;

class VirtualClockTest : public testing::Test {
 protected:
  std::unique_ptr<core::Timer> timer(int name) {
    return clock_.create_timer(lock_, [this, name] { fired_.push_back(name); });
  }
  void at(GuestTime now) {
    clock_.move_to(now);
    clock_.fire_due();
  }

  core::DeviceLock lock_;
  VirtualClock clock_;
  std::vector<int> fired_;
};

TEST_F(VirtualClockTest, fires_by_deadline_and_then_by_arming) {
  const auto a = timer(1), b = timer(2), c = timer(3);
  a->arm(GuestTime(20));
  b->arm(GuestTime(10));
  c->arm(GuestTime(10));
  EXPECT_EQ(clock_.deadline(), GuestTime(10));
  at(GuestTime(9));
  EXPECT_THAT(fired_, IsEmpty());
  at(GuestTime(10));
  EXPECT_THAT(fired_, ElementsAre(2, 3));
  at(GuestTime(25));
  EXPECT_THAT(fired_, ElementsAre(2, 3, 1));
  EXPECT_EQ(clock_.deadline(), VirtualClock::kNever);
}

TEST_F(VirtualClockTest, arm_replaces_and_cancel_forgets) {
  const auto a = timer(1), b = timer(2);
  a->arm(GuestTime(10));
  a->arm(GuestTime(30));
  b->arm(GuestTime(10));
  b->cancel();
  EXPECT_FALSE(b->armed());
  at(GuestTime(20));
  EXPECT_THAT(fired_, IsEmpty());
  at(GuestTime(30));
  EXPECT_THAT(fired_, ElementsAre(1));
}

TEST_F(VirtualClockTest, timer_may_arm_itself_for_now) {
  int left = 3;
  std::unique_ptr<core::Timer> again;
  again = clock_.create_timer(lock_, [&] {
    if (--left > 0) again->arm(clock_.now());
  });
  again->arm(GuestTime(1));
  at(GuestTime(1));
  EXPECT_EQ(left, 0);
}

TEST_F(VirtualClockTest, completion_comes_at_its_time_and_not_when_the_host_is_done) {
  const auto completion = clock_.create_completion(lock_);
  clock_.move_to(GuestTime(100));
  completion->issue(GuestTime(50));
  completion->post([this] { fired_.push_back(1); });
  at(GuestTime(149));
  EXPECT_THAT(fired_, IsEmpty());
  at(GuestTime(150));
  EXPECT_THAT(fired_, ElementsAre(1));
}

TEST_F(VirtualClockTest, waits_for_the_host_at_the_deadline) {
  const auto completion = clock_.create_completion(lock_);
  completion->issue(GuestTime(50));
  completion->issue(GuestTime(60));
  clock_.move_to(GuestTime(70));
  const std::jthread host([&] {
    completion->post([this] { fired_.push_back(1); });
    completion->post([this] { fired_.push_back(2); });
  });
  clock_.fire_due();
  EXPECT_THAT(fired_, ElementsAre(1, 2));
}

TEST_F(VirtualClockTest, tells_of_earlier_deadlines_only) {
  int told = 0;
  clock_.on_earlier([&told] { ++told; });
  const auto a = timer(1), b = timer(2);
  a->arm(GuestTime(20));
  EXPECT_EQ(told, 1);
  b->arm(GuestTime(30));
  EXPECT_EQ(told, 1);
  b->arm(GuestTime(10));
  EXPECT_EQ(told, 2);
}

TEST_F(VirtualClockTest, nothing_is_left_of_what_is_gone) {
  timer(1)->arm(GuestTime(5));
  clock_.create_completion(lock_)->issue(GuestTime(5));
  at(GuestTime(10));
  EXPECT_THAT(fired_, IsEmpty());
}

}  // namespace
