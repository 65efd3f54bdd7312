// Packet commands of a SATA CD-ROM drive. What they answer is tested in atapi_cdrom_test.cpp; here is how it arrives.
#include <gtest/gtest.h>

#include "tests/device/block/ahci_rig.h"

namespace {

using tests::AhciRig;
namespace ide = tests::ide;
namespace hba = tests::hba;

constexpr unsigned kCdrom = AhciRig::kCdrom;
constexpr std::uint32_t kData = AhciRig::kData;
constexpr std::uint32_t kReady = ide::DRDY | ide::DSC;

struct AhciCdrom : testing::Test {
  AhciCdrom() { rig.enable_all(); }
  std::uint32_t get(std::uint32_t offset) { return rig.get(kCdrom, offset); }
  std::vector<std::uint8_t> disc_bytes(std::uint64_t sector, std::size_t sectors) const {
    const auto at = rig.disc->data.begin() + static_cast<std::ptrdiff_t>(sector * 2048);
    return {at, at + static_cast<std::ptrdiff_t>(sectors * 2048)};
  }
  AhciRig rig;
};

TEST_F(AhciCdrom, identify_packet_device_comes_by_pio) {
  rig.execute(kCdrom, {.code = ide::IDENTIFY_PACKET_DEVICE}, {{kData, 512}});
  EXPECT_EQ(rig.guest<core::le16>(kData), 0x85c0U);
  EXPECT_EQ(get(hba::PxCI), 0U);
  EXPECT_EQ(get(hba::PxIS), hba::PSS);
}

TEST_F(AhciCdrom, identify_device_is_refused_with_the_signature) {
  rig.execute(kCdrom, {.code = ide::IDENTIFY_DEVICE}, {{kData, 512}});
  EXPECT_EQ(get(hba::PxIS), hba::TFES | hba::DHRS);
  EXPECT_EQ(rig.received(kCdrom).lba[1], 0x14);
  EXPECT_EQ(rig.received(kCdrom).lba[2], 0xeb);
}

TEST_F(AhciCdrom, reply_shorter_than_the_table_by_dma) {
  rig.packet({ide::INQUIRY, 0, 0, 0, 96}, {{kData, 96}});
  EXPECT_EQ(rig.guest_bytes(kData, 2), (std::vector<std::uint8_t>{0x05, 0x80}));
  EXPECT_EQ(rig.transferred(kCdrom), 36U);
  EXPECT_EQ(get(hba::PxCI), 0U);
  EXPECT_EQ(get(hba::PxIS), hba::DHRS);
  EXPECT_EQ(rig.received(kCdrom).count, ide::CoD | ide::IO);
}

TEST_F(AhciCdrom, reply_by_pio) {
  rig.packet({ide::INQUIRY, 0, 0, 0, 36}, {{kData, 36}}, false);
  EXPECT_EQ(rig.guest_bytes(kData, 2), (std::vector<std::uint8_t>{0x05, 0x80}));
  EXPECT_EQ(get(hba::PxIS), hba::DHRS | hba::PSS);
  EXPECT_EQ(get(hba::PxCI), 0U);
}

TEST_F(AhciCdrom, sectors_by_dma_and_pio) {
  rig.packet({ide::READ_10, 0, 0, 0, 0, 17, 0, 0, 40}, {{kData, 40 * 2048}});
  EXPECT_EQ(rig.guest_bytes(kData, 40 * 2048), disc_bytes(17, 40));
  EXPECT_EQ(get(hba::PxTFD), kReady);
  rig.memory->write(core::Gpa(kData), std::vector<std::uint8_t>(40 * 2048));
  rig.packet({ide::READ_10, 0, 0, 0, 0, 17, 0, 0, 40}, {{kData, 40 * 2048}}, false);
  EXPECT_EQ(rig.guest_bytes(kData, 40 * 2048), disc_bytes(17, 40));
  EXPECT_EQ(get(hba::PxCI), 0U);
}

TEST_F(AhciCdrom, raw_sectors_by_dma) {
  rig.packet({ide::READ_CD, 0, 0, 0, 0, 3, 0, 0, 30, 0xf8}, {{kData, 30 * 2352}});
  const auto found = rig.guest_bytes(kData + 29 * 2352 + 16, 2048);
  EXPECT_EQ(found, disc_bytes(32, 1));
  EXPECT_EQ(get(hba::PxCI), 0U);
}

TEST_F(AhciCdrom, check_condition_is_a_task_file_error) {
  rig.packet({ide::READ_10, 0, 0, 0, 1, 0x2c, 0, 0, 1}, {{kData, 2048}});  // sector 300
  EXPECT_EQ(get(hba::PxIS), hba::TFES | hba::DHRS);
  EXPECT_EQ(get(hba::PxTFD), (ide::ILLEGAL_REQUEST << 12U) | (ide::ABRT << 8U) | kReady | ide::ERR);
  EXPECT_EQ(get(hba::PxCI), 1U);
  EXPECT_EQ(rig.sense(), (std::pair<unsigned, unsigned>{ide::ILLEGAL_REQUEST, ide::kAddressOutOfRange}));
}

TEST_F(AhciCdrom, disc_change_raises_unit_attention) {
  core::Result<std::unique_ptr<core::BlockBackend>> old;
  {
    const std::scoped_lock guard(rig.device.lock());
    old = rig.device.eject(kCdrom, false);
  }
  ASSERT_TRUE(old);
  old->reset();
  rig.packet({ide::TEST_UNIT_READY});
  EXPECT_EQ(rig.sense(), (std::pair<unsigned, unsigned>{ide::NOT_READY, ide::kMediumNotPresentTrayOpen}));
  {
    const std::scoped_lock guard(rig.device.lock());
    ASSERT_TRUE(rig.device.insert(kCdrom, std::make_unique<tests::FakeDisk>(rig.disc)));
    EXPECT_FALSE(rig.device.insert(AhciRig::kDisk, nullptr));
    EXPECT_FALSE(rig.device.eject(AhciRig::kEmpty, true));
  }
  rig.packet({ide::TEST_UNIT_READY});
  EXPECT_EQ(rig.sense(), (std::pair<unsigned, unsigned>{ide::UNIT_ATTENTION, ide::kMediumMayHaveChanged}));
  rig.packet({ide::TEST_UNIT_READY});
  EXPECT_EQ(get(hba::PxTFD), kReady);
}

TEST_F(AhciCdrom, bad_descriptors_fault_and_too_few_overflow) {
  rig.packet({ide::READ_10, 0, 0, 0, 0, 0, 0, 0, 2}, {{kData, 2048}, {0x8000'0000, 2048}});
  EXPECT_EQ(get(hba::PxIS) & (hba::HBFS | hba::OFS), hba::HBFS);
  rig.restart(kCdrom);
  rig.packet({ide::READ_10, 0, 0, 0, 0, 0, 0, 0, 2}, {{kData, 2048}});
  EXPECT_EQ(get(hba::PxIS) & (hba::HBFS | hba::OFS), hba::OFS);
  rig.restart(kCdrom);
  rig.packet({ide::READ_10, 0, 0, 0, 0, 0, 0, 0, 40}, {{kData, 2048}}, false);
  EXPECT_EQ(get(hba::PxIS) & (hba::HBFS | hba::OFS), hba::OFS);
  rig.restart(kCdrom);
  rig.packet({ide::READ_10, 0, 0, 0, 0, 0, 0, 0, 1}, {{kData, 2048}});
  EXPECT_EQ(get(hba::PxCI), 0U);
}

TEST_F(AhciCdrom, device_reset_and_queued_commands) {
  rig.execute(kCdrom, {.code = ide::DEVICE_RESET});
  EXPECT_EQ(get(hba::PxIS), hba::DHRS);
  EXPECT_EQ(rig.received(kCdrom).lba[1], 0x14);
  rig.execute(kCdrom, {.code = ide::READ_FPDMA_QUEUED, .features = 1}, {{kData, 512}});
  EXPECT_NE(get(hba::PxIS) & hba::TFES, 0U);
}

}  // namespace
