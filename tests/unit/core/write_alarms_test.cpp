// Alarms that the kernel's write protection makes.
#include <array>
#include <condition_variable>
#include <gtest/gtest.h>
#include <memory>
#include <mutex>
#include <sys/mman.h>
#include <thread>
#include <unistd.h>

#include "core/base/fd.h"
#include "core/memory/userfault_alarms.h"

namespace {

using core::Gpa;
using core::kPageSize;

class UserfaultAlarms : public testing::Test {
 protected:
  void SetUp() override {
    auto made = core::UserfaultAlarms::create(*memory_);
    if (!made) GTEST_SKIP() << made.error().message;
    alarms_ = std::move(*made);
    alarm_ = alarms_->create_alarm(lock_, [this] { note(); });
  }
  void note() {
    const std::scoped_lock guard(mutex_);
    ++rung_;
    changed_.notify_all();
  }
  bool set(std::span<const Gpa> pages) {
    const std::scoped_lock guard(lock_);
    return alarm_->set(pages);
  }
  void clear() {
    const std::scoped_lock guard(lock_);
    alarm_->clear();
  }
  // Returns when the alarm has gone off that often.
  void await(unsigned times) {
    std::unique_lock guard(mutex_);
    changed_.wait(guard, [&] { return rung_ >= times; });
    EXPECT_EQ(rung_, times);
  }
  void store(std::uint64_t at, std::uint8_t value) { EXPECT_TRUE(memory_->write(Gpa(at), std::array{value})); }
  std::uint8_t load(std::uint64_t at) const { return *memory_->read<std::uint8_t>(Gpa(at)); }

  std::unique_ptr<core::GuestMemory> memory_ = *core::GuestMemory::create(8 << 20, std::uint64_t{3} << 30);
  std::mutex mutex_;
  std::condition_variable changed_;
  unsigned rung_ = 0;
  core::DeviceLock lock_;
  std::unique_ptr<core::UserfaultAlarms> alarms_;
  std::unique_ptr<core::WriteAlarm> alarm_;
};

constexpr std::array kPages{Gpa(0x10000), Gpa(0x11000), Gpa(0x400000)};

TEST_F(UserfaultAlarms, go_off_once_for_a_write_to_any_page) {
  store(0x10000, 1);
  unsigned times = 0;
  for (const std::uint64_t at : {0x10004, 0x11ffc, 0x400000}) {
    ASSERT_TRUE(set(kPages));
    store(at, 7);
    store(at + 1, 8);
    await(++times);
    EXPECT_EQ(load(at), 7);
  }
}

TEST_F(UserfaultAlarms, reads_and_other_pages_do_not_matter) {
  ASSERT_TRUE(set(kPages));
  EXPECT_EQ(load(0x10000), 0);
  store(0xffff, 1);
  store(0x12000, 1);
  store(0x3fffff, 1);
  clear();
  ASSERT_TRUE(set(kPages));
  store(0x10000, 1);
  await(1);
}

TEST_F(UserfaultAlarms, cleared_alarm_is_silent) {
  ASSERT_TRUE(set(kPages));
  clear();
  store(0x10000, 1);
  ASSERT_TRUE(set({&kPages[1], 1}));
  store(0x10000, 1);
  store(0x11000, 1);
  await(1);
}

TEST_F(UserfaultAlarms, system_calls_that_write_are_heard_of) {
  const core::Fd file(::memfd_create("data", MFD_CLOEXEC));
  ASSERT_EQ(::write(file.get(), "abc", 3), 3);
  core::GuestIoVector vector;
  ASSERT_TRUE(memory_->gather(Gpa(0x10ffe), 3, vector));
  ASSERT_TRUE(set(kPages));
  ASSERT_TRUE(vector.read_file(file.get(), 0));
  await(1);
  EXPECT_EQ(load(0x11000), 'c');
}

// Whoever writes may hold the lock that `ring` waits for.
TEST_F(UserfaultAlarms, writer_with_the_device_s_lock_goes_on) {
  {
    const std::scoped_lock guard(lock_);
    ASSERT_TRUE(alarm_->set(kPages));
    store(0x10000, 1);
    EXPECT_EQ(rung_, 0u);
  }
  await(1);
}

TEST_F(UserfaultAlarms, page_of_two_alarms_rings_both) {
  unsigned others = 0;
  core::DeviceLock other_lock;
  auto other = alarms_->create_alarm(other_lock, [&] {
    const std::scoped_lock guard(mutex_);
    ++others;
    changed_.notify_all();
  });
  ASSERT_TRUE(set(kPages));
  {
    const std::scoped_lock guard(other_lock);
    ASSERT_TRUE(other->set({&kPages[1], 1}));
  }
  store(0x11000, 1);
  await(1);
  std::unique_lock guard(mutex_);
  changed_.wait(guard, [&] { return others == 1; });
}

TEST_F(UserfaultAlarms, what_is_not_ram_cannot_be_watched) {
  EXPECT_FALSE(set(std::array{Gpa(0x10000), Gpa(0x8000'0000)}));
  EXPECT_FALSE(set(std::array{Gpa(0x10010)}));
  EXPECT_FALSE(set({}));
  store(0x10000, 1);
  EXPECT_EQ(rung_, 0u);
}

TEST_F(UserfaultAlarms, many_writers_and_an_alarm_that_is_set_again_and_again) {
  constexpr int kRounds = 2000;
  std::jthread writer([this](const std::stop_token& stop) {
    for (std::uint8_t value = 0; !stop.stop_requested(); ++value)
      store(0x10000 + value, value);
  });
  for (int round = 0; round < kRounds; ++round)
    ASSERT_TRUE(set(kPages));
  writer.request_stop();
  writer.join();
  alarm_.reset();
}

}  // namespace
