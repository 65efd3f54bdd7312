// The transport and the rings, by a device that gives every chain back.
#include <algorithm>
#include <gtest/gtest.h>

#include "tests/device/virtio/echo_device.h"
#include "tests/device/virtio/virtio_rig.h"
#include "tests/state/state_law.h"

namespace {

using tests::Echo;
using tests::VirtioRig;
using namespace devices::virtio;
using namespace devices::virtio::abi;

constexpr std::uint64_t kVersion1Bit = std::uint64_t{1} << kVersion1;
constexpr std::uint64_t kIndirectBit = std::uint64_t{1} << kIndirectDesc;
constexpr std::uint64_t kEventBit = std::uint64_t{1} << kEventIndex;
constexpr auto kBuffers = VirtioRig::kBuffers;

class VirtioPciTest : public testing::Test {
 protected:
  Echo& echo() { return static_cast<Echo&>(rig.function->device()); }
  // What a driver sees of one request of `text` in queue 0.
  std::vector<std::uint8_t> round_trip(std::initializer_list<std::uint8_t> text) {
    const std::vector<std::uint8_t> bytes(text);
    rig.put(kBuffers, bytes);
    rig.add(0, {{kBuffers, static_cast<std::uint32_t>(bytes.size())}, {kBuffers + 0x1000, 16, true}});
    rig.kick(0);
    return rig.bytes(kBuffers + 0x1000, bytes.size());
  }
  bool needs_reset() { return (rig.status() & kNeedsReset) != 0; }

  VirtioRig rig{std::make_unique<Echo>()};
};

TEST_F(VirtioPciTest, is_a_transitional_device) {
  EXPECT_EQ(rig.config_read(0, 4), 0x1005'1af4u);
  EXPECT_EQ(rig.config_read(0x2c, 4), 0x0004'1af4u);
  EXPECT_EQ(rig.config_read(8, 1), 0u);
  VirtioRig modern(std::make_unique<Echo>(), false);
  EXPECT_EQ(modern.config_read(0, 4), 0x1044'1af4u);
  EXPECT_EQ(modern.config_read(8, 1), 1u);
  EXPECT_EQ(modern.config_read(0x10, 4), 0u) << "no legacy BAR";
}

TEST_F(VirtioPciTest, announces_its_structures) {
  for (const unsigned type : {kCommonCfg, kNotifyCfg, kIsrCfg, kDeviceCfg, kPciCfg}) {
    bool found = false;
    for (unsigned i = 0; i < 5; ++i) {
      const auto at = rig.capability(kVendorCapability, i);
      found = found || (at != 0 && rig.config_read(at + kCapType, 1) == type);
    }
    EXPECT_TRUE(found) << type;
  }
  const auto msix = rig.capability(0x11);
  ASSERT_NE(msix, 0u);
  EXPECT_EQ(rig.config_read(msix + 2, 2), 2u) << "three vectors";
}

TEST_F(VirtioPciTest, moves_data_for_a_modern_driver) {
  ASSERT_TRUE(rig.start(kVersion1Bit));
  EXPECT_EQ(echo().ready, 1u);
  EXPECT_EQ(round_trip({1, 2, 3}), (std::vector<std::uint8_t>{1, 2, 3}));
  EXPECT_EQ(rig.used_index(0), 1u);
  EXPECT_EQ(std::uint32_t{rig.used(0, 0).length}, 3u);
  EXPECT_TRUE(rig.pirq.level(0)) << "slot 5 pin A is PIRQ A";
  EXPECT_EQ(rig.isr(), kIsrQueue);
  EXPECT_EQ(rig.isr(), 0u) << "reading takes it";
  EXPECT_FALSE(rig.pirq.level(0));
}

TEST_F(VirtioPciTest, refuses_features_it_did_not_offer) {
  EXPECT_FALSE(rig.start(kVersion1Bit | std::uint64_t{1} << 33));
  EXPECT_FALSE(rig.start(1)) << "a modern driver takes VERSION_1";
  EXPECT_TRUE(rig.start(kVersion1Bit | 1));
}

TEST_F(VirtioPciTest, does_nothing_before_driver_ok) {
  ASSERT_TRUE(rig.start(kVersion1Bit));
  rig.set_status(0);
  EXPECT_EQ(rig.status(), 0u);
  round_trip({1});
  EXPECT_EQ(rig.used_index(0), 0u) << "the queue is off after a reset";
}

TEST_F(VirtioPciTest, uses_indirect_tables_if_negotiated) {
  ASSERT_TRUE(rig.start(kVersion1Bit | kIndirectBit));
  const Descriptor table[] = {{kBuffers, 2, kNext, 1}, {kBuffers + 0x1000, 8, kWrite, 0}};
  rig.put(kBuffers, std::array<std::uint8_t, 2>{7, 8});
  rig.memory->write(core::Gpa(kBuffers + 0x2000), table[0]);
  rig.memory->write(core::Gpa(kBuffers + 0x2010), table[1]);
  rig.write_descriptor(0, 5, {kBuffers + 0x2000, 32, kIndirect, 0});
  rig.make_available(0, 5);
  rig.kick(0);
  EXPECT_EQ(rig.bytes(kBuffers + 0x1000, 2), (std::vector<std::uint8_t>{7, 8}));
  EXPECT_EQ(std::uint32_t{rig.used(0, 0).id}, 5u);
}

TEST_F(VirtioPciTest, event_index_limits_interrupts) {
  ASSERT_TRUE(rig.start(kVersion1Bit | kEventBit));
  const auto used_event = core::Gpa(VirtioRig::places(0).available + 4 + 2 * 64);
  rig.memory->write(used_event, core::le16(1));  // not for the first one
  round_trip({1});
  EXPECT_EQ(rig.isr(), 0u);
  round_trip({1});
  EXPECT_EQ(rig.isr(), kIsrQueue);
  const auto avail_event = rig.memory->read<core::le16>(core::Gpa(VirtioRig::places(0).used + 4 + 8 * 64));
  EXPECT_EQ(avail_event.value_or(0), 2u) << "it wants to be told of the third";
}

TEST_F(VirtioPciTest, no_interrupt_flag_is_heard) {
  ASSERT_TRUE(rig.start(kVersion1Bit));
  rig.memory->write(core::Gpa(VirtioRig::places(0).available), core::le16(kNoInterrupt));
  round_trip({1});
  EXPECT_EQ(rig.isr(), 0u);
}

// --- MSI-X -----------------------------------------------------------------------------------------------------------

class VirtioMsixTest : public VirtioPciTest {
 protected:
  VirtioMsixTest() {
    rig.config_write(rig.capability(0x11) + 2, 2, 0x8000);
    for (unsigned vector = 0; vector < 3; ++vector) {
      rig.mmio.write(VirtioRig::kMsix + 16 * vector, 8, 0xfee0'0000);
      rig.mmio.write(VirtioRig::kMsix + 16 * vector + 8, 4, 0x40 + vector);
      mask(vector, false);
    }
    EXPECT_TRUE(rig.start(kVersion1Bit));
    rig.set_common(16, 2, 0);
    rig.set_common(22, 2, 0);
    rig.set_common(26, 2, 1);
  }
  void mask(unsigned vector, bool on) { rig.mmio.write(VirtioRig::kMsix + 16 * vector + 12, 4, on ? 1 : 0); }
};

TEST_F(VirtioMsixTest, queue_interrupts_by_its_vector) {
  round_trip({1});
  ASSERT_EQ(rig.msi.messages.size(), 1u);
  EXPECT_EQ(rig.msi.messages[0], (core::MsiMessage{0xfee0'0000, 0x41}));
  EXPECT_FALSE(rig.pirq.level(0));
}

TEST_F(VirtioMsixTest, messages_go_by_routes_while_the_machine_runs) {
  rig.msi.has_routes = true;
  const auto set_running = [this](bool running) {
    const std::scoped_lock guard(rig.function->lock());
    rig.function->set_running(running);
  };
  const core::MsiMessage first{0xfee0'0000, 0x41};
  const core::MsiMessage second{0xfee0'0000, 0x51};
  set_running(true);
  round_trip({1});
  round_trip({1});
  EXPECT_EQ(rig.msi.routed, (std::vector{first, first}));
  EXPECT_EQ(rig.msi.open_routes, 1U);

  rig.mmio.write(VirtioRig::kMsix + 16 + 8, 4, second.data);
  round_trip({1});
  EXPECT_EQ(rig.msi.routed.back(), second);
  EXPECT_EQ(rig.msi.open_routes, 1U);

  set_running(false);
  EXPECT_EQ(rig.msi.open_routes, 0U);
  EXPECT_TRUE(rig.msi.messages.empty());
  round_trip({1});
  EXPECT_EQ(rig.msi.messages, (std::vector{second})) << "a machine that stands still takes it at once";
}

TEST_F(VirtioMsixTest, configuration_change_has_a_vector_of_its_own) {
  const auto before = rig.common(21, 1);
  {
    const std::scoped_lock guard(rig.function->lock());
    echo().change();
  }
  EXPECT_NE(rig.common(21, 1), before);
  ASSERT_EQ(rig.msi.messages.size(), 1u);
  EXPECT_EQ(rig.msi.messages[0].data, 0x40u);
}

TEST_F(VirtioMsixTest, masked_vector_is_pending_until_unmasked) {
  mask(1, true);
  round_trip({1});
  round_trip({1});
  EXPECT_TRUE(rig.msi.messages.empty());
  EXPECT_EQ(rig.mmio.read(VirtioRig::kMsix + 0x800, 8), 2u);
  mask(1, false);
  EXPECT_EQ(rig.msi.messages.size(), 1u);
  EXPECT_EQ(rig.mmio.read(VirtioRig::kMsix + 0x800, 8), 0u);
}

TEST_F(VirtioMsixTest, function_mask_holds_all_back) {
  const auto control = rig.capability(0x11) + 2;
  rig.config_write(control, 2, 0xc000);
  round_trip({1});
  EXPECT_TRUE(rig.msi.messages.empty());
  rig.config_write(control, 2, 0x8000);
  EXPECT_EQ(rig.msi.messages.size(), 1u);
}

TEST_F(VirtioMsixTest, vector_beyond_the_table_reads_back_as_none) {
  rig.set_common(16, 2, 3);
  EXPECT_EQ(rig.common(16, 2), kNoVector);
  rig.set_common(26, 2, kNoVector);
  round_trip({1});
  EXPECT_TRUE(rig.msi.messages.empty());
}

TEST_F(VirtioMsixTest, odd_accesses_do_nothing) {
  rig.mmio.write(VirtioRig::kMsix + 18, 2, 0xffff);
  rig.mmio.write(VirtioRig::kMsix + 16 * 100, 8, 0xffff);
  EXPECT_EQ(rig.mmio.read(VirtioRig::kMsix + 16, 8), 0xfee0'0000u);
  EXPECT_EQ(rig.mmio.read(VirtioRig::kMsix + 16 * 100, 8), 0u);
}

// --- the legacy registers --------------------------------------------------------------------------------------------

class VirtioLegacyTest : public VirtioPciTest {
 protected:
  std::uint32_t in(std::uint64_t offset, unsigned width) {
    return static_cast<std::uint32_t>(rig.io.read(VirtioRig::kLegacy + offset, width));
  }
  void out(std::uint64_t offset, unsigned width, std::uint32_t value) {
    rig.io.write(VirtioRig::kLegacy + offset, width, value);
  }
};

TEST_F(VirtioLegacyTest, moves_data) {
  out(kLegacyStatus, 1, 3);
  EXPECT_EQ(in(kLegacyHostFeatures, 4) & 1, 1u);
  out(kLegacyGuestFeatures, 4, 1);
  out(kLegacyQueueSelect, 2, 0);
  EXPECT_EQ(in(kLegacyQueueSize, 2), 64u);
  const std::uint64_t page = VirtioRig::kRam / 2 / 4096 + 256;
  out(kLegacyQueueAddress, 4, static_cast<std::uint32_t>(page));
  EXPECT_EQ(in(kLegacyQueueAddress, 4), page);
  const auto base = page * 4096;
  rig.memory->write(core::Gpa(base), Descriptor{kBuffers, 2, kNext, 1});
  rig.memory->write(core::Gpa(base + 16), Descriptor{kBuffers + 0x1000, 2, kWrite, 0});
  rig.put(kBuffers, std::array<std::uint8_t, 2>{5, 6});
  rig.memory->write(core::Gpa(base + 64 * 16 + 2), core::le16(1));
  out(kLegacyQueueNotify, 2, 0);  // before DRIVER_OK, as old drivers may
  EXPECT_EQ(rig.bytes(kBuffers + 0x1000, 2), (std::vector<std::uint8_t>{5, 6}));
  EXPECT_EQ(rig.memory->read<core::le16>(core::Gpa(base + 4096 + 2)).value_or(0), 1u);
  EXPECT_EQ(in(kLegacyIsr, 1), kIsrQueue);
  out(kLegacyQueueAddress, 4, 0);
  EXPECT_EQ(in(kLegacyStatus, 1), 0u) << "page 0 ends it";
}

TEST_F(VirtioLegacyTest, configuration_moves_with_msix) {
  EXPECT_EQ(in(20, 4), 0x0403'0201u);
  rig.config_write(rig.capability(0x11) + 2, 2, 0x8000);
  EXPECT_EQ(in(kLegacyConfigVector, 2), kNoVector);
  EXPECT_EQ(in(24, 4), 0x0403'0201u);
  out(24, 1, 9);
  EXPECT_EQ(in(24, 1), 9u);
}

TEST_F(VirtioPciTest, window_in_config_space_reaches_the_modern_bar) {
  const auto at = rig.capability(kVendorCapability, 4);
  ASSERT_EQ(rig.config_read(at + kCapType, 1), kPciCfg);
  rig.config_write(at + kCapBar, 1, kModernBar);
  rig.config_write(at + kCapOffset, 4, kDeviceRegion + 4);
  rig.config_write(at + kCapSize, 4, 4);
  EXPECT_EQ(rig.config_read(at + kCapExtra, 4), 0x0807'0605u);
  rig.config_write(at + kCapExtra, 4, 0x0101'0101);
  EXPECT_EQ(rig.mmio.read(VirtioRig::kModern + kDeviceRegion + 4, 4), 0x0101'0101u);
  rig.config_write(at + kCapOffset, 4, 0xffff'fffc);
  rig.config_read(at + kCapExtra, 4);
  rig.config_write(at + kCapSize, 4, 3);
  rig.config_write(at + kCapExtra, 4, 1);
}

// --- drivers that break the rules ------------------------------------------------------------------------------------

class BrokenDriverTest : public VirtioPciTest {
 protected:
  BrokenDriverTest() { EXPECT_TRUE(rig.start(kVersion1Bit | kIndirectBit)); }
  void expect_broken() {
    rig.kick(0);
    EXPECT_TRUE(needs_reset());
    EXPECT_EQ(rig.isr() & kIsrConfig, kIsrConfig) << "the driver is told";
    const auto used = rig.used_index(0);
    round_trip({1});
    EXPECT_EQ(rig.used_index(0), used) << "and nothing more is done";
    ASSERT_TRUE(rig.start(kVersion1Bit));
    EXPECT_FALSE(needs_reset());
  }
  void add_one(const Descriptor& descriptor) {
    rig.write_descriptor(0, 0, descriptor);
    rig.make_available(0, 0);
  }
};

TEST_F(BrokenDriverTest, chain_that_loops) {
  add_one({kBuffers, 16, kNext, 0});
  expect_broken();
}
TEST_F(BrokenDriverTest, next_beyond_the_table) {
  add_one({kBuffers, 16, kNext, 64});
  expect_broken();
}
TEST_F(BrokenDriverTest, head_beyond_the_table) {
  rig.make_available(0, 0xffff);
  expect_broken();
}
TEST_F(BrokenDriverTest, address_outside_ram) {
  add_one({VirtioRig::kRam - 8, 16, 0, 0});
  expect_broken();
}
TEST_F(BrokenDriverTest, address_that_wraps) {
  add_one({~std::uint64_t{7}, 16, 0, 0});
  expect_broken();
}
TEST_F(BrokenDriverTest, huge_length) {
  add_one({kBuffers, 0xffff'ffff, kWrite, 0});
  expect_broken();
}
TEST_F(BrokenDriverTest, empty_buffer) {
  add_one({kBuffers, 0, 0, 0});
  expect_broken();
}
TEST_F(BrokenDriverTest, readable_after_writable) {
  rig.write_descriptor(0, 1, {kBuffers, 16, 0, 0});
  add_one({kBuffers, 16, kWrite | kNext, 1});
  expect_broken();
}
TEST_F(BrokenDriverTest, more_available_than_there_are) {
  rig.memory->write(core::Gpa(VirtioRig::places(0).available + 2), core::le16(65));
  expect_broken();
}
TEST_F(BrokenDriverTest, indirect_in_indirect) {
  rig.memory->write(core::Gpa(kBuffers), Descriptor{kBuffers, 16, kIndirect, 0});
  add_one({kBuffers, 16, kIndirect, 0});
  expect_broken();
}
TEST_F(BrokenDriverTest, indirect_table_of_odd_length) {
  add_one({kBuffers, 17, kIndirect, 0});
  expect_broken();
}
TEST_F(BrokenDriverTest, indirect_table_outside_ram) {
  add_one({VirtioRig::kRam, 16, kIndirect, 0});
  expect_broken();
}

TEST_F(VirtioPciTest, indirect_without_the_feature_is_broken) {
  ASSERT_TRUE(rig.start(kVersion1Bit));
  rig.memory->write(core::Gpa(kBuffers), Descriptor{kBuffers, 16, 0, 0});
  rig.write_descriptor(0, 0, {kBuffers, 16, kIndirect, 0});
  rig.make_available(0, 0);
  rig.kick(0);
  EXPECT_TRUE(needs_reset());
}

TEST_F(VirtioPciTest, ring_outside_ram_is_broken) {
  rig.set_status(3);
  rig.accept(kVersion1Bit);
  rig.set_status(11);
  rig.set_common(22, 2, 0);
  rig.set_common(32, 4, VirtioRig::kRam - 16);
  rig.set_common(28, 2, 1);
  EXPECT_TRUE(needs_reset());
}

TEST_F(VirtioPciTest, odd_ring_size_is_broken) {
  rig.set_status(3);
  rig.accept(kVersion1Bit);
  rig.set_status(11);
  rig.set_common(22, 2, 0);
  rig.set_common(24, 2, 63);
  rig.set_up_queue(0);
  EXPECT_TRUE(needs_reset());
}

TEST_F(VirtioPciTest, queues_that_do_not_exist_are_nothing) {
  ASSERT_TRUE(rig.start(kVersion1Bit));
  rig.set_common(22, 2, 7);
  EXPECT_EQ(rig.common(24, 2), 0u);
  EXPECT_EQ(rig.common(26, 2), kNoVector);
  rig.set_common(28, 2, 1);
  rig.set_common(32, 4, 1);
  rig.kick(500);
  EXPECT_FALSE(needs_reset());
}

// --- saved state -----------------------------------------------------------------------------------------------------

struct LawRig : VirtioRig {
  LawRig() : VirtioRig(std::make_unique<Echo>()), device(*function) { tests::reset_rig(*this); }
  void scribble() {
    place_bars();
    config_write(capability(0x11) + 2, 2, 0x8000);
    mmio.write(kMsix + 12, 4, 0);
    start(kVersion1Bit | kEventBit);
    add(0, {{kBuffers, 4}, {kBuffers + 0x1000, 4, true}});
    kick(0);
    set_common(22, 2, 1);
    set_common(26, 2, 2);
  }
  VirtioPci& device;
};

TEST(VirtioPci, obeys_the_state_law) {
  tests::check_state_law<LawRig>();
}

}  // namespace
