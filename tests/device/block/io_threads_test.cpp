// What runs on more than one thread: the pool, images under parallel load, a controller with a real disk behind it.
#include <atomic>
#include <condition_variable>
#include <cstdlib>
#include <fstream>
#include <gtest/gtest.h>
#include <mutex>
#include <thread>
#include <unistd.h>

#include "devices/block/ide_abi.h"
#include "devices/block/ide_controller.h"
#include "devices/block/io_pool.h"
#include "devices/block/open_disk.h"
#include "tests/device/fake_clock.h"
#include "tests/device/fake_wiring.h"

namespace {

using devices::block::IoPool;
using devices::block::open_disk;
namespace ide = devices::block::abi;

// A file that goes away with the test.
struct TempImage {
  explicit TempImage(std::size_t bytes) {
    std::string name = "/tmp/minivmm-threads-XXXXXX";
    const int fd = ::mkstemp(name.data());
    EXPECT_GE(fd, 0);
    EXPECT_EQ(::ftruncate(fd, static_cast<off_t>(bytes)), 0);
    ::close(fd);
    path = name;
  }
  ~TempImage() { ::unlink(path.c_str()); }
  TempImage(const TempImage&) = delete;
  TempImage& operator=(const TempImage&) = delete;
  std::string path;
};

// Counts up; wait_for() returns when it has got there.
class Counter {
 public:
  void add() {
    const std::scoped_lock guard(mutex_);
    ++count_;
    changed_.notify_all();
  }
  void wait_for(unsigned count) {
    std::unique_lock guard(mutex_);
    changed_.wait(guard, [this, count] { return count_ >= count; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  unsigned count_ = 0;
};

TEST(IoPool, drain_waits_for_everything) {
  auto pool = *IoPool::create(3);
  std::atomic<unsigned> done{0};
  for (unsigned i = 0; i < 1000; ++i)
    pool->submit([&done] { ++done; });
  pool->drain();
  EXPECT_EQ(done, 1000U);
}

TEST(IoPool, tasks_run_side_by_side_up_to_the_limit) {
  auto pool = *IoPool::create(2);
  Counter arrived;
  for (unsigned i = 0; i < 2; ++i) {
    pool->submit([&arrived] {
      arrived.add();
      arrived.wait_for(2);  // ends only if the other one runs too
    });
  }
  pool->drain();
}

TEST(IoPool, one_thread_keeps_the_order) {
  auto pool = *IoPool::create(1);
  std::vector<unsigned> order;
  for (unsigned i = 0; i < 100; ++i)
    pool->submit([&order, i] { order.push_back(i); });
  pool->drain();
  EXPECT_TRUE(std::ranges::is_sorted(order));
  EXPECT_EQ(order.size(), 100U);
}

TEST(IoPool, a_task_may_submit_another) {
  auto pool = *IoPool::create(2);
  std::atomic<bool> second{false};
  pool->submit([&pool, &second] { pool->submit([&second] { second = true; }); });
  pool->drain();
  EXPECT_TRUE(second);
}

TEST(IoPool, destruction_finishes_the_queue) {
  std::atomic<unsigned> done{0};
  {
    auto pool = *IoPool::create(1);
    for (unsigned i = 0; i < 100; ++i)
      pool->submit([&done] { ++done; });
  }
  EXPECT_EQ(done, 100U);
}

TEST(IoPool, without_threads_tasks_are_done_at_once) {
  auto pool = *IoPool::create(0);
  std::thread::id here;
  pool->submit([&here] { here = std::this_thread::get_id(); });
  EXPECT_EQ(here, std::this_thread::get_id());
  pool->drain();
}

void hammer(core::BlockBackend& disk) {
  constexpr unsigned kRequests = 200;
  std::vector<std::vector<std::uint8_t>> buffers(kRequests);
  std::atomic<unsigned> good{0};
  for (unsigned i = 0; i < kRequests; ++i) {
    buffers[i].assign(4096, static_cast<std::uint8_t>(i));
    disk.submit({.op = i % 3 == 0 ? core::BlockOp::Read : core::BlockOp::Write,
                 .offset = std::uint64_t{i} * 4096,
                 .buffer = buffers[i].data(),
                 .length = 4096,
                 .done = [&good](const core::Result<>& result) { good += result.has_value() ? 1 : 0; }});
  }
  disk.drain();
  EXPECT_EQ(good, kRequests);
}

TEST(ImageThreads, raw_takes_parallel_requests) {
  const TempImage image(200 * 4096);
  const auto disk = open_disk({.path = image.path});
  ASSERT_TRUE(disk);
  std::thread other([&disk] { hammer(**disk); });
  hammer(**disk);
  other.join();
}

TEST(ImageThreads, overlay_takes_parallel_requests) {
  const TempImage image(200 * 4096);
  const auto disk = open_disk({.path = image.path, .snapshot = true});
  ASSERT_TRUE(disk);
  std::thread other([&disk] { hammer(**disk); });
  hammer(**disk);
  other.join();
}

// An interrupt line that a waiting thread sees.
class WaitableIrq final : public core::IrqSink {
 public:
  void set_input(unsigned, bool level) override {
    if (level) rises.add();
  }
  Counter rises;
};

TEST(ImageThreads, controller_reads_and_writes_a_real_image) {
  const TempImage image(1 << 20);
  tests::FakeClock clock;
  const auto memory = *core::GuestMemory::create(1 << 20, 1 << 20);
  WaitableIrq irq;
  tests::FakeBus bus;
  devices::block::IdeController::Config config;
  config.drives[0] = {devices::block::DriveKind::Disk, *open_disk({.path = image.path}), {}};
  devices::block::IdeController controller(std::move(config), {*memory, clock, {irq, 0}, {}});
  ASSERT_TRUE(controller.attach(bus.space));
  for (unsigned round = 0; round < 20; ++round) {
    bus.out8(0x1f2, 1);
    bus.out8(0x1f3, round);
    bus.out8(0x1f4, 0);
    bus.out8(0x1f5, 0);
    bus.out8(0x1f6, ide::LBA);
    bus.out8(0x1f7, ide::WRITE_SECTORS);
    std::vector<std::uint8_t> out(512, static_cast<std::uint8_t>(round));
    bus.space.write_string(0x1f0, 2, out);
    irq.rises.wait_for(2 * round + 1);
    EXPECT_EQ(bus.in8(0x1f7), ide::DRDY | ide::DSC);
    bus.out8(0x1f2, 1);
    bus.out8(0x1f3, round);
    bus.out8(0x1f7, ide::READ_SECTORS);
    irq.rises.wait_for(2 * round + 2);
    EXPECT_EQ(bus.in8(0x1f7), ide::DRDY | ide::DSC | ide::DRQ);
    std::vector<std::uint8_t> in(512);
    bus.space.read_string(0x1f0, 2, in);
    EXPECT_EQ(in, out);
  }
  bus.out8(0x1f7, ide::FLUSH_CACHE);
  controller.drain();
  EXPECT_EQ(bus.in8(0x1f7), ide::DRDY | ide::DSC);
}

TEST(ImageThreads, controller_goes_while_requests_run) {
  const TempImage image(1 << 20);
  tests::FakeClock clock;
  const auto memory = *core::GuestMemory::create(1 << 20, 1 << 20);
  for (unsigned round = 0; round < 20; ++round) {
    tests::FakeBus bus;
    devices::block::IdeController::Config config;
    config.drives[0] = {devices::block::DriveKind::Disk, *open_disk({.path = image.path}), {}};
    devices::block::IdeController controller(std::move(config), {*memory, clock, {}, {}});
    ASSERT_TRUE(controller.attach(bus.space));
    bus.out8(0x1f2, 0);
    bus.out8(0x1f6, ide::LBA);
    bus.out8(0x1f7, ide::READ_SECTORS);
    bus.out8(0x3f6, round % 2 == 0 ? ide::SRST : 0);
  }
}

}  // namespace
