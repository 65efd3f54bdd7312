#include <gtest/gtest.h>

#include "tests/device/block/ide_rig.h"
#include "tests/state/state_law.h"

namespace {

using tests::IdeRig;
using tests::kPrimary;
using tests::kSecondary;
namespace ide = tests::ide;

// The disk in the middle of a PIO transfer, the CD-ROM drive with a packet half given or a reply half taken.
struct PioRig : IdeRig {
  void scribble() {
    enable_bus_master();
    bus.out8(kPrimary.control, 0);
    bus.out8(kPrimary.bus_master + ide::BMISX, 0x60);
    bus.out32(kPrimary.bus_master + ide::BMIDTPX, 0x12345678);
    set_reg(ide::SECTOR_COUNT, 8);
    command(ide::SET_MULTIPLE_MODE);
    address48(300, 21);
    command(ide::READ_MULTIPLE_EXT);
    run();
    read_data(8 * 512 + 100);
    run();
    packet({ide::PREVENT_ALLOW_MEDIUM_REMOVAL, 0, 0, 0, 1});
    packet({ide::READ_10, 0, 0, 0, 0, 5, 0, 0, 40}, false, 5000);
    read_data(4096 + 10, kSecondary);
    run();
  }
};

// Both waiting for a bus master that never starts, write cache off, an event pending.
struct DmaRig : IdeRig {
  void scribble() {
    enable_bus_master();
    bus.out8(kPrimary.control, ide::nIEN | ide::HOB);
    set_reg(ide::ERROR, ide::kDisableWriteCache);
    command(ide::SET_FEATURES);
    run();
    set_reg(ide::SECTOR_COUNT, 17);
    set_reg(ide::DEVICE, 5);
    command(ide::INITIALIZE_DEVICE_PARAMETERS);
    set_reg(ide::SECTOR_COUNT, 3);
    set_reg(ide::LBA_LOW, 2);
    command(ide::WRITE_DMA);
    run();
    packet({ide::START_STOP_UNIT, 0, 0, 0, 2});
    packet({ide::TEST_UNIT_READY});
    packet({ide::MODE_SENSE_10, 0, 0x2a, 0, 0, 0, 0, 0, 64}, true);
    run();
  }
};

// A write block half given, an empty task file on the other side.
struct WriteRig : IdeRig {
  void scribble() {
    address28(77, 9);
    command(ide::WRITE_MULTIPLE);
    write_data(std::vector<std::uint8_t>(700, 0x5a));
    run();
    command(ide::PACKET, kSecondary);
    write_data(std::array<std::uint8_t, 6>{ide::READ_10}, kSecondary);
    run();
  }
};

TEST(IdeState, pio_transfers_obey_the_state_law) {
  tests::check_state_law<PioRig>();
}

TEST(IdeState, waiting_dma_obeys_the_state_law) {
  tests::check_state_law<DmaRig>();
}

TEST(IdeState, half_given_blocks_obey_the_state_law) {
  tests::check_state_law<WriteRig>();
}

TEST(IdeState, transfer_goes_on_after_a_load) {
  PioRig original;
  original.scribble();
  const auto saved = tests::save_rig(original);
  PioRig copy;
  ASSERT_TRUE(tests::load_rig(copy, saved));
  EXPECT_EQ(copy.irq(), original.irq());
  EXPECT_EQ(copy.read_data(8 * 512), original.read_data(8 * 512));
  EXPECT_EQ(copy.status(), original.status());
}

TEST(IdeState, drain_ends_commands_of_several_requests) {
  IdeRig rig;
  rig.set_reg(ide::ERROR, ide::kDisableWriteCache);
  rig.command(ide::SET_FEATURES);
  rig.run();
  rig.address28(3, 1);
  rig.command(ide::WRITE_SECTORS);
  rig.write_data(std::vector<std::uint8_t>(512));
  rig.device.drain();  // a write, then a flush
  EXPECT_EQ(rig.alternate(), ide::DRDY | ide::DSC);
  EXPECT_EQ(rig.disk->flushes, 2U);
}

}  // namespace
