// A vCPU that sets modes, writes and moves banks while the display worker refreshes: for the thread sanitizer.
#include <atomic>
#include <chrono>
#include <random>
#include <semaphore>
#include <thread>

#include "tests/device/qxl/native_rig.h"
#include "tests/device/qxl/qxl_rig.h"
#include "tests/device/qxl/vga_modes.h"

namespace {

using tests::QxlRig;

void draw(QxlRig& rig, unsigned round) {
  switch (round % 4) {
    case 0:
      tests::set_mode(rig, tests::kMode3);
      for (unsigned i = 0; i < 80; ++i)
        rig.poke(0xb8000 + 2 * i, i + round);
      break;
    case 1:
      tests::set_mode(rig, tests::kMode12);
      for (unsigned i = 0; i < 80; ++i)
        rig.poke(0xa0000 + 81 * i, round);
      break;
    case 2:
      rig.vbe_mode(640, 480, 32);
      for (unsigned i = 0; i < 80; ++i)
        rig.set_word(641 * i, round);
      break;
    default:
      rig.vbe(5, round);
      rig.poke(0xa0000, round);
      rig.vbe(4, 0);
      break;
  }
}

TEST(QxlThreads, worker_refreshes_while_the_guest_draws) {
  QxlRig rig;
  {
    const std::jthread worker([&rig](const std::stop_token& stop) {
      while (!stop.stop_requested())
        rig.device.source().refresh(rig.canvas, false);
    });
    for (unsigned round = 0; round < 40; ++round)
      draw(rig, round);
  }
  rig.vbe_mode(640, 480, 32);
  rig.set_word(7, 0x123456);
  rig.refresh();
  EXPECT_EQ(rig.canvas.at(7, 0), 0x123456u) << "the worker ends with what the guest drew last";
}

TEST(QxlThreads, reset_during_refresh_is_safe) {
  QxlRig rig;
  const std::jthread worker([&rig](const std::stop_token& stop) {
    while (!stop.stop_requested())
      rig.device.source().refresh(rig.canvas, true);
  });
  for (unsigned round = 0; round < 20; ++round) {
    draw(rig, round);
    const std::scoped_lock guard(rig.device.lock());
    rig.device.reset();
  }
}

// A worker that sleeps until it is woken, as the display's does.
class SleepingWorker {
 public:
  explicit SleepingWorker(tests::NativeRig& rig) : rig_(rig) {
    rig.device.source().set_wake([this] { woken_.release(); });
    thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
  }
  ~SleepingWorker() {
    thread_.request_stop();
    woken_.release();
  }

 private:
  void run(const std::stop_token& stop) {
    using Next = core::DisplaySource::Next;
    while (!stop.stop_requested()) {
      const auto next = rig_.device.source().pull(rig_.canvas);
      if (next == Next::OnWake) woken_.acquire();
      if (next == Next::Soon) (void)woken_.try_acquire_for(std::chrono::microseconds(100));
    }
  }

  tests::NativeRig& rig_;
  std::counting_semaphore<> woken_{0};
  std::jthread thread_;
};

// What a driver does with its command ring: it notifies when it was asked to, and waits for room.
class Driver {
 public:
  explicit Driver(tests::NativeRig& rig) : rig_(rig) {}

  void send(std::uint64_t command) {
    using Ring = tests::abi::QXLCommandRing;
    constexpr auto kRing = offsetof(tests::abi::QXLRam, cmd_ring);
    while (word(kRing + offsetof(Ring, prod)) - word(kRing + offsetof(Ring, cons)) == Ring::kItems)
      std::this_thread::yield();
    rig_.push(command, tests::abi::QxlCommandType::Message);
    std::atomic_thread_fence(std::memory_order_seq_cst);
    if (word(kRing + offsetof(Ring, prod)) == word(kRing + offsetof(Ring, notify_on_prod))) {
      rig_.port(tests::abi::QxlPort::NotifyCmd);
    }
  }

 private:
  std::uint32_t word(std::size_t offset) { return rig_.header<std::uint32_t>(offset); }
  tests::NativeRig& rig_;
};

TEST(QxlThreads, no_command_is_lost_and_each_comes_back_once) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  constexpr std::uint64_t kCommands = 100'000;
#else
  constexpr std::uint64_t kCommands = 1'000'000;
#endif
  constexpr std::uint64_t kPlaces = 50'000;  // of commands in memory, used again and again
  tests::NativeRig rig;
  rig.go_native();
  SleepingWorker worker(rig);
  Driver driver(rig);
  std::minstd_rand random(1);
  std::vector<std::uint64_t> back;
  for (std::uint64_t i = 0; i < kCommands; ++i) {
    if (i % kPlaces == 0) rig.heap_ = tests::NativeRig::kHeap;
    driver.send(rig.put_all(core::le64(rig.heap_)));
    if (random() % 64 == 0) std::ranges::copy(rig.released(), std::back_inserter(back));
    if (random() % 1024 == 0) std::this_thread::sleep_for(std::chrono::microseconds(random() % 300));
  }
  rig.set_field(offsetof(tests::abi::QXLRam, update_area), tests::NativeRig::box(0, 0, 1, 1));
  rig.port(tests::abi::QxlPort::UpdateArea);  // returns when the ring was read to its end
  for (int i = 0; i < 3; ++i) {
    std::ranges::copy(rig.released(), std::back_inserter(back));
    rig.port(tests::abi::QxlPort::FlushRelease);
  }
  ASSERT_EQ(back.size(), kCommands);
  for (std::uint64_t i = 0; i < kCommands; ++i)
    ASSERT_EQ(back[i], tests::NativeRig::kHeap + 16 * (i % kPlaces));
}

TEST(QxlThreads, synchronous_ports_of_several_cpus_do_not_wait_for_ever) {
  tests::NativeRig rig;
  rig.go_native();
  rig.set_field(offsetof(tests::abi::QXLRam, update_area), tests::NativeRig::box(0, 0, 64, 32));
  SleepingWorker worker(rig);
  std::vector<std::jthread> cpus;
  for (int cpu = 0; cpu < 4; ++cpu) {
    cpus.emplace_back([&rig] {
      for (int i = 0; i < 500; ++i)
        rig.port(tests::abi::QxlPort::UpdateArea);
    });
  }
}

TEST(QxlThreads, counted_time_stands_still_until_the_source_is_done) {
  tests::NativeRig rig({.sizes = {.revision = 4}, .counted_time = true});
  rig.go_native();
  SleepingWorker worker(rig);
  for (int i = 0; i < 500; ++i) {
    rig.take_pending();
    rig.port(tests::abi::QxlPort::FlushSurfacesAsync);
    ASSERT_EQ(rig.pending() & tests::NativeRig::kIoCmd, tests::NativeRig::kIoCmd);
    rig.submit(rig.put_all(core::le64(rig.heap_)), tests::abi::QxlCommandType::Message);
    constexpr auto kRing = offsetof(tests::abi::QXLRam, cmd_ring);
    ASSERT_EQ(rig.header<std::uint32_t>(kRing + offsetof(tests::abi::QXLCommandRing, cons)),
              rig.header<std::uint32_t>(kRing + offsetof(tests::abi::QXLCommandRing, prod)));
  }
  rig.out8(0x3c2, 1);  // before revision 5 the VGA takes its screen back
  EXPECT_TRUE(rig.canvas.surfaces.empty());
}

}  // namespace
