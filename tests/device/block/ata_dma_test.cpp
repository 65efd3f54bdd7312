// DMA of a PATA disk through the bus master, and what becomes of requests under way.
#include <gtest/gtest.h>

#include "tests/device/block/ide_rig.h"

namespace {

using tests::IdeRig;
using tests::kPrimary;
using tests::pattern;
namespace ide = tests::ide;

constexpr std::uint8_t kReady = ide::DRDY | ide::DSC;

TEST(AtaDma, read_scatters_into_guest_memory) {
  IdeRig rig;
  rig.enable_bus_master();
  rig.put_table({{0x10000, 1024}, {0x20002, 512}, {0x30000, 512}});
  rig.address28(50, 4);
  rig.command(ide::READ_DMA);
  EXPECT_EQ(rig.alternate(), kReady | ide::DRQ);
  rig.start_bus_master(true);
  EXPECT_EQ(rig.bm_status() & ide::BMIDEA, ide::BMIDEA);
  EXPECT_EQ(rig.alternate() & ide::BSY, ide::BSY);
  rig.run();
  EXPECT_TRUE(rig.irq());
  EXPECT_EQ(rig.bm_status(), ide::kDmaInterrupt);
  EXPECT_EQ(rig.status(), kReady);
  EXPECT_EQ(rig.guest_bytes(0x10000, 1024), rig.disk_bytes(50, 1024));
  EXPECT_EQ(rig.guest_bytes(0x20002, 512), rig.disk_bytes(52, 512));
  EXPECT_EQ(rig.guest_bytes(0x30000, 512), rig.disk_bytes(53, 512));
}

TEST(AtaDma, write_gathers_from_guest_memory) {
  IdeRig rig;
  rig.enable_bus_master();
  const auto data = pattern(65536, 77);
  ASSERT_TRUE(rig.memory->write(core::Gpa(0x40000), data));
  rig.put_table({{0x40000, 0}});  // 0 means 64 KiB
  rig.start_bus_master(false);    // before the command: also allowed
  rig.address48(200, 128);
  rig.command(ide::WRITE_DMA_EXT);
  rig.run();
  EXPECT_EQ(rig.disk_bytes(200, 65536), data);
  EXPECT_EQ(rig.bm_status(), ide::kDmaInterrupt);
  EXPECT_EQ(rig.disk->flushes, 0U);
}

TEST(AtaDma, forced_unit_access_reaches_the_medium) {
  IdeRig rig;
  rig.enable_bus_master();
  rig.put_table({{0x40000, 512}});
  rig.address48(1, 1);
  rig.command(ide::WRITE_DMA_FUA_EXT);
  rig.start_bus_master(false);
  rig.run();
  EXPECT_EQ(rig.disk->writes, 1U);
  EXPECT_EQ(rig.disk->flushes, 1U);
  EXPECT_EQ(rig.status(), kReady);
}

TEST(AtaDma, short_table_ends_without_interrupt) {
  IdeRig rig;
  rig.enable_bus_master();
  rig.put_table({{0x10000, 512}});
  rig.address28(0, 2);
  rig.command(ide::READ_DMA);
  rig.start_bus_master(true);
  EXPECT_EQ(rig.run(), 0U);
  EXPECT_FALSE(rig.irq());
  EXPECT_EQ(rig.bm_status(), 0);
}

TEST(AtaDma, longer_table_leaves_the_engine_active) {
  IdeRig rig;
  rig.enable_bus_master();
  rig.put_table({{0x10000, 512}, {0x11000, 512}});
  rig.address28(0, 1);
  rig.command(ide::READ_DMA);
  rig.start_bus_master(true);
  rig.run();
  EXPECT_EQ(rig.bm_status(), ide::kDmaInterrupt | ide::BMIDEA);
  rig.stop_bus_master();
  EXPECT_EQ(rig.bm_status(), ide::kDmaInterrupt);
}

TEST(AtaDma, memory_outside_ram_is_an_error) {
  IdeRig rig;
  rig.enable_bus_master();
  for (const std::uint32_t base : {0xfffffffeU, 0xfd000000U, static_cast<std::uint32_t>(IdeRig::kRam - 2)}) {
    rig.put_table({{base, 512}});
    rig.address28(0, 1);
    rig.command(ide::READ_DMA);
    rig.start_bus_master(true);
    EXPECT_EQ(rig.run(), 0U);
    EXPECT_EQ(rig.bm_status(), ide::kDmaError | ide::kDmaInterrupt);
    EXPECT_EQ(rig.status(), kReady | ide::ERR);
    EXPECT_EQ(rig.reg(ide::ERROR), ide::ABRT);
    rig.stop_bus_master();
  }
}

TEST(AtaDma, table_outside_ram_is_an_error) {
  IdeRig rig;
  rig.enable_bus_master();
  rig.address28(0, 1);
  rig.command(ide::READ_DMA);
  rig.bus.out32(kPrimary.bus_master + ide::BMIDTPX, 0xfffffffc);
  rig.bus.out8(kPrimary.bus_master + ide::BMICX, ide::SSBM | ide::RWCON);
  EXPECT_EQ(rig.bm_status(), ide::kDmaError | ide::kDmaInterrupt);
  EXPECT_EQ(rig.status() & ide::ERR, ide::ERR);
}

TEST(AtaDma, endless_table_of_tiny_pieces_is_bounded) {
  IdeRig rig;
  rig.enable_bus_master();
  const std::vector<IdeRig::Piece> pieces(3 * ide::kMaxPrds / 2, {0x100000, 2});
  rig.put_table(pieces, false);
  rig.address28(0, 256);
  rig.command(ide::READ_DMA);
  rig.start_bus_master(true);
  EXPECT_EQ(rig.run(), 0U);
  EXPECT_EQ(rig.bm_status(), 0);
}

TEST(AtaDma, without_bus_mastering_nothing_moves) {
  IdeRig rig;
  rig.enable_bus_master();
  rig.pci.config_write(0, {1, 1}, 0x04, 2, 0x0001);
  rig.put_table({{0x10000, 512}});
  rig.address28(0, 1);
  rig.command(ide::READ_DMA);
  rig.start_bus_master(true);
  EXPECT_EQ(rig.run(), 0U);
  EXPECT_EQ(rig.bm_status() & ide::kDmaError, ide::kDmaError);
}

TEST(AtaDma, backend_error_shows_in_both_places) {
  IdeRig rig;
  rig.enable_bus_master();
  rig.disk->failing = true;
  rig.put_table({{0x10000, 512}});
  rig.address28(0, 1);
  rig.command(ide::READ_DMA);
  rig.start_bus_master(true);
  rig.run();
  EXPECT_EQ(rig.bm_status(), ide::kDmaError | ide::kDmaInterrupt);
  EXPECT_EQ(rig.status(), kReady | ide::ERR);
  EXPECT_EQ(rig.reg(ide::ERROR), ide::UNC);
  rig.stop_bus_master();
  rig.address28(0, 1);
  rig.command(ide::WRITE_DMA);
  rig.start_bus_master(false);
  rig.run();
  EXPECT_EQ(rig.status(), kReady | ide::DF | ide::ERR);
}

TEST(AtaDma, stopping_the_engine_lets_the_request_end) {
  IdeRig rig;
  rig.enable_bus_master();
  rig.put_table({{0x10000, 512}});
  rig.address28(9, 1);
  rig.command(ide::READ_DMA);
  rig.start_bus_master(true);
  rig.stop_bus_master();
  EXPECT_EQ(rig.bm_status(), 0);
  rig.run();
  EXPECT_EQ(rig.status(), kReady);
  EXPECT_EQ(rig.guest_bytes(0x10000, 512), rig.disk_bytes(9, 512));
}

TEST(AtaReset, request_under_way_is_dropped_but_keeps_the_channel_busy) {
  IdeRig rig;
  rig.enable_bus_master();
  rig.put_table({{0x10000, 512}});
  rig.address28(9, 1);
  rig.command(ide::READ_DMA);
  rig.start_bus_master(true);
  rig.bus.out8(kPrimary.control, ide::SRST);
  rig.bus.out8(kPrimary.control, 0);
  EXPECT_EQ(rig.alternate() & ide::BSY, ide::BSY);  // its memory may still change
  rig.command(ide::IDENTIFY_DEVICE);
  rig.run();
  EXPECT_FALSE(rig.irq());
  EXPECT_EQ(rig.status(), kReady);
  EXPECT_EQ(rig.reg(ide::ERROR), 1);
}

TEST(AtaReset, machine_reset_survives_a_late_completion) {
  IdeRig rig;
  rig.clock.hold_completions(true);
  rig.address28(9, 1);
  rig.command(ide::READ_SECTORS);
  rig.run();
  EXPECT_EQ(rig.clock.held_completions(), 1U);
  {
    const std::scoped_lock guard(rig.device.lock());
    rig.device.reset();
  }
  EXPECT_EQ(rig.alternate() & ide::BSY, ide::BSY);
  rig.clock.deliver_completions();
  EXPECT_EQ(rig.alternate(), kReady);
  EXPECT_FALSE(rig.irq());
}

TEST(AtaReset, controller_may_go_with_a_request_under_way) {
  auto rig = std::make_unique<IdeRig>();
  rig->address28(9, 1);
  rig->command(ide::READ_SECTORS);
  const auto disk = rig->disk;
  rig.reset();
  EXPECT_TRUE(disk->waiting.empty());
}

TEST(AtaGate, completion_waits_for_the_clock) {
  IdeRig rig;
  rig.clock.hold_completions(true);
  rig.address28(9, 1);
  rig.command(ide::READ_SECTORS);
  rig.run();
  EXPECT_EQ(rig.alternate() & ide::BSY, ide::BSY);
  rig.clock.deliver_completions();
  EXPECT_EQ(rig.status(), kReady | ide::DRQ);
}

}  // namespace
