// Commands of a SATA disk through the list of its port.
#include <gtest/gtest.h>
#include <numeric>

#include "tests/device/block/ahci_rig.h"

namespace {

using tests::AhciRig;
namespace ide = tests::ide;
namespace hba = tests::hba;

constexpr unsigned kDisk = AhciRig::kDisk;
constexpr std::uint32_t kData = AhciRig::kData;
constexpr std::uint32_t kReady = ide::DRDY | ide::DSC;

struct AhciDisk : testing::Test {
  AhciDisk() { rig.enable_all(); }
  std::uint32_t get(std::uint32_t offset) { return rig.get(kDisk, offset); }
  // Has the oldest request wait behind the others.
  void postpone_oldest() {
    auto& waiting = rig.disk->waiting;
    waiting.push_back(std::move(waiting.front()));
    waiting.pop_front();
  }
  AhciRig rig;
};

TEST_F(AhciDisk, identify_comes_by_pio_and_tells_of_queuing) {
  rig.execute(kDisk, {.code = ide::IDENTIFY_DEVICE}, {{kData, 512}});
  const auto word = [this](unsigned index) { return rig.guest<core::le16>(kData + 2 * index); };
  EXPECT_EQ(word(48), 0x4000U);
  EXPECT_EQ(word(75), 31U);
  EXPECT_EQ(word(76), 0x0106U);
  EXPECT_EQ(word(93), 0U);
  EXPECT_EQ(word(169), 1U);
  EXPECT_EQ(word(100), AhciRig::kDiskSectors);
  EXPECT_EQ(get(hba::PxCI), 0U);
  EXPECT_EQ(get(hba::PxTFD), kReady);
  EXPECT_EQ(get(hba::PxIS), hba::PSS);
  const auto setup = rig.received(kDisk, hba::kReceivedPioSetup);
  EXPECT_EQ(setup.type, hba::kPioSetup);
  EXPECT_EQ(setup.flags, hba::kFisInterrupt | hba::kFisToHost);
  EXPECT_EQ(setup.status, kReady | ide::DRQ);
  EXPECT_EQ(setup.e_status, kReady);
  EXPECT_EQ(setup.transfer_count, 512U);
  EXPECT_EQ(rig.transferred(kDisk), 512U);
}

TEST_F(AhciDisk, dma_read_fills_scattered_pieces) {
  rig.execute(kDisk, {.code = ide::READ_DMA_EXT, .lba = 7, .count = 3},
              {{kData, 2}, {kData + 0x1000, 1000}, {kData + 0x3000, 534}});
  const auto wanted = rig.disk_bytes(7, 3);
  auto found = rig.guest_bytes(kData, 2);
  for (const auto& part : {rig.guest_bytes(kData + 0x1000, 1000), rig.guest_bytes(kData + 0x3000, 534)})
    found.insert(found.end(), part.begin(), part.end());
  EXPECT_EQ(found, wanted);
  EXPECT_EQ(rig.transferred(kDisk), 1536U);
  const auto fis = rig.received(kDisk);
  EXPECT_EQ(fis.type, hba::kRegisterD2H);
  EXPECT_EQ(fis.flags, hba::kFisInterrupt);
  EXPECT_EQ(fis.status, kReady);
  EXPECT_EQ(get(hba::PxIS), hba::DHRS);
}

TEST_F(AhciDisk, used_up_descriptors_may_ask_for_an_interrupt) {
  rig.execute(kDisk, {.code = ide::READ_DMA, .lba = 1, .count = 1}, {{kData, 512, true}, {kData, 512}});
  EXPECT_EQ(get(hba::PxIS), hba::DHRS | hba::DPS);
}

TEST_F(AhciDisk, dma_write_and_flush_reach_the_disk) {
  rig.memory->write(core::Gpa(kData), std::vector<std::uint8_t>(1024, 0x5a));
  rig.execute(kDisk, {.code = ide::WRITE_DMA_EXT, .lba = 9, .count = 2}, {{kData, 1024}});
  EXPECT_EQ(rig.disk_bytes(9, 2), std::vector<std::uint8_t>(1024, 0x5a));
  EXPECT_EQ(rig.disk->flushes, 0U);
  rig.execute(kDisk, {.code = ide::FLUSH_CACHE_EXT});
  EXPECT_EQ(rig.disk->flushes, 1U);
  EXPECT_EQ(get(hba::PxCI), 0U);
}

TEST_F(AhciDisk, pio_read_and_write_move_blocks) {
  rig.execute(kDisk, {.code = ide::READ_SECTORS_EXT, .lba = 20, .count = 300}, {{kData, 300 * 512}});
  EXPECT_EQ(rig.guest_bytes(kData, 300 * 512), rig.disk_bytes(20, 300));
  EXPECT_EQ(get(hba::PxCI), 0U);
  rig.execute(kDisk, {.code = ide::WRITE_MULTIPLE_EXT, .lba = 1000, .count = 33}, {{kData, 33 * 512}});
  EXPECT_EQ(rig.disk_bytes(1000, 33), rig.guest_bytes(kData, 33 * 512));
  EXPECT_EQ(get(hba::PxCI), 0U);
  EXPECT_EQ(rig.received(kDisk).status, kReady);
}

TEST_F(AhciDisk, commands_without_data_answer_in_the_register_fis) {
  rig.execute(kDisk, {.code = ide::CHECK_POWER_MODE});
  EXPECT_EQ(rig.received(kDisk).count, ide::kPowerActive);
  rig.execute(kDisk, {.code = ide::READ_NATIVE_MAX_ADDRESS_EXT});
  EXPECT_EQ(rig.received(kDisk).lba[0] | (rig.received(kDisk).lba[1] << 8U), AhciRig::kDiskSectors - 1);
  rig.execute(kDisk, {.code = ide::SET_FEATURES, .count = 0x45, .features = ide::kSetTransferMode});
  EXPECT_EQ(get(hba::PxTFD), kReady);
  rig.execute(kDisk, {.code = ide::READ_VERIFY_SECTORS_EXT, .lba = 1, .count = 1});
  rig.execute(kDisk, {.code = ide::STANDBY_IMMEDIATE});
  EXPECT_EQ(get(hba::PxTFD), kReady);
  rig.execute(kDisk, {.code = ide::EXECUTE_DEVICE_DIAGNOSTIC});
  EXPECT_EQ(get(hba::PxTFD), kReady | 0x100);
  EXPECT_EQ(get(hba::PxCI), 0U);
}

TEST_F(AhciDisk, slots_are_taken_in_a_ring) {
  for (const unsigned slot : {0U, 4U, 31U})
    rig.put(kDisk, slot, {.code = ide::READ_DMA_EXT, .lba = slot, .count = 1}, {{kData + slot * 512, 512}});
  rig.issue(kDisk, 0x8000'0011);
  EXPECT_EQ(get(hba::PxCI), 0x8000'0011U);
  ASSERT_TRUE(rig.disk->perform_one());
  EXPECT_EQ(get(hba::PxCI), 0x8000'0010U);
  ASSERT_TRUE(rig.disk->perform_one());
  EXPECT_EQ(get(hba::PxCI), 0x8000'0000U);
  rig.issue(kDisk, 1);
  rig.run();
  EXPECT_EQ(get(hba::PxCI), 0U);
  EXPECT_EQ(rig.guest_bytes(kData + 31 * 512, 512), rig.disk_bytes(31, 1));
}

TEST_F(AhciDisk, queued_commands_run_side_by_side_and_end_in_any_order) {
  rig.queue(0, false, 10, 1, kData);
  rig.queue(1, false, 20, 2, kData + 0x1000);
  rig.queue(31, false, 30, 3, kData + 0x2000);
  EXPECT_EQ(get(hba::PxCI), 0U);
  EXPECT_EQ(get(hba::PxSACT), 0x8000'0003U);
  EXPECT_EQ(rig.received(kDisk).flags, 0);  // taken, without an interrupt
  EXPECT_FALSE(rig.irq());
  postpone_oldest();
  ASSERT_TRUE(rig.disk->perform_one());
  EXPECT_EQ(get(hba::PxSACT), 0x8000'0001U);
  EXPECT_TRUE(rig.irq());
  EXPECT_EQ(get(hba::PxIS), hba::SDBS);
  const auto bits = rig.guest<hba::SetDeviceBits>(AhciRig::fis_area(kDisk) + hba::kReceivedDeviceBits);
  EXPECT_EQ(bits.type, hba::kSetDeviceBits);
  EXPECT_EQ(bits.active, 2U);
  EXPECT_EQ(rig.guest_bytes(kData + 0x1000, 1024), rig.disk_bytes(20, 2));
  rig.run();
  EXPECT_EQ(get(hba::PxSACT), 0U);
  EXPECT_EQ(rig.guest_bytes(kData, 512), rig.disk_bytes(10, 1));
  EXPECT_EQ(rig.guest_bytes(kData + 0x2000, 1536), rig.disk_bytes(30, 3));
}

TEST_F(AhciDisk, queued_write_with_fua_is_flushed_before_it_ends) {
  rig.memory->write(core::Gpa(kData), std::vector<std::uint8_t>(512, 0x77));
  rig.queue(2, true, 40, 1, kData, ide::kForceUnitAccess);
  ASSERT_TRUE(rig.disk->perform_one());
  EXPECT_EQ(get(hba::PxSACT), 4U);
  ASSERT_TRUE(rig.disk->perform_one());
  EXPECT_EQ(get(hba::PxSACT), 0U);
  EXPECT_EQ(rig.disk->flushes, 1U);
  EXPECT_EQ(rig.disk_bytes(40, 1), std::vector<std::uint8_t>(512, 0x77));
}

TEST_F(AhciDisk, largest_queued_command_takes_count_zero) {
  rig.queue(0, false, 0, 0, kData);  // 65536 sectors, more than there are
  EXPECT_EQ(rig.received(kDisk).error, ide::IDNF);
  EXPECT_NE(get(hba::PxIS) & hba::TFES, 0U);
}

TEST_F(AhciDisk, tag_of_another_slot_is_refused) {
  rig.put(kDisk, 5, {.code = ide::READ_FPDMA_QUEUED, .count = 4 << ide::kTagShift, .features = 1}, {{kData, 512}});
  rig.issue(kDisk, 1 << 5);
  EXPECT_EQ(rig.received(kDisk).error, ide::ABRT);
  EXPECT_EQ(rig.run(), 0U);
}

TEST_F(AhciDisk, failed_queued_command_ends_all_and_is_named_by_the_log) {
  rig.queue(6, false, 0x123, 1, kData);
  rig.queue(7, false, 2, 1, kData);
  rig.disk->failing = true;
  ASSERT_TRUE(rig.disk->perform_one());
  EXPECT_EQ(get(hba::PxIS), hba::TFES | hba::SDBS);
  EXPECT_EQ(get(hba::PxSACT), 0xc0U);
  EXPECT_EQ(get(hba::PxTFD) & 0xff01, (ide::UNC << 8U) | ide::ERR);
  rig.disk->failing = false;
  rig.stop(kDisk);
  EXPECT_NE(get(hba::PxCMD) & hba::CMD_CR, 0U);  // the other one is still under way
  rig.run();
  EXPECT_EQ(get(hba::PxCMD) & hba::CMD_CR, 0U);
  rig.start(kDisk);

  rig.execute(kDisk, {.code = ide::READ_DMA_EXT, .count = 1}, {{kData, 512}});
  EXPECT_EQ(rig.received(kDisk).error, ide::ABRT);  // first the log
  rig.restart(kDisk);
  rig.execute(kDisk, {.code = ide::READ_LOG_EXT, .lba = ide::kQueuedErrorLog, .count = 1}, {{kData, 512}});
  const auto log = rig.guest_bytes(kData, 512);
  EXPECT_EQ(log[0], 6);
  EXPECT_EQ(log[2], kReady | ide::ERR);
  EXPECT_EQ(log[3], ide::UNC);
  EXPECT_EQ(log[4] | (log[5] << 8U), 0x123U);
  EXPECT_EQ(std::accumulate(log.begin(), log.end(), 0U) & 0xff, 0U);
  rig.execute(kDisk, {.code = ide::READ_DMA_EXT, .lba = 4, .count = 1}, {{kData, 512}});
  EXPECT_EQ(rig.guest_bytes(kData, 512), rig.disk_bytes(4, 1));
}

TEST_F(AhciDisk, log_directory_lists_the_error_log) {
  rig.execute(kDisk, {.code = ide::READ_LOG_EXT, .count = 1}, {{kData, 512}});
  EXPECT_EQ(rig.guest<core::le16>(kData), 1U);
  EXPECT_EQ(rig.guest<core::le16>(kData + 2 * ide::kQueuedErrorLog), 1U);
  rig.execute(kDisk, {.code = ide::READ_LOG_EXT, .lba = 0x30, .count = 1}, {{kData, 512}});
  EXPECT_EQ(rig.received(kDisk).error, ide::ABRT);
}

TEST_F(AhciDisk, unqueued_command_among_queued_ones_ends_them) {
  rig.queue(1, false, 1, 1, kData);
  rig.put(kDisk, 2, {.code = ide::FLUSH_CACHE}, {});
  rig.issue(kDisk, 4);
  EXPECT_EQ(get(hba::PxIS), hba::TFES | hba::DHRS);
  EXPECT_EQ(get(hba::PxSACT), 2U);
  rig.run();
  EXPECT_EQ(get(hba::PxSACT), 2U);
}

TEST_F(AhciDisk, slot_used_again_too_early_waits) {
  rig.queue(1, false, 1, 1, kData);
  rig.queue(1, false, 2, 1, kData + 512);
  EXPECT_EQ(get(hba::PxCI), 2U);
  rig.run();
  EXPECT_EQ(get(hba::PxCI), 0U);
  EXPECT_EQ(rig.guest_bytes(kData + 512, 512), rig.disk_bytes(2, 1));
}

TEST_F(AhciDisk, completions_pass_the_clock) {
  rig.clock.hold_completions(true);
  rig.queue(0, false, 10, 1, kData);
  rig.queue(1, false, 11, 1, kData + 512);
  rig.run();
  EXPECT_EQ(get(hba::PxSACT), 3U);
  rig.clock.deliver_completions(1);
  EXPECT_EQ(get(hba::PxSACT), 2U);
  rig.clock.hold_completions(false);
  rig.clock.deliver_completions();
  EXPECT_EQ(get(hba::PxSACT), 0U);
}

TEST_F(AhciDisk, queued_read_of_what_the_host_has_in_memory_ends_at_once) {
  rig.disk->cached = true;
  rig.clock.hold_completions(true);
  rig.put(kDisk, 3, {.code = ide::READ_FPDMA_QUEUED, .lba = 10, .count = 3 << ide::kTagShift, .features = 2},
          {{kData, 512}, {kData + 0x1000, 512, true}});
  rig.set(kDisk, hba::PxSACT, 8);
  rig.issue(kDisk, 8);
  EXPECT_EQ(get(hba::PxCI), 0U);
  EXPECT_EQ(get(hba::PxSACT), 0U);
  EXPECT_EQ(get(hba::PxIS), hba::SDBS | hba::DPS);
  EXPECT_TRUE(rig.irq());
  const auto bits = rig.guest<hba::SetDeviceBits>(AhciRig::fis_area(kDisk) + hba::kReceivedDeviceBits);
  EXPECT_EQ(bits.active, 8U);
  EXPECT_EQ(rig.guest_bytes(kData, 512), rig.disk_bytes(10, 1));
  EXPECT_EQ(rig.guest_bytes(kData + 0x1000, 512), rig.disk_bytes(11, 1));
  EXPECT_EQ(rig.run(), 0U);
}

TEST_F(AhciDisk, only_a_little_is_read_at_once) {
  rig.disk->cached = true;
  constexpr unsigned kSectors = 96;  // of them, 128 may be
  for (unsigned slot = 0; slot < 2; ++slot)
    rig.put(
        kDisk, slot,
        {.code = ide::READ_FPDMA_QUEUED, .lba = slot * kSectors, .count = slot << ide::kTagShift, .features = kSectors},
        {{kData + slot * kSectors * 512, kSectors * 512}});
  rig.set(kDisk, hba::PxSACT, 3);
  rig.issue(kDisk, 3);
  EXPECT_EQ(get(hba::PxSACT), 2U);
  EXPECT_EQ(rig.run(), 1U);
  EXPECT_EQ(get(hba::PxSACT), 0U);
  EXPECT_EQ(rig.guest_bytes(kData, std::size_t{2} * kSectors * 512), rig.disk_bytes(0, std::size_t{2} * kSectors));
}

TEST_F(AhciDisk, what_fails_at_once_fails_on_the_disk) {
  rig.disk->cached = rig.disk->failing = true;
  rig.queue(0, false, 10, 1, kData);
  EXPECT_EQ(get(hba::PxSACT), 1U);
  rig.run();
  EXPECT_EQ(get(hba::PxTFD) & 0xff01, (ide::UNC << 8U) | ide::ERR);
}

TEST(AhciCountedTime, nothing_is_read_at_once) {
  AhciRig rig({.reads_at_once = false});
  rig.enable_all();
  rig.disk->cached = true;
  rig.queue(0, false, 10, 1, kData);
  EXPECT_EQ(rig.get(kDisk, hba::PxSACT), 1U);
  EXPECT_EQ(rig.run(), 1U);
  EXPECT_EQ(rig.get(kDisk, hba::PxSACT), 0U);
}

TEST_F(AhciDisk, trim_gives_back_the_ranges_it_names) {
  const core::le64 ranges[] = {(std::uint64_t{8} << 48) | 16, 0, (std::uint64_t{1} << 48) | 2047};
  rig.memory->write(core::Gpa(kData), std::vector<std::uint8_t>(512));
  for (unsigned i = 0; i < 3; ++i)
    rig.memory->write(core::Gpa(kData + 8 * i), ranges[i]);
  const AhciRig::Command trim{.code = ide::DATA_SET_MANAGEMENT, .count = 1, .features = ide::kTrim};
  rig.execute(kDisk, trim, {{kData, 512}});
  EXPECT_EQ(rig.disk->zeroes, 2U);
  EXPECT_EQ(get(hba::PxCI), 0U);
  EXPECT_EQ(get(hba::PxTFD), kReady);
  rig.memory->write(core::Gpa(kData + 16), core::le64((std::uint64_t{2} << 48) | 2047));
  rig.execute(kDisk, trim, {{kData, 512}});
  EXPECT_EQ(rig.received(kDisk).error, ide::IDNF);
  EXPECT_EQ(rig.disk->zeroes, 2U);
  rig.restart(kDisk);
  rig.execute(kDisk, trim, {{kData, 510}});
  EXPECT_NE(get(hba::PxIS) & hba::OFS, 0U);
  rig.restart(kDisk);
  rig.execute(kDisk, {.code = ide::DATA_SET_MANAGEMENT, .count = 9, .features = ide::kTrim}, {{kData, 9 * 512}});
  EXPECT_EQ(rig.received(kDisk).error, ide::ABRT);
}

TEST(AhciReadOnlyDisk, refuses_writes) {
  AhciRig rig({.read_only = true});
  rig.enable_all();
  rig.execute(kDisk, {.code = ide::WRITE_DMA_EXT, .lba = 9, .count = 2}, {{kData, 1024}});
  EXPECT_EQ(rig.received(kDisk).error, ide::ABRT);
  rig.restart(kDisk);
  rig.queue(0, true, 1, 1, kData);
  EXPECT_EQ(rig.received(kDisk).error, ide::ABRT);
  EXPECT_EQ(rig.run(), 0U);
}

}  // namespace
