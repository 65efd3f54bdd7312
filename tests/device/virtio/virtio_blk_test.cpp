#include "devices/virtio/virtio_blk.h"

#include <bit>
#include <gtest/gtest.h>

#include "devices/virtio/virtio_blk_abi.h"
#include "tests/device/block/fake_disk.h"
#include "tests/device/virtio/virtio_rig.h"
#include "tests/state/state_law.h"

namespace {

using tests::Buffer;
using tests::FakeDisk;
using tests::FakeDiskState;
using tests::VirtioRig;
using namespace devices::virtio;
using namespace devices::virtio::abi;

constexpr std::uint64_t kVersion1Bit = std::uint64_t{1} << kVersion1;
constexpr std::uint64_t kFlushBit = std::uint64_t{1} << kBlkFlush;
constexpr std::uint64_t kWceBit = std::uint64_t{1} << kBlkConfigWce;
constexpr std::size_t kDiskBytes = 64 * 1024;
constexpr auto kHeader = VirtioRig::kBuffers;
constexpr auto kData = VirtioRig::kBuffers + 0x1000;
constexpr auto kStatus = VirtioRig::kBuffers + 0x8000;

struct BlkRig {
  explicit BlkRig(unsigned queues = 1)
      : rig(std::make_unique<VirtioBlk>(VirtioBlk::Config{std::make_unique<FakeDisk>(state), "serial-number", queues},
                                        clock)) {}

  void request(std::uint32_t type, std::uint64_t sector, const std::vector<Buffer>& data, unsigned queue = 0) {
    rig.memory->write(core::Gpa(kHeader), BlockHeader{type, 0, sector});
    rig.put(kStatus, std::array<std::uint8_t, 1>{0xff});
    std::vector<Buffer> chain{{kHeader, 16}};
    chain.insert(chain.end(), data.begin(), data.end());
    chain.push_back({kStatus, 1, true});
    rig.add(queue, chain);
    rig.kick(queue);
  }
  // The status byte after the disk has done its part; 0xff: there is none yet.
  unsigned result() {
    state->perform_all();
    return rig.bytes(kStatus, 1)[0];
  }
  unsigned range_request(std::uint32_t type, std::uint64_t sector, std::uint32_t sectors, std::uint32_t flags = 0) {
    rig.memory->write(core::Gpa(kData), BlockRange{sector, sectors, flags});
    request(type, 0, {{kData, 16}});
    return result();
  }

  tests::FakeClock clock;
  std::shared_ptr<FakeDiskState> state = std::make_shared<FakeDiskState>(kDiskBytes);
  VirtioRig rig;
};

class VirtioBlkTest : public testing::Test, protected BlkRig {
 protected:
  VirtioBlkTest() { EXPECT_TRUE(rig.start(kVersion1Bit | kFlushBit | kWceBit)); }
  BlockConfig config() {
    std::array<std::uint8_t, sizeof(BlockConfig)> bytes{};
    for (std::size_t i = 0; i < bytes.size(); ++i)
      bytes[i] = static_cast<std::uint8_t>(rig.mmio.read(VirtioRig::kModern + kDeviceRegion + i, 1));
    return std::bit_cast<BlockConfig>(bytes);
  }
  bool needs_reset() { return (rig.status() & kNeedsReset) != 0; }
};

TEST_F(VirtioBlkTest, describes_the_disk) {
  const auto described = config();
  EXPECT_EQ(std::uint64_t{described.capacity}, kDiskBytes / 512);
  EXPECT_EQ(std::uint32_t{described.block_size}, 512u);
  EXPECT_EQ(described.writeback, 1u);
  EXPECT_EQ(rig.config_read(0, 4), 0x1001'1af4u);
}

TEST_F(VirtioBlkTest, reads_into_several_buffers) {
  request(kBlkIn, 3, {{kData, 512, true}, {kData + 0x1000, 1024, true}});
  EXPECT_EQ(rig.used_index(0), 0u) << "the disk has not done it";
  EXPECT_EQ(result(), kBlkOk);
  const auto first = std::span(state->data).subspan(3 * 512, 512);
  EXPECT_TRUE(std::ranges::equal(rig.bytes(kData, 512), first));
  const auto second = std::span(state->data).subspan(4 * 512, 1024);
  EXPECT_TRUE(std::ranges::equal(rig.bytes(kData + 0x1000, 1024), second));
  EXPECT_EQ(std::uint32_t{rig.used(0, 0).length}, 1537u);
}

TEST_F(VirtioBlkTest, writes) {
  const std::vector<std::uint8_t> bytes(1024, 0x5a);
  rig.put(kData, bytes);
  request(kBlkOut, 5, {{kData, 1024}});
  EXPECT_EQ(result(), kBlkOk);
  EXPECT_TRUE(std::ranges::equal(std::span(state->data).subspan(5 * 512, 1024), bytes));
  EXPECT_EQ(state->flushes, 0u) << "the cache is on";
}

TEST_F(VirtioBlkTest, writes_that_follow_each_other_reach_the_disk_as_one) {
  constexpr std::uint64_t kSectors[] = {5, 6, 9, 10};
  for (std::uint64_t i = 0; i < 4; ++i) {
    const auto header = kHeader + 64 * i;
    rig.memory->write(core::Gpa(header), BlockHeader{kBlkOut, 0, kSectors[i]});
    rig.put(kData + 512 * i, std::vector<std::uint8_t>(512, static_cast<std::uint8_t>(i + 1)));
    rig.add(0, {{header, 16}, {kData + 512 * i, 512}, {kStatus + i, 1, true}}, static_cast<std::uint16_t>(3 * i));
  }
  rig.kick(0);
  state->perform_all();
  EXPECT_EQ(state->writes, 2u);
  EXPECT_EQ(rig.used_index(0), 4u);
  EXPECT_EQ(rig.bytes(kStatus, 4), std::vector<std::uint8_t>(4, kBlkOk));
  for (std::uint64_t i = 0; i < 4; ++i)
    EXPECT_EQ(state->data[kSectors[i] * 512], i + 1);
}

TEST_F(VirtioBlkTest, flush_reaches_the_disk) {
  request(kBlkFlushRequest, 0, {});
  EXPECT_EQ(result(), kBlkOk);
  EXPECT_EQ(state->flushes, 1u);
}

TEST_F(VirtioBlkTest, every_write_is_flushed_while_the_cache_is_off) {
  rig.mmio.write(VirtioRig::kModern + kDeviceRegion + kWritebackOffset, 1, 0);
  EXPECT_EQ(config().writeback, 0u);
  request(kBlkOut, 0, {{kData, 512}});
  EXPECT_EQ(result(), kBlkOk);
  EXPECT_EQ(state->flushes, 1u);
}

TEST_F(VirtioBlkTest, driver_without_flush_finds_no_cache) {
  ASSERT_TRUE(rig.start(kVersion1Bit));
  VirtioRig& again = rig;
  again.memory->write(core::Gpa(VirtioRig::places(0).available + 2), core::le16(0));
  BlkRig fresh;
  ASSERT_TRUE(fresh.rig.start(kVersion1Bit));
  fresh.request(kBlkOut, 0, {{kData, 512}});
  EXPECT_EQ(fresh.result(), kBlkOk);
  EXPECT_EQ(fresh.state->flushes, 1u);
}

TEST_F(VirtioBlkTest, tells_its_serial_number) {
  request(kBlkGetId, 0, {{kData, 20, true}});
  EXPECT_EQ(result(), kBlkOk);
  const auto id = rig.bytes(kData, 13);
  EXPECT_EQ(std::string(id.begin(), id.end()), "serial-number");
}

TEST_F(VirtioBlkTest, zeroes_and_discards) {
  EXPECT_EQ(range_request(kBlkWriteZeroesRequest, 2, 3, kBlkUnmap), kBlkOk);
  EXPECT_TRUE(std::ranges::all_of(std::span(state->data).subspan(1024, 1536), [](auto byte) { return byte == 0; }));
}

TEST_F(VirtioBlkTest, discard_is_a_hint) {
  EXPECT_EQ(range_request(kBlkDiscardRequest, 2, 3), kBlkOk);
  EXPECT_EQ(state->zeroes, 1u);
}

TEST_F(VirtioBlkTest, discard_knows_no_flags) {
  EXPECT_EQ(range_request(kBlkDiscardRequest, 0, 1, 1), kBlkUnsupported);
}
TEST_F(VirtioBlkTest, range_beyond_the_end_is_an_error) {
  EXPECT_EQ(range_request(kBlkWriteZeroesRequest, kDiskBytes / 512 - 1, 2), kBlkIoError);
}
TEST_F(VirtioBlkTest, range_that_wraps_is_an_error) {
  EXPECT_EQ(range_request(kBlkWriteZeroesRequest, ~std::uint64_t{0}, 2), kBlkIoError);
}
TEST_F(VirtioBlkTest, sector_beyond_the_end_is_an_error) {
  request(kBlkIn, kDiskBytes / 512, {{kData, 512, true}});
  EXPECT_EQ(result(), kBlkIoError);
}
TEST_F(VirtioBlkTest, sector_that_wraps_is_an_error) {
  request(kBlkIn, std::uint64_t{1} << 55, {{kData, 512, true}});
  EXPECT_EQ(result(), kBlkIoError);
}
TEST_F(VirtioBlkTest, part_of_a_sector_is_an_error) {
  request(kBlkIn, 0, {{kData, 511, true}});
  EXPECT_EQ(result(), kBlkIoError);
}
TEST_F(VirtioBlkTest, unknown_request_is_unsupported) {
  request(77, 0, {{kData, 512, true}});
  EXPECT_EQ(result(), kBlkUnsupported);
}
TEST_F(VirtioBlkTest, failing_disk_is_an_error) {
  state->failing = true;
  request(kBlkIn, 0, {{kData, 512, true}});
  EXPECT_EQ(result(), kBlkIoError);
}

TEST_F(VirtioBlkTest, read_only_disk_refuses_writes) {
  BlkRig fixed;
  fixed.state->read_only = true;
  EXPECT_NE(fixed.rig.offered() & (std::uint64_t{1} << kBlkReadOnly), 0u);
  ASSERT_TRUE(fixed.rig.start(kVersion1Bit | kFlushBit));
  fixed.request(kBlkOut, 0, {{kData, 512}});
  EXPECT_EQ(fixed.result(), kBlkIoError);
}

TEST_F(VirtioBlkTest, request_without_a_header_needs_a_reset) {
  rig.add(0, {{kHeader, 15}, {kStatus, 1, true}});
  rig.kick(0);
  EXPECT_TRUE(needs_reset());
}

TEST_F(VirtioBlkTest, request_without_a_status_needs_a_reset) {
  rig.add(0, {{kHeader, 16}});
  rig.kick(0);
  EXPECT_TRUE(needs_reset());
}

TEST_F(VirtioBlkTest, reset_abandons_what_is_under_way) {
  request(kBlkIn, 0, {{kData, 512, true}});
  rig.set_status(0);
  EXPECT_EQ(result(), 0xffu) << "no status";
  EXPECT_EQ(rig.used_index(0), 0u);
  EXPECT_EQ(rig.isr(), 0u) << "no interrupt";
}

TEST(VirtioBlk, serves_several_queues) {
  BlkRig many(3);
  ASSERT_TRUE(many.rig.start(kVersion1Bit | kFlushBit | std::uint64_t{1} << kBlkMultiQueue));
  many.request(kBlkIn, 1, {{kData, 512, true}}, 2);
  EXPECT_EQ(many.result(), kBlkOk);
  EXPECT_EQ(many.rig.used_index(2), 1u);
  EXPECT_EQ(many.rig.used_index(0), 0u);
}

struct LawRig : BlkRig {
  LawRig() : device(*rig.function) { tests::reset_rig(*this); }
  void scribble() {
    rig.place_bars();
    rig.start(kVersion1Bit | kFlushBit | kWceBit);
    rig.mmio.write(VirtioRig::kModern + kDeviceRegion + kWritebackOffset, 1, 0);
    request(kBlkIn, 0, {{kData, 512, true}});
    state->perform_all();
  }
  VirtioPci& device;
};

TEST(VirtioBlk, obeys_the_state_law) {
  tests::check_state_law<LawRig>();
}

}  // namespace
