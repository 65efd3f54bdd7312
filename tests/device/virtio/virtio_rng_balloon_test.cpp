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

struct BalloonLawRig : BalloonRig {
  BalloonLawRig() : device(*rig.function) { tests::reset_rig(*this); }
  void scribble() {
    rig.place_bars();
    rig.start(kVersion1Bit);
    say_actual(3);
    send(0, {5});
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
