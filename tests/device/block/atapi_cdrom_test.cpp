#include <gtest/gtest.h>

#include "tests/device/block/ide_rig.h"

namespace {

using tests::FakeDisk;
using tests::FakeDiskState;
using tests::IdeRig;
using tests::kSecondary;
namespace ide = tests::ide;
using Sense = std::pair<unsigned, unsigned>;
using Packet = std::array<std::uint8_t, 12>;

constexpr std::uint8_t kReady = ide::DRDY | ide::DSC;
constexpr Sense kNoSense{0, 0};

std::vector<std::uint8_t> disc_bytes(const IdeRig& rig, std::uint64_t sector, std::size_t bytes) {
  const auto begin = rig.disc->data.begin() + static_cast<std::ptrdiff_t>(sector * 2048);
  return {begin, begin + static_cast<std::ptrdiff_t>(bytes)};
}

Packet read_10(std::uint32_t lba, unsigned sectors) {
  return {ide::READ_10,
          0,
          static_cast<std::uint8_t>(lba >> 24),
          static_cast<std::uint8_t>(lba >> 16),
          static_cast<std::uint8_t>(lba >> 8),
          static_cast<std::uint8_t>(lba),
          0,
          static_cast<std::uint8_t>(sectors >> 8),
          static_cast<std::uint8_t>(sectors)};
}

bool failed(IdeRig& rig) {
  return (rig.status(kSecondary) & ide::ERR) != 0;
}

core::Result<std::unique_ptr<core::BlockBackend>> eject(IdeRig& rig, bool force) {
  const std::scoped_lock guard(rig.device.lock());
  return rig.device.eject(2, force);
}

bool insert(IdeRig& rig, std::size_t bytes) {
  auto state = std::make_shared<FakeDiskState>(bytes);
  state->read_only = true;
  rig.disc = state;
  const std::scoped_lock guard(rig.device.lock());
  return rig.device.insert(2, std::make_unique<FakeDisk>(state)).has_value();
}

TEST(Atapi, identify_device_is_refused_with_the_signature) {
  IdeRig rig;
  rig.command(ide::IDENTIFY_DEVICE, kSecondary);
  EXPECT_EQ(rig.status(kSecondary) & ide::ERR, ide::ERR);
  EXPECT_EQ(rig.reg(ide::ERROR, kSecondary), ide::ABRT);
  EXPECT_EQ(rig.reg(ide::LBA_MID, kSecondary), 0x14);
  EXPECT_EQ(rig.reg(ide::LBA_HIGH, kSecondary), 0xeb);
}

TEST(Atapi, identify_packet_device_tells_a_cdrom) {
  IdeRig rig;
  rig.command(ide::IDENTIFY_PACKET_DEVICE, kSecondary);
  EXPECT_TRUE(rig.irq(kSecondary));
  EXPECT_EQ(rig.status(kSecondary) & ide::DRQ, ide::DRQ);
  const auto data = rig.read_data(512, kSecondary);
  EXPECT_EQ(core::load_le<std::uint16_t>(data.data()), 0x85c0);
  EXPECT_FALSE(rig.irq(kSecondary));  // the data was all there is
  EXPECT_EQ(rig.status(kSecondary), kReady);
}

TEST(Atapi, packet_is_asked_for_without_interrupt) {
  IdeRig rig;
  rig.command(ide::PACKET, kSecondary);
  EXPECT_FALSE(rig.irq(kSecondary));
  EXPECT_EQ(rig.status(kSecondary), kReady | ide::DRQ);
  EXPECT_EQ(rig.reg(ide::SECTOR_COUNT, kSecondary), ide::CoD);
  rig.write_data(Packet{ide::TEST_UNIT_READY}, kSecondary);
  EXPECT_TRUE(rig.irq(kSecondary));
  EXPECT_EQ(rig.status(kSecondary), kReady);
  EXPECT_EQ(rig.reg(ide::SECTOR_COUNT, kSecondary), ide::CoD | ide::IO);
}

TEST(Atapi, inquiry_is_cut_to_the_allocation) {
  IdeRig rig;
  const auto all = rig.packet_reply({ide::INQUIRY, 0, 0, 0, 36});
  ASSERT_EQ(all.size(), 36U);
  EXPECT_EQ(all[0], 5);
  EXPECT_EQ(all[1], 0x80);
  EXPECT_EQ(std::string(all.begin() + 8, all.begin() + 15), "MINIVMM");
  EXPECT_EQ(rig.packet_reply({ide::INQUIRY, 0, 0, 0, 5}).size(), 5U);
}

TEST(Atapi, capacity_counts_2048_byte_blocks) {
  IdeRig rig;
  const std::vector<std::uint8_t> expected{
      0, 0, (IdeRig::kDiscSectors - 1) >> 8, (IdeRig::kDiscSectors - 1) & 0xff, 0, 0, 8, 0};
  EXPECT_EQ(rig.packet_reply({ide::READ_CAPACITY}), expected);
}

TEST(Atapi, pio_read_moves_whole_sectors_within_the_byte_limit) {
  IdeRig rig;
  rig.packet(read_10(3, 2), false, 3000);
  EXPECT_EQ(rig.status(kSecondary), kReady | ide::DRQ);
  EXPECT_EQ(rig.reg(ide::SECTOR_COUNT, kSecondary), ide::IO);
  EXPECT_EQ(rig.reg(ide::LBA_HIGH, kSecondary), 2048 >> 8);
  EXPECT_EQ(rig.read_data(2048, kSecondary), disc_bytes(rig, 3, 2048));
  EXPECT_TRUE(rig.irq(kSecondary));
  EXPECT_EQ(rig.read_data(2048, kSecondary), disc_bytes(rig, 4, 2048));
  EXPECT_EQ(rig.status(kSecondary), kReady);
  EXPECT_EQ(rig.reg(ide::SECTOR_COUNT, kSecondary), ide::CoD | ide::IO);
}

TEST(Atapi, pio_read_of_many_sectors_in_small_and_odd_blocks) {
  IdeRig rig;
  EXPECT_EQ(rig.packet_reply(read_10(10, 100), 513), disc_bytes(rig, 10, 100 * 2048));
  EXPECT_EQ(rig.packet_reply(read_10(10, 100), 0xffff), disc_bytes(rig, 10, 100 * 2048));
  EXPECT_EQ(rig.packet_reply(read_10(0, 1), 1), disc_bytes(rig, 0, 2048));
}

TEST(Atapi, zero_byte_limit_aborts_pio_data) {
  IdeRig rig;
  rig.packet({ide::INQUIRY, 0, 0, 0, 36}, false, 0);
  EXPECT_TRUE(failed(rig));
  EXPECT_EQ(rig.reg(ide::ERROR, kSecondary), ide::ABRT);
  rig.packet({ide::TEST_UNIT_READY}, false, 0);
  EXPECT_FALSE(failed(rig));
}

TEST(Atapi, dma_read_fills_guest_memory) {
  IdeRig rig;
  rig.enable_bus_master();
  rig.put_table({{0x10000, 2048}, {0x20000, 4096}});
  rig.packet({ide::READ_12, 0, 0, 0, 0, 7, 0, 0, 0, 3}, true);
  rig.start_bus_master(true, kSecondary);
  rig.run();
  EXPECT_EQ(rig.bm_status(kSecondary), ide::kDmaInterrupt);
  EXPECT_EQ(rig.status(kSecondary), kReady);
  EXPECT_EQ(rig.guest_bytes(0x10000, 2048), disc_bytes(rig, 7, 2048));
  EXPECT_EQ(rig.guest_bytes(0x20000, 4096), disc_bytes(rig, 8, 4096));
}

TEST(Atapi, dma_moves_replies_too) {
  IdeRig rig;
  rig.enable_bus_master();
  rig.put_table({{0x10000, 36}});
  rig.packet({ide::INQUIRY, 0, 0, 0, 36}, true);
  rig.start_bus_master(true, kSecondary);
  EXPECT_EQ(rig.bm_status(kSecondary), ide::kDmaInterrupt);
  EXPECT_EQ(rig.guest_bytes(0x10000, 2), (std::vector<std::uint8_t>{5, 0x80}));
}

TEST(Atapi, dma_into_a_short_table_fails) {
  IdeRig rig;
  rig.enable_bus_master();
  rig.put_table({{0x10000, 2048}});
  rig.packet(read_10(0, 2), true);
  rig.start_bus_master(true, kSecondary);
  EXPECT_EQ(rig.bm_status(kSecondary), ide::kDmaInterrupt | ide::kDmaError);
  EXPECT_TRUE(failed(rig));
  rig.stop_bus_master(kSecondary);
  EXPECT_EQ(rig.sense(), Sense(ide::ABORTED_COMMAND, ide::kDataPhaseError));
}

TEST(Atapi, raw_read_puts_headers_around_sectors) {
  IdeRig rig;
  const auto raw = rig.packet_reply({ide::READ_CD, 0, 0, 0, 0, 10, 0, 0, 40, 0xf8});
  ASSERT_EQ(raw.size(), 40U * 2352);
  EXPECT_EQ(raw[0], 0);
  EXPECT_EQ(raw[1], 0xff);
  EXPECT_EQ((std::vector<std::uint8_t>{&raw[12], &raw[16]}), (std::vector<std::uint8_t>{0, 2, 0x10, 1}));
  EXPECT_EQ((std::vector<std::uint8_t>{&raw[2352 * 39 + 16], &raw[2352 * 39 + 16 + 2048]}), disc_bytes(rig, 49, 2048));
}

TEST(Atapi, raw_dma_is_the_same_as_raw_pio) {
  IdeRig rig;
  rig.enable_bus_master();
  rig.put_table({{0x100000, 0}, {0x110000, 40 * 2352 - 65536}});
  const Packet packet{ide::READ_CD, 0, 0, 0, 0, 10, 0, 0, 40, 0xf8};
  rig.packet(packet, true);
  rig.start_bus_master(true, kSecondary);
  rig.run();
  EXPECT_EQ(rig.bm_status(kSecondary), ide::kDmaInterrupt);
  EXPECT_EQ(rig.guest_bytes(0x100000, 40 * 2352), rig.packet_reply(packet));
}

TEST(Atapi, read_beyond_the_disc_is_out_of_range) {
  IdeRig rig;
  rig.packet(read_10(IdeRig::kDiscSectors - 1, 2));
  EXPECT_TRUE(failed(rig));
  EXPECT_EQ(rig.reg(ide::ERROR, kSecondary) >> 4, ide::ILLEGAL_REQUEST);
  EXPECT_EQ(rig.sense(), Sense(ide::ILLEGAL_REQUEST, ide::kAddressOutOfRange));
  EXPECT_EQ(rig.sense(), kNoSense);  // told once
}

TEST(Atapi, read_failure_is_a_medium_error) {
  IdeRig rig;
  rig.disc->failing = true;
  rig.packet(read_10(0, 1));
  EXPECT_TRUE(failed(rig));
  EXPECT_EQ(rig.sense(), Sense(ide::MEDIUM_ERROR, ide::kUnrecoveredReadError));
}

TEST(Atapi, unknown_packet_is_invalid) {
  IdeRig rig;
  rig.packet({0xee});
  EXPECT_EQ(rig.sense(), Sense(ide::ILLEGAL_REQUEST, ide::kInvalidCommand));
}

TEST(Atapi, toc_lists_one_data_track) {
  IdeRig rig;
  const std::vector<std::uint8_t> lba{0, 18, 1, 1, 0, 0x14, 1, 0, 0, 0, 0, 0, 0, 0x14, 0xaa, 0, 0, 0, 1, 0x2c};
  EXPECT_EQ(rig.packet_reply({ide::READ_TOC_PMA_ATIP, 0, 0, 0, 0, 0, 0, 0, 200}), lba);
  const std::vector<std::uint8_t> msf{0, 18, 1, 1, 0, 0x14, 1, 0, 0, 0, 2, 0, 0, 0x14, 0xaa, 0, 0, 0, 6, 0};
  EXPECT_EQ(rig.packet_reply({ide::READ_TOC_PMA_ATIP, 2, 0, 0, 0, 0, 0, 0, 200}), msf);
  EXPECT_EQ(rig.packet_reply({ide::READ_TOC_PMA_ATIP, 0, 1, 0, 0, 0, 0, 0, 200}).size(), 12U);
  EXPECT_EQ(rig.packet_reply({ide::READ_TOC_PMA_ATIP, 2, 2, 0, 0, 0, 0, 0, 200}).size(), 4U + 4 * 11);
  rig.packet({ide::READ_TOC_PMA_ATIP, 0, 0, 0, 0, 0, 2, 0, 200});  // track 2
  EXPECT_EQ(rig.sense(), Sense(ide::ILLEGAL_REQUEST, ide::kInvalidFieldInPacket));
}

TEST(Atapi, mode_sense_has_the_capabilities_page) {
  IdeRig rig;
  const auto page = rig.packet_reply({ide::MODE_SENSE_10, 0, ide::kPageCapabilities, 0, 0, 0, 0, 0, 64});
  ASSERT_GE(page.size(), 28U);
  EXPECT_EQ(page[1], page.size() - 2);
  EXPECT_EQ(page[8], 0x2a);
  EXPECT_EQ(page[9], page.size() - 10);
  rig.packet({ide::MODE_SENSE_10, 0, 0xc0 | 0x2a, 0, 0, 0, 0, 0, 64});
  EXPECT_EQ(rig.sense(), Sense(ide::ILLEGAL_REQUEST, ide::kSavingNotSupported));
  rig.packet({ide::MODE_SENSE_10, 0, 0x05, 0, 0, 0, 0, 0, 64});
  EXPECT_EQ(rig.sense(), Sense(ide::ILLEGAL_REQUEST, ide::kInvalidFieldInPacket));
}

TEST(Atapi, configuration_follows_the_disc) {
  IdeRig rig;
  const auto all = rig.packet_reply({ide::GET_CONFIGURATION, 0, 0, 0, 0, 0, 0, 1, 0});
  ASSERT_GE(all.size(), 8U);
  EXPECT_EQ(all[3], all.size() - 4);
  EXPECT_EQ(all[7], ide::kProfileCdRom);
  EXPECT_EQ(rig.packet_reply({ide::GET_CONFIGURATION, 2, 0, 3, 0, 0, 0, 1, 0}).size(), 16U);
  ASSERT_TRUE(eject(rig, false));
  EXPECT_EQ(rig.packet_reply({ide::GET_CONFIGURATION, 0, 0, 0, 0, 0, 0, 0, 8})[7], 0);
}

TEST(Atapi, disc_information_and_mechanism_answer) {
  IdeRig rig;
  EXPECT_EQ(rig.packet_reply({ide::READ_DISC_INFORMATION, 0, 0, 0, 0, 0, 0, 0, 64}).size(), 34U);
  EXPECT_EQ(rig.packet_reply({ide::MECHANISM_STATUS, 0, 0, 0, 0, 0, 0, 0, 0, 8}).size(), 8U);
  rig.packet({ide::SEEK_10, 0, 0, 0, 1, 0});
  EXPECT_FALSE(failed(rig));
}

TEST(Atapi, removed_disc_is_not_present) {
  IdeRig rig;
  auto disc = eject(rig, false);
  ASSERT_TRUE(disc);
  EXPECT_NE(*disc, nullptr);
  rig.packet({ide::TEST_UNIT_READY});
  EXPECT_TRUE(failed(rig));
  EXPECT_EQ(rig.sense(), Sense(ide::NOT_READY, ide::kMediumNotPresentTrayOpen));
  const std::vector<std::uint8_t> removal{0, 6, 4, 0x10, 3, 1, 0, 0};
  EXPECT_EQ(rig.packet_reply({ide::GET_EVENT_STATUS_NOTIFICATION, 1, 0, 0, 0x10, 0, 0, 0, 8}), removal);
}

TEST(Atapi, new_disc_raises_unit_attention_once) {
  IdeRig rig;
  ASSERT_TRUE(eject(rig, false));
  ASSERT_TRUE(insert(rig, std::size_t{50} * 2048));
  EXPECT_EQ(rig.packet_reply({ide::INQUIRY, 0, 0, 0, 36}).size(), 36U);  // answers anyway
  rig.packet({ide::TEST_UNIT_READY});
  EXPECT_TRUE(failed(rig));
  EXPECT_EQ(rig.sense(), Sense(ide::UNIT_ATTENTION, ide::kMediumMayHaveChanged));
  rig.packet({ide::TEST_UNIT_READY});
  EXPECT_FALSE(failed(rig));
  const auto event = rig.packet_reply({ide::GET_EVENT_STATUS_NOTIFICATION, 1, 0, 0, 0x10, 0, 0, 0, 8});
  EXPECT_EQ(event, (std::vector<std::uint8_t>{0, 6, 4, 0x10, 2, 2, 0, 0}));
  EXPECT_EQ(rig.packet_reply(read_10(49, 1)), disc_bytes(rig, 49, 2048));
  EXPECT_FALSE(insert(rig, 2048));  // there is one
}

TEST(Atapi, locked_tray_needs_force_and_tells_the_guest) {
  IdeRig rig;
  rig.packet({ide::PREVENT_ALLOW_MEDIUM_REMOVAL, 0, 0, 0, 1});
  rig.packet({ide::START_STOP_UNIT, 0, 0, 0, 2});
  EXPECT_EQ(rig.sense(), Sense(ide::ILLEGAL_REQUEST, ide::kMediumRemovalPrevented));
  EXPECT_FALSE(eject(rig, false));
  const auto event = rig.packet_reply({ide::GET_EVENT_STATUS_NOTIFICATION, 1, 0, 0, 0x10, 0, 0, 0, 8});
  EXPECT_EQ(event[4], 1);  // an eject request
  EXPECT_TRUE(eject(rig, true));
}

TEST(Atapi, guest_opens_and_closes_the_tray) {
  IdeRig rig;
  rig.packet({ide::START_STOP_UNIT, 0, 0, 0, 2});
  EXPECT_FALSE(failed(rig));
  EXPECT_TRUE(rig.device.slot(2).tray_open);
  rig.packet(read_10(0, 1));
  EXPECT_EQ(rig.sense(), Sense(ide::NOT_READY, ide::kMediumNotPresentTrayOpen));
  rig.packet({ide::START_STOP_UNIT, 0, 0, 0, 3});
  EXPECT_EQ(rig.sense(), Sense(ide::UNIT_ATTENTION, ide::kMediumMayHaveChanged));
  EXPECT_EQ(rig.packet_reply(read_10(0, 1)), disc_bytes(rig, 0, 2048));
}

TEST(Atapi, disc_taken_out_during_a_read_ends_it) {
  IdeRig rig;
  rig.packet(read_10(0, 100));
  ASSERT_EQ(rig.status(kSecondary) & ide::DRQ, ide::DRQ);
  auto disc = eject(rig, true);
  rig.read_data(27 * 2048, kSecondary);
  EXPECT_TRUE(failed(rig));
  EXPECT_EQ(rig.sense(), Sense(ide::MEDIUM_ERROR, ide::kUnrecoveredReadError));
}

TEST(Atapi, device_reset_ends_a_command_under_way) {
  IdeRig rig;
  rig.set_reg(ide::LBA_HIGH, 0xff, kSecondary);
  rig.command(ide::PACKET, kSecondary);
  rig.write_data(read_10(0, 1), kSecondary);
  EXPECT_EQ(rig.alternate(kSecondary) & ide::BSY, ide::BSY);
  rig.command(ide::DEVICE_RESET, kSecondary);
  rig.run();
  EXPECT_FALSE(rig.irq(kSecondary));
  EXPECT_EQ(rig.status(kSecondary), 0);
  EXPECT_EQ(rig.reg(ide::LBA_MID, kSecondary), 0x14);
}

TEST(Atapi, drive_without_disc_is_not_ready) {
  tests::FakeClock clock;
  const auto memory = *core::GuestMemory::create(1 << 20, 1 << 20);
  tests::RecordingIrqSink irqs;
  devices::block::IdeController::Config config;
  config.drives[1].kind = devices::block::DriveKind::Cdrom;
  devices::block::IdeController controller(std::move(config), {*memory, clock, {irqs, 14}, {irqs, 15}});
  EXPECT_EQ(controller.slot(1).backend, nullptr);
  EXPECT_FALSE(controller.slot(1).tray_open);
  const std::scoped_lock guard(controller.lock());
  EXPECT_FALSE(controller.eject(0, false));
  EXPECT_TRUE(controller.insert(1, nullptr));
}

}  // namespace
