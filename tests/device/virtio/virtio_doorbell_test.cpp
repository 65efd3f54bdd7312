// Doorbells: what an accelerator rings in place of the driver's register writes, and who serves the queues then.
#include <gtest/gtest.h>
#include <vector>

#include "devices/virtio/virtio_blk.h"
#include "devices/virtio/virtio_blk_abi.h"
#include "tests/device/block/fake_disk.h"
#include "tests/device/fake_event_waiter.h"
#include "tests/device/virtio/echo_device.h"
#include "tests/device/virtio/virtio_rig.h"

namespace {

using tests::Echo;
using tests::VirtioRig;
using namespace devices::virtio::abi;

constexpr std::uint64_t kVersion1Bit = std::uint64_t{1} << kVersion1;
constexpr auto kBuffers = VirtioRig::kBuffers;

// What the accelerator is told of.
struct Listener final : core::DoorbellListener {
  void doorbell_added(const core::Doorbell& doorbell) override { bells.push_back(doorbell); }
  void doorbell_removed(const core::Doorbell& doorbell) override { std::erase(bells, doorbell); }
  std::vector<core::Doorbell> bells;
};

class VirtioDoorbellTest : public testing::Test {
 protected:
  VirtioDoorbellTest() {
    rig.io.set_doorbell_listener(&ports);
    rig.mmio.set_doorbell_listener(&memory);
  }
  Echo& echo() { return static_cast<Echo&>(rig.function->device()); }
  void add_request(unsigned queue = 0) {
    rig.put(kBuffers, std::array<std::uint8_t, 2>{7, 8});
    rig.add(queue, {{kBuffers, 2}, {kBuffers + 0x1000, 16, true}});
  }
  void set_running(bool running) {
    const std::scoped_lock guard(rig.function->lock());
    rig.function->set_running(running);
  }

  Listener ports;
  Listener memory;
  tests::FakeEventWaiter waiter;
  VirtioRig rig{std::make_unique<Echo>(), true, &waiter};
};

TEST_F(VirtioDoorbellTest, each_queue_has_one_in_both_layouts) {
  ASSERT_EQ(memory.bells.size(), 2u);
  EXPECT_EQ(memory.bells[1].address, VirtioRig::kModern + kNotifyRegion + 4);
  EXPECT_EQ(memory.bells[1].width, 0u);
  EXPECT_EQ(memory.bells[1].match, std::nullopt);
  ASSERT_EQ(ports.bells.size(), 2u);
  EXPECT_EQ(ports.bells[1].address, VirtioRig::kLegacy + kLegacyQueueNotify);
  EXPECT_EQ(ports.bells[1].width, 2u);
  EXPECT_EQ(ports.bells[1].match, 1u);
  EXPECT_EQ(ports.bells[1].eventfd, memory.bells[1].eventfd);
  EXPECT_NE(memory.bells[0].eventfd, memory.bells[1].eventfd);
}

TEST_F(VirtioDoorbellTest, function_without_a_waiter_has_none) {
  VirtioRig plain(std::make_unique<Echo>());
  Listener none;
  plain.mmio.set_doorbell_listener(&none);
  EXPECT_TRUE(none.bells.empty());
}

TEST_F(VirtioDoorbellTest, without_a_watch_the_register_works) {
  waiter.refuses = true;
  VirtioRig plain(std::make_unique<Echo>(), true, &waiter);
  Listener none;
  plain.mmio.set_doorbell_listener(&none);
  EXPECT_TRUE(none.bells.empty());
  ASSERT_TRUE(plain.start(kVersion1Bit));
  plain.kick(0);
  EXPECT_EQ(static_cast<Echo&>(plain.function->device()).served, 1u);
}

TEST_F(VirtioDoorbellTest, move_with_their_bars) {
  rig.config_write(0x20, 4, 0xe100'0000);
  ASSERT_EQ(memory.bells.size(), 2u);
  EXPECT_EQ(memory.bells[0].address, 0xe100'0000 + kNotifyRegion);
  rig.config_write(0x10, 4, 0xd000);
  ASSERT_EQ(ports.bells.size(), 2u);
  EXPECT_EQ(ports.bells[0].address, 0xd000 + kLegacyQueueNotify);
  rig.config_write(0x04, 2, 1);
  EXPECT_TRUE(memory.bells.empty()) << "memory decoding is off";
  EXPECT_EQ(ports.bells.size(), 2u);
  rig.config_write(0x04, 2, 0);
  EXPECT_TRUE(ports.bells.empty()) << "and that of ports";
}

TEST_F(VirtioDoorbellTest, go_with_the_function) {
  rig.bus.unplug_all();
  EXPECT_TRUE(memory.bells.empty());
  EXPECT_TRUE(ports.bells.empty());
  rig.function.reset();
  EXPECT_TRUE(waiter.watched.empty());
}

TEST_F(VirtioDoorbellTest, ring_is_served_by_the_waiter) {
  ASSERT_TRUE(rig.start(kVersion1Bit));
  add_request();
  rig.kick(0);
  EXPECT_EQ(rig.used_index(0), 0u) << "not by who rings";
  EXPECT_EQ(waiter.run(), 1u);
  EXPECT_EQ(rig.used_index(0), 1u);
  EXPECT_EQ(waiter.run(), 0u);
}

TEST_F(VirtioDoorbellTest, rings_coalesce) {
  ASSERT_TRUE(rig.start(kVersion1Bit));
  for (unsigned i = 0; i < 1000; ++i)
    rig.kick(1);
  EXPECT_EQ(waiter.run(), 1u);
  EXPECT_EQ(echo().served, 1u);
}

TEST_F(VirtioDoorbellTest, other_accesses_to_the_register_work_as_before) {
  ASSERT_TRUE(rig.start(kVersion1Bit));
  add_request();
  rig.mmio.write(VirtioRig::kModern + kNotifyRegion + 1, 1, 0);
  EXPECT_EQ(rig.used_index(0), 1u) << "beside the doorbell";
  add_request(1);
  rig.io.write(VirtioRig::kLegacy + kLegacyQueueNotify, 4, 1);
  EXPECT_EQ(rig.used_index(1), 1u) << "of another width";
  rig.io.write(VirtioRig::kLegacy + kLegacyQueueNotify, 2, 77);
  EXPECT_EQ(waiter.run(), 0u);
}

TEST_F(VirtioDoorbellTest, legacy_register_rings_for_the_queue_it_names) {
  ASSERT_TRUE(rig.start(kVersion1Bit));
  add_request(1);
  rig.io.write(VirtioRig::kLegacy + kLegacyQueueNotify, 2, 1);
  EXPECT_EQ(rig.used_index(1), 0u);
  EXPECT_EQ(waiter.run(), 1u);
  EXPECT_EQ(rig.used_index(1), 1u);
}

TEST_F(VirtioDoorbellTest, pause_serves_what_was_rung_for) {
  ASSERT_TRUE(rig.start(kVersion1Bit));
  add_request();
  rig.kick(0);
  set_running(false);
  EXPECT_EQ(rig.used_index(0), 1u) << "a snapshot has it";
  EXPECT_EQ(waiter.run(), 0u) << "and nothing happens while the machine stands still";
  waiter.run_stale();
  EXPECT_EQ(echo().served, 1u);
}

TEST_F(VirtioDoorbellTest, reset_forgets_a_ring) {
  ASSERT_TRUE(rig.start(kVersion1Bit));
  add_request();
  rig.kick(0);
  rig.set_status(0);
  EXPECT_EQ(waiter.run(), 0u);
  rig.kick(0);
  ASSERT_EQ(waiter.run(), 1u) << "a ring before the driver is there";
  EXPECT_EQ(echo().served, 0u);
  ASSERT_TRUE(rig.start(kVersion1Bit));
  waiter.run_stale();
  EXPECT_EQ(echo().served, 0u);
}

TEST_F(VirtioDoorbellTest, broken_device_ignores_rings) {
  ASSERT_TRUE(rig.start(kVersion1Bit));
  rig.make_available(0, 0xffff);
  rig.kick(0);
  waiter.run();
  EXPECT_NE(rig.status() & kNeedsReset, 0);
  const auto served = echo().served;
  rig.kick(0);
  waiter.run();
  EXPECT_EQ(echo().served, served);
}

// A disk with doorbells.
class VirtioBlkDoorbellTest : public testing::Test {
 protected:
  static constexpr unsigned kQueueSize = 256;
  static constexpr auto kData = kBuffers + 0x2000;
  static constexpr auto kStatus = kBuffers + 0x1000;

  VirtioBlkDoorbellTest() { EXPECT_TRUE(rig.start(kVersion1Bit)); }
  void add_read(std::uint32_t bytes) {
    rig.memory->write(core::Gpa(kBuffers), BlockHeader{kBlkIn, 0, 1});
    rig.add(0, {{kBuffers, 16}, {kData, bytes, true}, {kStatus, 1, true}});
  }

  tests::FakeClock clock;
  tests::FakeEventWaiter waiter;
  std::shared_ptr<tests::FakeDiskState> state = std::make_shared<tests::FakeDiskState>(1 << 20);
  VirtioRig rig{std::make_unique<devices::virtio::VirtioBlk>(
                    devices::virtio::VirtioBlk::Config{std::make_unique<tests::FakeDisk>(state), "serial", 1}, clock),
                true, &waiter};
};

TEST_F(VirtioBlkDoorbellTest, cached_read_is_done_at_once) {
  state->cached = true;
  add_read(1024);
  rig.kick(0);
  waiter.run();
  EXPECT_EQ(rig.used_index(0), 1u);
  EXPECT_EQ(std::uint32_t{rig.used(0, 0).length}, 1025u);
  EXPECT_EQ(rig.bytes(kData, 512), std::vector(state->data.begin() + 512, state->data.begin() + 1024));
  EXPECT_EQ(rig.isr(), kIsrQueue);
  EXPECT_TRUE(state->waiting.empty());
}

TEST_F(VirtioBlkDoorbellTest, what_is_not_cached_or_fails_goes_to_the_disk) {
  add_read(1024);
  rig.kick(0);
  waiter.run();
  EXPECT_EQ(rig.used_index(0), 0u);
  state->perform_all();
  EXPECT_EQ(rig.used_index(0), 1u);
  state->cached = state->failing = true;
  add_read(1024);
  rig.kick(0);
  waiter.run();
  EXPECT_EQ(rig.used_index(0), 1u);
  state->perform_all();
  EXPECT_EQ(rig.used_index(0), 2u);
  EXPECT_EQ(rig.bytes(kStatus, 1)[0], kBlkIoError);
}

TEST_F(VirtioBlkDoorbellTest, many_cached_reads_are_spread) {
  state->cached = true;
  for (unsigned i = 0; i < 3; ++i)
    add_read(512 << 10);
  rig.kick(0);
  waiter.run();
  EXPECT_EQ(rig.used_index(0), 2u);
  EXPECT_EQ(state->waiting.size(), 1u);
  state->perform_all();
  EXPECT_EQ(rig.used_index(0), 3u);
}

TEST(VirtioBlkWithoutDoorbells, reads_wait_for_their_time) {
  tests::FakeClock clock;
  auto state = std::make_shared<tests::FakeDiskState>(1 << 20);
  state->cached = true;
  devices::virtio::VirtioBlk::Config config{std::make_unique<tests::FakeDisk>(state), "serial", 1};
  VirtioRig rig(std::make_unique<devices::virtio::VirtioBlk>(std::move(config), clock));
  ASSERT_TRUE(rig.start(kVersion1Bit));
  rig.memory->write(core::Gpa(kBuffers), BlockHeader{kBlkIn, 0, 1});
  rig.add(0, {{kBuffers, 16}, {kBuffers + 0x2000, 1024, true}, {kBuffers + 0x1000, 1, true}});
  rig.kick(0);
  EXPECT_EQ(rig.used_index(0), 0u);
  state->perform_all();
  EXPECT_EQ(rig.used_index(0), 1u);
}

// A driver on another CPU that adds requests as fast as they are answered: here, a ring that is full of them twice.
TEST_F(VirtioBlkDoorbellTest, endless_requests_give_others_their_turn) {
  rig.memory->write(core::Gpa(kBuffers), BlockHeader{kBlkGetId, 0, 0});
  for (unsigned i = 0; i < kQueueSize; ++i)
    rig.add(0, {{kBuffers, 16}, {kStatus, 21, true}});
  rig.kick(0);
  EXPECT_EQ(waiter.run(), 1u);
  EXPECT_EQ(rig.used_index(0), kQueueSize);
  EXPECT_EQ(waiter.run(), 1u) << "it asked for another turn";
  EXPECT_EQ(waiter.run(), 0u);
}

TEST_F(VirtioBlkDoorbellTest, pause_takes_all_turns) {
  rig.memory->write(core::Gpa(kBuffers), BlockHeader{kBlkGetId, 0, 0});
  for (unsigned i = 0; i < kQueueSize; ++i)
    rig.add(0, {{kBuffers, 16}, {kStatus, 21, true}});
  rig.kick(0);
  {
    const std::scoped_lock guard(rig.function->lock());
    rig.function->set_running(false);
  }
  EXPECT_EQ(rig.used_index(0), kQueueSize);
  EXPECT_EQ(waiter.run(), 0u);
}

}  // namespace
