#include <gtest/gtest.h>

#include "tests/device/block/ahci_rig.h"
#include "tests/state/state_law.h"

namespace {

using tests::AhciRig;
namespace ide = tests::ide;
namespace hba = tests::hba;

// Commands done, write cache off, a tray open, interrupts pending.
struct WorkedRig : AhciRig {
  void scribble() {
    enable_all();
    execute(kDisk, {.code = ide::SET_FEATURES, .features = ide::kDisableWriteCache});
    queue(9, false, 3, 1, kData);
    run();
    put(kDisk, 12, {.code = ide::IDENTIFY_DEVICE}, {{kData, 512, true}});
    issue(kDisk, 1 << 12);
    packet({ide::PREVENT_ALLOW_MEDIUM_REMOVAL, 0, 0, 0, 1});
    packet({ide::READ_10, 0, 0, 0, 0, 1, 0, 0, 2}, {{kData, 4096}});
    run();
    set(kEmpty, hba::PxSCTL, 0x301);
  }
};

// Halted by errors with commands left, and an error log that nobody has read.
struct HaltedRig : AhciRig {
  void scribble() {
    enable_all();
    queue(4, false, 100'000, 1, kData);
    queue(5, false, 1, 1, kData);
    packet({ide::READ_10, 0, 0, 0, 0, 1, 0, 0, 2}, {{0xf000'0000, 4096}});
    run();
    set_command(0x0002);
  }
};

// In the middle of a software reset, with the link of the other drive down.
struct ResettingRig : AhciRig {
  void scribble() {
    enable_all();
    hba::RegisterH2D fis{};
    fis.type = hba::kRegisterH2D;
    fis.control = ide::SRST;
    put_fis(kDisk, 0, fis, {});
    issue(kDisk, 1);
    stop(kCdrom);
    set(kCdrom, hba::PxSCTL, 0x304);
    run();
  }
};

TEST(AhciState, worked_controller_obeys_the_state_law) {
  tests::check_state_law<WorkedRig>();
}

TEST(AhciState, halted_ports_obey_the_state_law) {
  tests::check_state_law<HaltedRig>();
}

TEST(AhciState, resetting_ports_obey_the_state_law) {
  tests::check_state_law<ResettingRig>();
}

TEST(AhciState, drain_ends_commands_of_several_requests) {
  AhciRig rig;
  rig.enable_all();
  rig.queue(0, true, 1, 1, AhciRig::kData, ide::kForceUnitAccess);
  rig.put(AhciRig::kCdrom, 0,
          {.code = ide::PACKET, .features = 1, .packet = {ide::READ_CD, 0, 0, 0, 0, 3, 0, 0, 60, 0xf8}},
          {{AhciRig::kData, 60 * 2352}});
  rig.issue(AhciRig::kCdrom, 1);
  rig.device.drain();
  EXPECT_EQ(rig.get(AhciRig::kDisk, hba::PxSACT), 0U);
  EXPECT_EQ(rig.get(AhciRig::kCdrom, hba::PxCI), 0U);
  EXPECT_EQ(rig.disk->flushes, 1U);
}

TEST(AhciState, loaded_controller_goes_on) {
  WorkedRig original;
  original.scribble();
  const auto saved = tests::save_rig(original);
  WorkedRig copy;
  ASSERT_TRUE(tests::load_rig(copy, saved));
  copy.pci.remap();
  EXPECT_EQ(copy.irq(), original.irq());
  copy.execute(AhciRig::kDisk, {.code = ide::READ_DMA_EXT, .lba = 8, .count = 1}, {{AhciRig::kData, 512}});
  EXPECT_EQ(copy.guest_bytes(AhciRig::kData, 512), copy.disk_bytes(8, 1));
}

}  // namespace
