#include <gtest/gtest.h>

#include "tests/device/block/ide_rig.h"

namespace {

using tests::IdeRig;
using tests::kPrimary;
using tests::kSecondary;
using tests::pattern;
namespace ide = tests::ide;

constexpr std::uint8_t kReady = ide::DRDY | ide::DSC;

std::uint16_t word(const std::vector<std::uint8_t>& data, unsigned index) {
  return core::load_le<std::uint16_t>(&data[std::size_t{2} * index]);
}

// --- registers and resets --------------------------------------------------------------------------------------------

TEST(IdeRegisters, power_on_shows_the_signatures) {
  IdeRig rig;
  EXPECT_EQ(rig.alternate(), kReady);
  EXPECT_EQ(rig.reg(ide::ERROR), 1);
  EXPECT_EQ(rig.reg(ide::SECTOR_COUNT), 1);
  EXPECT_EQ(rig.reg(ide::LBA_LOW), 1);
  EXPECT_EQ(rig.reg(ide::LBA_MID), 0);
  EXPECT_EQ(rig.reg(ide::LBA_HIGH), 0);
  EXPECT_EQ(rig.alternate(kSecondary), 0);
  EXPECT_EQ(rig.reg(ide::LBA_MID, kSecondary), 0x14);
  EXPECT_EQ(rig.reg(ide::LBA_HIGH, kSecondary), 0xeb);
}

TEST(IdeRegisters, absent_slave_reads_zero_and_ignores_commands) {
  IdeRig rig;
  rig.set_reg(ide::DEVICE, ide::DEV);
  EXPECT_EQ(rig.status(), 0);
  rig.set_reg(ide::LBA_LOW, 0x55);
  EXPECT_EQ(rig.reg(ide::LBA_LOW), 0);
  rig.command(ide::IDENTIFY_DEVICE);
  EXPECT_FALSE(rig.irq());
  EXPECT_EQ(rig.status(), 0);
}

TEST(IdeRegisters, hob_shows_the_previous_values) {
  IdeRig rig;
  rig.address48(0x0000'0605'0403'0201, 0x0807);
  EXPECT_EQ(rig.reg(ide::LBA_LOW), 0x01);
  EXPECT_EQ(rig.reg(ide::SECTOR_COUNT), 0x07);
  rig.bus.out8(kPrimary.control, ide::HOB);
  EXPECT_EQ(rig.reg(ide::LBA_LOW), 0x04);
  EXPECT_EQ(rig.reg(ide::LBA_MID), 0x05);
  EXPECT_EQ(rig.reg(ide::LBA_HIGH), 0x06);
  EXPECT_EQ(rig.reg(ide::SECTOR_COUNT), 0x08);
  rig.set_reg(ide::LBA_LOW, 9);  // any write ends it
  EXPECT_EQ(rig.reg(ide::SECTOR_COUNT), 0x07);
}

TEST(IdeRegisters, disabled_interrupt_is_held_back) {
  IdeRig rig;
  rig.bus.out8(kPrimary.control, ide::nIEN);
  rig.command(ide::IDENTIFY_DEVICE);
  EXPECT_FALSE(rig.irq());
  rig.bus.out8(kPrimary.control, 0);
  EXPECT_TRUE(rig.irq());
  EXPECT_EQ(rig.alternate() & ide::DRQ, ide::DRQ);
  EXPECT_TRUE(rig.irq());  // the alternate status leaves it alone
  rig.status();
  EXPECT_FALSE(rig.irq());
}

TEST(IdeRegisters, software_reset_is_busy_until_released) {
  IdeRig rig;
  rig.command(ide::IDENTIFY_DEVICE);
  rig.bus.out8(kPrimary.control, ide::SRST);
  EXPECT_EQ(rig.alternate() & ide::BSY, ide::BSY);
  EXPECT_FALSE(rig.irq());
  rig.bus.out8(kPrimary.control, 0);
  EXPECT_EQ(rig.alternate(), kReady);
  EXPECT_EQ(rig.reg(ide::ERROR), 1);
}

TEST(IdeRegisters, diagnostics_select_the_master) {
  IdeRig rig;
  rig.set_reg(ide::DEVICE, ide::DEV);
  rig.command(ide::EXECUTE_DEVICE_DIAGNOSTIC);
  EXPECT_TRUE(rig.irq());
  EXPECT_EQ(rig.status(), kReady);
  EXPECT_EQ(rig.reg(ide::ERROR), 1);
}

TEST(IdeRegisters, unknown_command_aborts) {
  IdeRig rig;
  rig.command(0xff);
  EXPECT_TRUE(rig.irq());
  EXPECT_EQ(rig.status(), kReady | ide::ERR);
  EXPECT_EQ(rig.reg(ide::ERROR), ide::ABRT);
}

TEST(IdeRegisters, data_port_without_data_reads_zero) {
  IdeRig rig;
  EXPECT_EQ(rig.bus.in16(kPrimary.command), 0);
  EXPECT_EQ(rig.read_data(64), std::vector<std::uint8_t>(64));
  rig.write_data(pattern(64, 1));
  EXPECT_EQ(rig.alternate(), kReady);
}

TEST(IdeRegisters, pci_identity_is_piix3_ide) {
  IdeRig rig;
  EXPECT_EQ(rig.pci.config_read(0, {1, 1}, 0, 4), 0x7010'8086U);
  EXPECT_EQ(rig.pci.config_read(0, {1, 1}, 8, 4), 0x0101'8000U);
  rig.pci.config_write(0, {1, 1}, 0x40, 2, 0x8000);
  EXPECT_EQ(rig.pci.config_read(0, {1, 1}, 0x40, 4), 0x8000U);
}

// --- commands without sectors ----------------------------------------------------------------------------------------

TEST(AtaIdentify, words_describe_the_disk) {
  IdeRig rig;
  rig.command(ide::IDENTIFY_DEVICE);
  EXPECT_TRUE(rig.irq());
  EXPECT_EQ(rig.status(), kReady | ide::DRQ);
  const auto data = rig.read_data(512);
  EXPECT_EQ(rig.status(), kReady);
  EXPECT_EQ(word(data, 0), 0x40);
  EXPECT_EQ(word(data, 1), IdeRig::kDiskSectors / (16 * 63));
  EXPECT_EQ(word(data, 3), 16);
  EXPECT_EQ(word(data, 6), 63);
  EXPECT_EQ(std::string(data.begin() + 20, data.begin() + 26), "ESIRLA");
  EXPECT_EQ(word(data, 60) | (word(data, 61) << 16), IdeRig::kDiskSectors);
  EXPECT_EQ(word(data, 100), IdeRig::kDiskSectors);
  EXPECT_EQ(word(data, 83) & 0xf400, 0x7400);  // valid, flush, flush ext, 48-bit
  EXPECT_EQ(word(data, 88) & 0x3f, 0x3f);      // ultra DMA 0-5
  EXPECT_EQ(word(data, 49) & 0x0300, 0x0300);  // LBA, DMA
}

TEST(AtaFeatures, chosen_transfer_mode_is_identified) {
  IdeRig rig;
  rig.set_reg(ide::ERROR, ide::kSetTransferMode);
  rig.set_reg(ide::SECTOR_COUNT, 0x22);
  rig.command(ide::SET_FEATURES);
  EXPECT_EQ(rig.status(), kReady);
  rig.command(ide::IDENTIFY_DEVICE);
  const auto data = rig.read_data(512);
  EXPECT_EQ(word(data, 63), 0x0407);
  EXPECT_EQ(word(data, 88) >> 8, 0);
  rig.set_reg(ide::ERROR, ide::kSetTransferMode);
  rig.set_reg(ide::SECTOR_COUNT, 0x46);  // ultra DMA 6
  rig.command(ide::SET_FEATURES);
  EXPECT_EQ(rig.status() & ide::ERR, ide::ERR);
}

TEST(AtaFeatures, writes_reach_the_medium_without_write_cache) {
  IdeRig rig;
  rig.set_reg(ide::ERROR, ide::kDisableWriteCache);
  rig.command(ide::SET_FEATURES);
  EXPECT_EQ(rig.alternate() & ide::BSY, ide::BSY);
  rig.run();
  EXPECT_EQ(rig.disk->flushes, 1U);
  rig.address28(3, 1);
  rig.command(ide::WRITE_SECTORS);
  rig.write_data(pattern(512, 5));
  rig.run();
  EXPECT_EQ(rig.disk->flushes, 2U);
  EXPECT_EQ(rig.status(), kReady);
}

TEST(AtaFlush, reaches_the_backend_before_it_ends) {
  for (const auto code : {ide::FLUSH_CACHE, ide::FLUSH_CACHE_EXT}) {
    IdeRig rig;
    rig.command(code);
    EXPECT_FALSE(rig.irq());
    EXPECT_EQ(rig.alternate() & ide::BSY, ide::BSY);
    rig.run();
    EXPECT_EQ(rig.disk->flushes, 1U);
    EXPECT_TRUE(rig.irq());
    EXPECT_EQ(rig.status(), kReady);
  }
}

TEST(AtaFlush, failure_is_told) {
  IdeRig rig;
  rig.disk->failing = true;
  rig.command(ide::FLUSH_CACHE);
  rig.run();
  EXPECT_EQ(rig.status(), kReady | ide::DF | ide::ERR);
  EXPECT_EQ(rig.reg(ide::ERROR), ide::ABRT);
}

TEST(AtaCommands, native_max_and_power_mode_answer) {
  IdeRig rig;
  rig.set_reg(ide::DEVICE, ide::LBA);
  rig.command(ide::READ_NATIVE_MAX_ADDRESS);
  EXPECT_EQ(rig.reg(ide::LBA_LOW) | (rig.reg(ide::LBA_MID) << 8), IdeRig::kDiskSectors - 1);
  rig.command(ide::CHECK_POWER_MODE);
  EXPECT_EQ(rig.reg(ide::SECTOR_COUNT), 0xff);
}

TEST(AtaCommands, verify_checks_addresses) {
  IdeRig rig;
  rig.address28(IdeRig::kDiskSectors - 2, 2);
  rig.command(ide::READ_VERIFY_SECTORS);
  EXPECT_EQ(rig.status(), kReady);
  rig.address28(IdeRig::kDiskSectors - 2, 3);
  rig.command(ide::READ_VERIFY_SECTORS);
  EXPECT_EQ(rig.status(), kReady | ide::ERR);
  EXPECT_EQ(rig.reg(ide::ERROR), ide::IDNF);
}

// --- PIO -------------------------------------------------------------------------------------------------------------

TEST(AtaPio, read_is_busy_until_the_disk_answers) {
  IdeRig rig;
  rig.address28(5, 1);
  rig.command(ide::READ_SECTORS);
  EXPECT_EQ(rig.alternate() & (ide::BSY | ide::DRQ), ide::BSY);
  EXPECT_FALSE(rig.irq());
  rig.run();
  EXPECT_TRUE(rig.irq());
  EXPECT_EQ(rig.status(), kReady | ide::DRQ);
  EXPECT_EQ(rig.read_data(512), rig.disk_bytes(5, 512));
  EXPECT_EQ(rig.status(), kReady);
  EXPECT_FALSE(rig.irq());
}

TEST(AtaPio, each_sector_interrupts) {
  IdeRig rig;
  rig.address28(7, 3);
  rig.command(ide::READ_SECTORS);
  rig.run();
  EXPECT_EQ(rig.disk->reads, 1U);  // all of it at once
  std::vector<std::uint8_t> all;
  for (unsigned sector = 0; sector < 3; ++sector) {
    EXPECT_TRUE(rig.irq()) << sector;
    EXPECT_EQ(rig.status(), kReady | ide::DRQ) << sector;
    const auto data = rig.read_data(512, kPrimary, sector == 1 ? 4 : 2);
    all.insert(all.end(), data.begin(), data.end());
  }
  EXPECT_FALSE(rig.irq());
  EXPECT_EQ(all, rig.disk_bytes(7, 3 * 512));
  EXPECT_EQ(rig.reg(ide::LBA_LOW), 9);
  EXPECT_EQ(rig.reg(ide::SECTOR_COUNT), 0);
}

TEST(AtaPio, count_zero_means_256_and_is_one_string) {
  IdeRig rig;
  rig.address28(0, 0);
  rig.command(ide::READ_SECTORS);
  rig.run();
  EXPECT_EQ(rig.read_data(256 * 512), rig.disk_bytes(0, 256 * 512));
  EXPECT_EQ(rig.status(), kReady);
}

TEST(AtaPio, long_48_bit_read_is_fetched_in_pieces) {
  IdeRig rig;
  rig.address48(100, 300);
  rig.command(ide::READ_SECTORS_EXT);
  rig.run();
  auto all = rig.read_data(256 * 512);
  EXPECT_EQ(rig.alternate() & ide::BSY, ide::BSY);
  rig.run();
  const auto rest = rig.read_data(44 * 512);
  all.insert(all.end(), rest.begin(), rest.end());
  EXPECT_EQ(all, rig.disk_bytes(100, 300 * 512));
  EXPECT_EQ(rig.status(), kReady);
  EXPECT_EQ(rig.disk->reads, 2U);
}

TEST(AtaPio, chs_addresses_follow_the_geometry) {
  IdeRig rig;
  rig.set_reg(ide::SECTOR_COUNT, 1);
  rig.set_reg(ide::LBA_LOW, 2);  // sector
  rig.set_reg(ide::LBA_MID, 1);  // cylinder
  rig.set_reg(ide::LBA_HIGH, 0);
  rig.set_reg(ide::DEVICE, 3);  // head
  rig.command(ide::READ_SECTORS);
  rig.run();
  EXPECT_EQ(rig.read_data(512), rig.disk_bytes((1 * 16 + 3) * 63 + 1, 512));
  // 4 heads of 17 sectors
  rig.set_reg(ide::SECTOR_COUNT, 17);
  rig.set_reg(ide::DEVICE, 3);
  rig.command(ide::INITIALIZE_DEVICE_PARAMETERS);
  rig.set_reg(ide::SECTOR_COUNT, 1);
  rig.command(ide::READ_SECTORS);
  rig.run();
  EXPECT_EQ(rig.read_data(512), rig.disk_bytes((1 * 4 + 3) * 17 + 1, 512));
  rig.set_reg(ide::LBA_LOW, 0);
  rig.command(ide::READ_SECTORS);
  EXPECT_EQ(rig.reg(ide::ERROR), ide::IDNF);
}

TEST(AtaPio, write_asks_for_each_block) {
  IdeRig rig;
  const auto data = pattern(2 * 512, 9);
  rig.address28(20, 2);
  rig.command(ide::WRITE_SECTORS);
  EXPECT_FALSE(rig.irq());  // not for the first block
  EXPECT_EQ(rig.status(), kReady | ide::DRQ);
  rig.write_data(std::span(data).first(512));
  EXPECT_EQ(rig.alternate() & ide::BSY, ide::BSY);
  rig.run();
  EXPECT_TRUE(rig.irq());
  EXPECT_EQ(rig.status(), kReady | ide::DRQ);
  rig.write_data(std::span(data).last(512));
  rig.run();
  EXPECT_TRUE(rig.irq());
  EXPECT_EQ(rig.status(), kReady);
  EXPECT_EQ(rig.disk_bytes(20, 2 * 512), data);
  EXPECT_EQ(rig.disk->flushes, 0U);
}

TEST(AtaPio, multiple_moves_blocks) {
  IdeRig rig;
  rig.set_reg(ide::SECTOR_COUNT, 4);
  rig.command(ide::SET_MULTIPLE_MODE);
  EXPECT_EQ(rig.status(), kReady);
  rig.address28(30, 6);
  rig.command(ide::READ_MULTIPLE);
  rig.run();
  rig.irqs.clear();
  EXPECT_EQ(rig.status(), kReady | ide::DRQ);
  EXPECT_EQ(rig.read_data(4 * 512), rig.disk_bytes(30, 4 * 512));
  EXPECT_EQ(rig.irqs.rises(14), 1U);
  EXPECT_EQ(rig.read_data(2 * 512), rig.disk_bytes(34, 2 * 512));
  EXPECT_EQ(rig.status(), kReady);
  const auto data = pattern(6 * 512, 3);
  rig.address48(40, 6);
  rig.command(ide::WRITE_MULTIPLE_EXT);
  rig.write_data(std::span(data).first(4 * 512));
  rig.run();
  rig.write_data(std::span(data).last(2 * 512));
  rig.run();
  EXPECT_EQ(rig.disk_bytes(40, 6 * 512), data);
  EXPECT_EQ(rig.disk->writes, 2U);
}

TEST(AtaPio, multiple_is_refused_when_off) {
  IdeRig rig;
  rig.set_reg(ide::SECTOR_COUNT, 3);
  rig.command(ide::SET_MULTIPLE_MODE);
  EXPECT_EQ(rig.reg(ide::ERROR), ide::ABRT);
  rig.set_reg(ide::SECTOR_COUNT, 0);
  rig.command(ide::SET_MULTIPLE_MODE);
  rig.address28(0, 1);
  rig.command(ide::READ_MULTIPLE);
  EXPECT_EQ(rig.reg(ide::ERROR), ide::ABRT);
}

TEST(AtaPio, read_failure_is_uncorrectable) {
  IdeRig rig;
  rig.disk->failing = true;
  rig.address28(5, 1);
  rig.command(ide::READ_SECTORS);
  rig.run();
  EXPECT_TRUE(rig.irq());
  EXPECT_EQ(rig.status(), kReady | ide::ERR);
  EXPECT_EQ(rig.reg(ide::ERROR), ide::UNC);
}

TEST(AtaPio, range_beyond_the_disk_is_not_found) {
  IdeRig rig;
  rig.address28(IdeRig::kDiskSectors - 1, 2);
  rig.command(ide::READ_SECTORS);
  EXPECT_EQ(rig.reg(ide::ERROR), ide::IDNF);
  rig.address48(0xffff'ffff'ffff, 0);
  rig.command(ide::WRITE_SECTORS_EXT);
  EXPECT_EQ(rig.reg(ide::ERROR), ide::IDNF);
  EXPECT_EQ(rig.run(), 0U);
}

TEST(AtaPio, read_only_disk_aborts_writes) {
  IdeRig rig(true);
  for (const auto code : {ide::WRITE_SECTORS, ide::WRITE_DMA, ide::WRITE_MULTIPLE}) {
    rig.address28(0, 1);
    rig.command(code);
    EXPECT_EQ(rig.status(), kReady | ide::ERR);
    EXPECT_EQ(rig.reg(ide::ERROR), ide::ABRT);
  }
  EXPECT_EQ(rig.run(), 0U);
}

TEST(AtaPio, registers_are_deaf_while_busy) {
  IdeRig rig;
  rig.address28(5, 1);
  rig.command(ide::READ_SECTORS);
  rig.set_reg(ide::LBA_LOW, 99);
  rig.set_reg(ide::DEVICE, ide::DEV);
  rig.command(ide::IDENTIFY_DEVICE);
  rig.run();
  EXPECT_EQ(rig.status(), kReady | ide::DRQ);
  rig.set_reg(ide::DEVICE, ide::DEV);  // nor while data is to be moved
  EXPECT_EQ(rig.read_data(512), rig.disk_bytes(5, 512));
}

}  // namespace
