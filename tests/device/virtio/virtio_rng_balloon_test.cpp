#include <gtest/gtest.h>

#include "devices/virtio/virtio_balloon.h"
#include "devices/virtio/virtio_rng.h"
#include "tests/device/virtio/virtio_rig.h"
#include "tests/state/state_law.h"

namespace {

using tests::VirtioRig;
using namespace devices::virtio;
using namespace devices::virtio::abi;

constexpr std::uint64_t kVersion1Bit = std::uint64_t{1} << kVersion1;
constexpr auto kBuffers = VirtioRig::kBuffers;
constexpr auto kSoon = std::chrono::milliseconds(1);

// Counts, so that every byte shows where it came from.
struct RngRig {
  tests::FakeClock clock;
  std::uint8_t next = 1;
  VirtioRig rig{std::make_unique<VirtioRng>(
      [this](std::span<std::uint8_t> out) {
        for (auto& byte : out)
          byte = next++;
      },
      clock)};
};

TEST(VirtioRng, fills_buffers) {
  RngRig rng;
  ASSERT_TRUE(rng.rig.start(kVersion1Bit));
  rng.rig.add(0, {{kBuffers, 4, true}, {kBuffers + 0x1000, 4, true}});
  rng.rig.kick(0);
  rng.clock.advance(kSoon);
  EXPECT_EQ(rng.rig.bytes(kBuffers, 4), (std::vector<std::uint8_t>{1, 2, 3, 4}));
  EXPECT_EQ(rng.rig.bytes(kBuffers + 0x1000, 4), (std::vector<std::uint8_t>{5, 6, 7, 8}));
  EXPECT_EQ(std::uint32_t{rng.rig.used(0, 0).length}, 8u);
}

TEST(VirtioRng, gives_a_bounded_part_of_a_large_buffer) {
  RngRig rng;
  ASSERT_TRUE(rng.rig.start(kVersion1Bit));
  rng.rig.add(0, {{kBuffers, 1 << 20, true}});
  rng.rig.kick(0);
  rng.clock.advance(kSoon);
  EXPECT_EQ(std::uint32_t{rng.rig.used(0, 0).length}, VirtioRng::kMostBytes);
}

// Its own memory, as the rig's is made together with the device.
struct BalloonRig {
  VirtioBalloon& balloon() { return static_cast<VirtioBalloon&>(rig.function->device()); }
  template <class Act>
  auto locked(Act act) {
    const std::scoped_lock guard(rig.function->lock());
    return act();
  }
  std::uint32_t wanted() { return static_cast<std::uint32_t>(rig.mmio.read(VirtioRig::kModern + kDeviceRegion, 4)); }
  void say_actual(std::uint32_t pages) { rig.mmio.write(VirtioRig::kModern + kDeviceRegion + 4, 4, pages); }
  // Puts page numbers into a queue.
  void send(unsigned queue, const std::vector<std::uint32_t>& pages) {
    for (std::size_t i = 0; i < pages.size(); ++i)
      rig.memory->write(core::Gpa(kBuffers + 4 * i), core::le32(pages[i]));
    rig.add(queue, {{kBuffers, static_cast<std::uint32_t>(4 * pages.size())}});
    rig.kick(queue);
  }

  std::uint64_t told = 0;
  tests::FakeClock clock;
  std::shared_ptr<core::GuestMemory> memory = *core::GuestMemory::create(VirtioRig::kRam, VirtioRig::kRam);
  VirtioRig rig{std::make_unique<VirtioBalloon>(
      VirtioBalloon::Wiring{*memory, clock, [this](std::uint64_t bytes) { told = bytes; }})};
};

TEST(VirtioBalloon, asks_for_pages_and_hears_of_them) {
  BalloonRig balloon;
  ASSERT_TRUE(balloon.rig.start(kVersion1Bit));
  balloon.locked([&] { balloon.balloon().set_target(VirtioRig::kRam - (2 << 20)); });
  EXPECT_EQ(balloon.wanted(), 512u);
  EXPECT_EQ(balloon.rig.isr(), kIsrConfig);
  balloon.say_actual(512);
  EXPECT_EQ(balloon.told, VirtioRig::kRam - (2 << 20));
  EXPECT_EQ(balloon.locked([&] { return balloon.balloon().actual_bytes(); }), balloon.told);
}

TEST(VirtioBalloon, target_beyond_memory_is_all_of_it) {
  BalloonRig balloon;
  balloon.locked([&] { balloon.balloon().set_target(~std::uint64_t{0}); });
  EXPECT_EQ(balloon.wanted(), 0u);
}

TEST(VirtioBalloon, inflated_pages_are_given_back) {
  BalloonRig balloon;
  ASSERT_TRUE(balloon.rig.start(kVersion1Bit));
  for (const std::uint64_t page : {100, 101, 103})
    balloon.memory->write(core::Gpa(page * 4096), core::le32(7));
  balloon.memory->write(core::Gpa(102 * 4096), core::le32(7));
  balloon.send(0, {100, 101, 103});
  EXPECT_EQ(std::uint32_t{*balloon.memory->read<core::le32>(core::Gpa(100 * 4096))}, 0u);
  EXPECT_EQ(std::uint32_t{*balloon.memory->read<core::le32>(core::Gpa(101 * 4096))}, 0u);
  EXPECT_EQ(std::uint32_t{*balloon.memory->read<core::le32>(core::Gpa(102 * 4096))}, 7u);
  EXPECT_EQ(std::uint32_t{*balloon.memory->read<core::le32>(core::Gpa(103 * 4096))}, 0u);
  EXPECT_EQ(balloon.rig.used_index(0), 1u);
}

TEST(VirtioBalloon, pages_outside_memory_are_ignored) {
  BalloonRig balloon;
  ASSERT_TRUE(balloon.rig.start(kVersion1Bit));
  balloon.send(0, {0xffff'ffff, VirtioRig::kRam / 4096, 0xffff'fffe});
  balloon.send(1, {0xffff'ffff});
  EXPECT_EQ(balloon.rig.used_index(0), 1u);
  EXPECT_EQ(balloon.rig.used_index(1), 1u);
}

TEST(VirtioBalloon, far_too_many_pages_need_a_reset) {
  BalloonRig balloon;
  ASSERT_TRUE(balloon.rig.start(kVersion1Bit));
  balloon.rig.add(0, {{kBuffers, 1 << 20}});
  balloon.rig.kick(0);
  EXPECT_NE(balloon.rig.status() & kNeedsReset, 0);
}

// [5.5.6.3] As Linux does it: a buffer from the start on, which comes back filled anew.
constexpr unsigned kStatisticsQueue = 2;
constexpr std::uint64_t kStatisticsBit = 1 << 1;
constexpr std::uint64_t kReportingBit = 1 << 5;
constexpr std::size_t kFreeMemory = 4;

struct Statistic {
  core::le16 tag;
  core::le64 value;
};

struct StatisticsRig : BalloonRig {
  StatisticsRig() { EXPECT_TRUE(rig.start(kVersion1Bit | kStatisticsBit | kReportingBit)); }
  void tell(const std::vector<Statistic>& statistics) {
    for (std::size_t i = 0; i < statistics.size(); ++i)
      rig.memory->write(core::Gpa(kBuffers + sizeof(Statistic) * i), statistics[i]);
    rig.add(kStatisticsQueue, {{kBuffers, static_cast<std::uint32_t>(sizeof(Statistic) * statistics.size())}});
    rig.kick(kStatisticsQueue);
  }
  BalloonStatistics statistics() {
    return locked([&] { return balloon().statistics(); });
  }
  void poll_every(std::uint32_t seconds) {
    locked([&] { balloon().set_polling(seconds); });
    clock.advance(kSoon);
  }
};

TEST(VirtioBalloon, statistics_are_taken_and_their_buffer_kept) {
  StatisticsRig balloon;
  EXPECT_FALSE(balloon.statistics().told);
  balloon.clock.advance(std::chrono::seconds(5));
  balloon.tell({{kFreeMemory, 0x1234'5678'9abc}, {0, 7}, {999, 1}});
  const auto told = balloon.statistics();
  EXPECT_TRUE(told.told);
  EXPECT_EQ(told.told_at, std::chrono::seconds(5));
  EXPECT_EQ(told.values[kFreeMemory], 0x1234'5678'9abcu);
  EXPECT_EQ(told.values[BalloonStatistics::SwapIn], 7u);
  EXPECT_EQ(told.values[BalloonStatistics::TotalMemory], BalloonStatistics::kUnknown);
  EXPECT_EQ(balloon.rig.used_index(kStatisticsQueue), 0u);
}

TEST(VirtioBalloon, statistics_from_before_the_driver_was_ready_are_taken) {
  StatisticsRig balloon;
  auto& rig = balloon.rig;
  rig.set_status(0);
  rig.set_status(3);
  rig.accept(kVersion1Bit | kStatisticsBit);
  rig.set_status(3 | kFeaturesOk);
  for (unsigned queue = 0; queue < 5; ++queue)
    rig.set_up_queue(queue);
  balloon.tell({{kFreeMemory, 4}});
  EXPECT_FALSE(balloon.statistics().told);
  rig.set_status(3 | kFeaturesOk | kDriverOk);
  EXPECT_EQ(balloon.statistics().values[kFreeMemory], 4u);
}

TEST(VirtioBalloon, polling_gives_the_buffer_back_each_time) {
  StatisticsRig balloon;
  balloon.tell({{kFreeMemory, 1}});
  balloon.poll_every(2);
  EXPECT_EQ(balloon.rig.used_index(kStatisticsQueue), 1u);
  balloon.clock.advance(std::chrono::seconds(2));
  EXPECT_EQ(balloon.rig.used_index(kStatisticsQueue), 1u) << "the driver has not brought it again";
  balloon.tell({{kFreeMemory, 2}});
  EXPECT_EQ(balloon.rig.used_index(kStatisticsQueue), 1u);
  balloon.clock.advance(std::chrono::seconds(2));
  EXPECT_EQ(balloon.rig.used_index(kStatisticsQueue), 2u);
  EXPECT_EQ(balloon.statistics().values[kFreeMemory], 2u);
}

TEST(VirtioBalloon, polling_ends_by_zero) {
  StatisticsRig balloon;
  balloon.poll_every(1);
  balloon.poll_every(0);
  balloon.tell({{kFreeMemory, 1}});
  balloon.clock.advance(std::chrono::seconds(10));
  EXPECT_EQ(balloon.rig.used_index(kStatisticsQueue), 0u);
  EXPECT_EQ(balloon.clock.armed_timers(), 0u);
}

TEST(VirtioBalloon, second_buffer_for_statistics_sends_the_first_back) {
  StatisticsRig balloon;
  balloon.tell({{kFreeMemory, 1}});
  balloon.tell({{kFreeMemory, 2}});
  EXPECT_EQ(balloon.rig.used_index(kStatisticsQueue), 1u);
  EXPECT_EQ(balloon.statistics().values[kFreeMemory], 2u);
}

TEST(VirtioBalloon, statistics_of_odd_length_are_read_as_far_as_they_go) {
  StatisticsRig balloon;
  balloon.rig.memory->write(core::Gpa(kBuffers), Statistic{kFreeMemory, 9});
  balloon.rig.memory->write(core::Gpa(kBuffers + 10), Statistic{0, 9});
  balloon.rig.add(kStatisticsQueue, {{kBuffers, 19}});
  balloon.rig.kick(kStatisticsQueue);
  EXPECT_EQ(balloon.statistics().values[kFreeMemory], 9u);
  EXPECT_EQ(balloon.statistics().values[0], BalloonStatistics::kUnknown);
}

TEST(VirtioBalloon, reset_forgets_statistics_and_buffer_but_not_the_polling) {
  StatisticsRig balloon;
  balloon.tell({{kFreeMemory, 1}});
  balloon.poll_every(3);
  balloon.rig.set_status(0);
  EXPECT_FALSE(balloon.statistics().told);
  ASSERT_TRUE(balloon.rig.start(kVersion1Bit | kStatisticsBit));
  EXPECT_EQ(balloon.locked([&] { return balloon.balloon().polling(); }), 3u);
}

TEST(VirtioBalloon, load_keeps_the_buffer_for_statistics) {
  StatisticsRig balloon;
  balloon.tell({{kFreeMemory, 1}});
  balloon.locked([&] { balloon.balloon().set_polling(2); });
  core::Stateful* const objects[] = {balloon.rig.function.get()};
  balloon.locked([&] {
    const auto saved = core::save_state(objects);
    EXPECT_TRUE(core::load_state(saved, objects));
  });
  balloon.clock.advance(std::chrono::seconds(2));
  EXPECT_EQ(balloon.rig.used_index(kStatisticsQueue), 1u);
  EXPECT_EQ(balloon.statistics().values[kFreeMemory], 1u);
}

// Linux numbers the queue of reports by what features there are.
class VirtioBalloonReports : public testing::TestWithParam<std::pair<unsigned, std::uint64_t>> {};

TEST_P(VirtioBalloonReports, unused_pages_are_given_back) {
  const auto [queue, features] = GetParam();
  BalloonRig balloon;
  ASSERT_TRUE(balloon.rig.start(kVersion1Bit | kReportingBit | features));
  for (std::uint64_t page = 0; page < 4; ++page)
    balloon.rig.memory->write(core::Gpa(kBuffers + page * 4096), core::le32(7));
  balloon.rig.add(queue, {{kBuffers, 4096, true}, {kBuffers + 2 * 4096 - 4, 4096 + 4, true}});
  balloon.rig.kick(queue);
  EXPECT_EQ(balloon.rig.used_index(queue), 1u);
  const auto word = [&](std::uint64_t page) {
    return std::uint32_t{*balloon.rig.memory->read<core::le32>(core::Gpa(kBuffers + page * 4096))};
  };
  EXPECT_EQ(word(0), 0u);
  EXPECT_EQ(word(1), 7u) << "a part of it is used";
  EXPECT_EQ(word(2), 0u);
  EXPECT_EQ(word(3), 7u);
}

INSTANTIATE_TEST_SUITE_P(Queues, VirtioBalloonReports,
                         testing::Values(std::pair(2u, std::uint64_t{0}), std::pair(3u, kStatisticsBit),
                                         std::pair(4u, kStatisticsBit)));

TEST(VirtioBalloon, reports_that_were_not_agreed_on_are_left_alone) {
  BalloonRig balloon;
  ASSERT_TRUE(balloon.rig.start(kVersion1Bit));
  balloon.rig.add(4, {{kBuffers, 4096, true}});
  balloon.rig.kick(4);
  EXPECT_EQ(balloon.rig.used_index(4), 0u);
}

struct BalloonLawRig : BalloonRig {
  BalloonLawRig() : device(*rig.function) { tests::reset_rig(*this); }
  void scribble() {
    rig.place_bars();
    rig.start(kVersion1Bit | kStatisticsBit | kReportingBit);
    say_actual(3);
    send(0, {5});
    clock.advance(std::chrono::seconds(1));
    rig.memory->write(core::Gpa(kBuffers), Statistic{kFreeMemory, 9});
    rig.add(kStatisticsQueue, {{kBuffers, sizeof(Statistic)}}, 3);
    rig.kick(kStatisticsQueue);
  }
  VirtioPci& device;
};

TEST(VirtioBalloon, obeys_the_state_law) {
  tests::check_state_law<BalloonLawRig>();
}

struct RngLawRig : RngRig {
  RngLawRig() : device(*rig.function) { tests::reset_rig(*this); }
  void scribble() {
    rig.place_bars();
    rig.start(kVersion1Bit);
    rig.add(0, {{kBuffers, 4, true}});
    rig.kick(0);
    clock.advance(kSoon);
  }
  VirtioPci& device;
};

TEST(VirtioRng, obeys_the_state_law) {
  tests::check_state_law<RngLawRig>();
}

}  // namespace
