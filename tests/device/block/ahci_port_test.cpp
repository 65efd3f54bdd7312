// The controller's and the ports' registers, resets, and what happens to commands that cannot be.
#include <gtest/gtest.h>

#include "tests/device/block/ahci_rig.h"

namespace {

using tests::AhciRig;
namespace ide = tests::ide;
namespace hba = tests::hba;

constexpr std::uint32_t kReady = ide::DRDY | ide::DSC;
constexpr AhciRig::Command kRead{.code = ide::READ_DMA_EXT, .lba = 5, .count = 2};

TEST(AhciRegisters, power_on_values_name_ports_and_drives) {
  AhciRig rig;
  rig.enable();
  EXPECT_EQ(rig.generic(hba::CAP), 0xc124'9f05U);
  EXPECT_EQ(rig.generic(hba::PI), 0x3fU);
  EXPECT_EQ(rig.generic(hba::VS), 0x0001'0301U);
  EXPECT_EQ(rig.generic(hba::GHC), hba::GHC_AE | hba::GHC_IE);
  EXPECT_EQ(rig.get(AhciRig::kDisk, hba::PxSSTS), hba::kLinkUp);
  EXPECT_EQ(rig.get(AhciRig::kDisk, hba::PxSIG), 0x00000101U);
  EXPECT_EQ(rig.get(AhciRig::kDisk, hba::PxTFD), kReady | 0x100);
  EXPECT_EQ(rig.get(AhciRig::kDisk, hba::PxCMD), hba::CMD_SUD | hba::CMD_POD);
  EXPECT_EQ(rig.get(AhciRig::kCdrom, hba::PxSIG), 0xeb140101U);
  EXPECT_EQ(rig.get(AhciRig::kEmpty, hba::PxSSTS), 0U);
  EXPECT_EQ(rig.get(AhciRig::kEmpty, hba::PxSIG), 0xffff'ffffU);
  EXPECT_EQ(rig.get(AhciRig::kEmpty, hba::PxTFD), 0x7fU);
}

TEST(AhciRegisters, read_only_and_absent_registers_keep_their_values) {
  AhciRig rig;
  rig.enable();
  for (std::uint32_t offset = 0; offset < 0x1000; offset += 4)
    if (offset != hba::GHC) rig.set_generic(offset, 0xffff'ffff);
  EXPECT_EQ(rig.generic(hba::PI), 0x3fU);
  EXPECT_EQ(rig.generic(hba::CAP2), 0U);
  EXPECT_EQ(rig.get(AhciRig::kDisk, hba::PxCLB), 0xffff'fc00U);
  EXPECT_EQ(rig.get(AhciRig::kDisk, hba::PxFB), 0xffff'ff00U);
  EXPECT_EQ(rig.get(AhciRig::kDisk, hba::PxSIG), 0x00000101U);
  EXPECT_EQ(rig.generic(0xffc), 0U);
}

TEST(AhciRegisters, accesses_of_other_widths_reach_the_same_bytes) {
  AhciRig rig;
  rig.enable();
  const auto at = AhciRig::at(AhciRig::kDisk, hba::PxCLB);
  rig.mmio.space.write(at, 8, 0x1122'3344'5566'7788);
  EXPECT_EQ(rig.mmio.space.read(at, 8), 0x1122'3344'5566'7400U);
  rig.mmio.out8(at + 5, 0xaa);
  EXPECT_EQ(rig.get(AhciRig::kDisk, hba::PxCLBU), 0x1122'aa44U);
  rig.mmio.space.write(at + 3, 4, 0x99887766);
  EXPECT_EQ(rig.mmio.space.read(at, 8), 0x1199'8877'6666'7400U);
}

TEST(AhciInterrupt, follows_port_enable_and_both_status_registers) {
  AhciRig rig;
  rig.enable_all();
  rig.execute(AhciRig::kDisk, kRead, {{AhciRig::kData, 1024}});
  EXPECT_TRUE(rig.irq());
  EXPECT_EQ(rig.generic(hba::IS), 1U);
  rig.set_generic(hba::IS, 1);  // the port still asks
  EXPECT_TRUE(rig.irq());
  rig.set(AhciRig::kDisk, hba::PxIS, hba::DHRS);
  EXPECT_TRUE(rig.irq());
  rig.set_generic(hba::IS, 1);
  EXPECT_FALSE(rig.irq());
  rig.set(AhciRig::kDisk, hba::PxIE, hba::TFES);
  rig.execute(AhciRig::kDisk, kRead, {{AhciRig::kData, 1024}});
  EXPECT_FALSE(rig.irq());
  EXPECT_EQ(rig.get(AhciRig::kDisk, hba::PxIS), hba::DHRS);
  rig.set(AhciRig::kDisk, hba::PxIE, hba::DHRS);
  EXPECT_TRUE(rig.irq());
  rig.set_generic(hba::GHC, hba::GHC_AE);
  EXPECT_FALSE(rig.irq());
}

TEST(AhciInterrupt, messages_take_the_place_of_the_line_and_repeat_what_is_left) {
  constexpr std::uint32_t kMsi = 0x40;
  constexpr core::MsiMessage kMessage{0x0000'0001'fee0'1000, 0x41};
  AhciRig rig;
  rig.enable_all();
  rig.pci.config_write(0, AhciRig::kSlot, kMsi + 4, 4, 0xfee0'1003);
  rig.pci.config_write(0, AhciRig::kSlot, kMsi + 8, 4, 1);
  rig.pci.config_write(0, AhciRig::kSlot, kMsi + 12, 2, 0x41);
  rig.pci.config_write(0, AhciRig::kSlot, kMsi + 2, 2, 1);
  rig.execute(AhciRig::kDisk, kRead, {{AhciRig::kData, 1024}});
  EXPECT_FALSE(rig.irq());
  EXPECT_EQ(rig.msi.messages, std::vector{kMessage});
  rig.execute(AhciRig::kDisk, kRead, {{AhciRig::kData, 1024}});
  EXPECT_EQ(rig.msi.messages.size(), 1U);
  rig.set_generic(hba::IS, 1);  // the port still asks
  EXPECT_EQ(rig.msi.messages.size(), 2U);
  rig.set(AhciRig::kDisk, hba::PxIS, hba::DHRS);
  rig.set_generic(hba::IS, 1);
  EXPECT_EQ(rig.msi.messages.size(), 2U);
  rig.execute(AhciRig::kDisk, kRead, {{AhciRig::kData, 1024}});
  EXPECT_EQ(rig.msi.messages.size(), 3U);
  rig.pci.config_write(0, AhciRig::kSlot, kMsi + 2, 2, 0);
  EXPECT_TRUE(rig.irq());
}

TEST(AhciEngine, takes_nothing_while_stopped_or_no_bus_master) {
  AhciRig rig;
  rig.enable();
  rig.put(AhciRig::kDisk, 0, kRead, {{AhciRig::kData, 1024}});
  rig.issue(AhciRig::kDisk, 1);
  EXPECT_EQ(rig.get(AhciRig::kDisk, hba::PxCI), 0U);
  rig.start(AhciRig::kDisk);
  rig.set_command(0x0002);
  rig.issue(AhciRig::kDisk, 1);
  EXPECT_EQ(rig.run(), 0U);
  EXPECT_EQ(rig.get(AhciRig::kDisk, hba::PxCI), 1U);
  rig.set_command(0x0006);
  EXPECT_EQ(rig.run(), 1U);
  EXPECT_EQ(rig.get(AhciRig::kDisk, hba::PxCI), 0U);
}

TEST(AhciEngine, stop_waits_for_the_disk_and_drops_its_result) {
  AhciRig rig;
  rig.enable_all();
  rig.put(AhciRig::kDisk, 0, kRead, {{AhciRig::kData, 1024}});
  rig.issue(AhciRig::kDisk, 1);
  rig.stop(AhciRig::kDisk);
  EXPECT_EQ(rig.get(AhciRig::kDisk, hba::PxCI), 0U);
  EXPECT_NE(rig.get(AhciRig::kDisk, hba::PxCMD) & hba::CMD_CR, 0U);
  rig.run();
  EXPECT_EQ(rig.get(AhciRig::kDisk, hba::PxCMD) & hba::CMD_CR, 0U);
  EXPECT_EQ(rig.get(AhciRig::kDisk, hba::PxIS), 0U);
  EXPECT_EQ(rig.get(AhciRig::kDisk, hba::PxTFD) & ide::BSY, 0U);
}

TEST(AhciReset, hba_reset_waits_for_the_disk_and_keeps_addresses) {
  AhciRig rig;
  rig.enable_all();
  rig.queue(3, false, 1, 1, AhciRig::kData);
  rig.set_generic(hba::GHC, hba::GHC_HR);
  EXPECT_EQ(rig.generic(hba::GHC), hba::GHC_AE | hba::GHC_HR);
  rig.set(AhciRig::kDisk, hba::PxIE, 1);  // not heard
  rig.run();
  EXPECT_EQ(rig.generic(hba::GHC), hba::GHC_AE);
  EXPECT_EQ(rig.get(AhciRig::kDisk, hba::PxIE), 0U);
  EXPECT_EQ(rig.get(AhciRig::kDisk, hba::PxSACT), 0U);
  EXPECT_EQ(rig.get(AhciRig::kDisk, hba::PxCLB), AhciRig::list(AhciRig::kDisk));
  EXPECT_EQ(rig.get(AhciRig::kDisk, hba::PxSIG), 0x00000101U);
  EXPECT_FALSE(rig.irq());
  rig.enable_all();
  rig.execute(AhciRig::kDisk, kRead, {{AhciRig::kData, 1024}});
  EXPECT_EQ(rig.guest_bytes(AhciRig::kData, 1024), rig.disk_bytes(5, 2));
}

TEST(AhciReset, comreset_takes_the_link_down_and_brings_the_signature) {
  AhciRig rig;
  rig.enable_all();
  rig.queue(0, false, 1, 1, AhciRig::kData);
  rig.stop(AhciRig::kDisk);
  rig.set(AhciRig::kDisk, hba::PxSCTL, 0x301);
  EXPECT_EQ(rig.get(AhciRig::kDisk, hba::PxSSTS), 0U);
  EXPECT_EQ(rig.get(AhciRig::kDisk, hba::PxTFD), 0x7fU);
  rig.set(AhciRig::kDisk, hba::PxSCTL, 0x300);
  EXPECT_EQ(rig.get(AhciRig::kDisk, hba::PxSSTS), hba::kLinkUp);
  EXPECT_EQ(rig.get(AhciRig::kDisk, hba::PxSIG), 0xffff'ffffU);
  EXPECT_NE(rig.get(AhciRig::kDisk, hba::PxTFD) & ide::BSY, 0U);
  EXPECT_NE(rig.get(AhciRig::kDisk, hba::PxIS) & hba::PCS, 0U);
  rig.run();
  EXPECT_EQ(rig.get(AhciRig::kDisk, hba::PxSIG), 0x00000101U);
  EXPECT_EQ(rig.get(AhciRig::kDisk, hba::PxTFD), kReady | 0x100);
  rig.set(AhciRig::kDisk, hba::PxSERR, hba::DIAG_X | hba::DIAG_N);
  EXPECT_EQ(rig.get(AhciRig::kDisk, hba::PxIS), 0U);
  rig.set(AhciRig::kDisk, hba::PxSCTL, 0x304);
  EXPECT_EQ(rig.get(AhciRig::kDisk, hba::PxSSTS), hba::kLinkDisabled);
  rig.set(AhciRig::kEmpty, hba::PxSCTL, 0x301);
  rig.set(AhciRig::kEmpty, hba::PxSCTL, 0x300);
  EXPECT_EQ(rig.get(AhciRig::kEmpty, hba::PxSSTS), 0U);
}

TEST(AhciReset, software_reset_by_two_control_fises) {
  AhciRig rig;
  rig.enable_all();
  hba::RegisterH2D fis{};
  fis.type = hba::kRegisterH2D;
  fis.control = ide::SRST;
  rig.put_fis(AhciRig::kCdrom, 0, fis, {}, 5 | hba::kClearBusy);
  rig.issue(AhciRig::kCdrom, 1);
  EXPECT_EQ(rig.get(AhciRig::kCdrom, hba::PxCI), 0U);
  fis.control = 0;
  rig.put_fis(AhciRig::kCdrom, 1, fis, {});
  rig.issue(AhciRig::kCdrom, 2);
  EXPECT_EQ(rig.get(AhciRig::kCdrom, hba::PxCI), 0U);
  EXPECT_EQ(rig.get(AhciRig::kCdrom, hba::PxSIG), 0xeb140101U);
  EXPECT_EQ(rig.get(AhciRig::kCdrom, hba::PxTFD), 0x100U);
  EXPECT_EQ(rig.received(AhciRig::kCdrom).lba[1], 0x14);
}

TEST(AhciReset, commands_within_a_software_reset_hang_until_command_list_override) {
  AhciRig rig;
  rig.enable_all();
  hba::RegisterH2D fis{};
  fis.type = hba::kRegisterH2D;
  fis.control = ide::SRST;
  rig.put_fis(AhciRig::kDisk, 0, fis, {}, 5 | hba::kClearBusy);
  rig.issue(AhciRig::kDisk, 1);
  rig.execute(AhciRig::kDisk, kRead, {{AhciRig::kData, 1024}});
  EXPECT_EQ(rig.get(AhciRig::kDisk, hba::PxCI), 1U);
  EXPECT_NE(rig.get(AhciRig::kDisk, hba::PxTFD) & ide::BSY, 0U);
  rig.stop(AhciRig::kDisk);
  rig.set(AhciRig::kDisk, hba::PxCMD, hba::CMD_FRE | hba::CMD_CLO);
  EXPECT_EQ(rig.get(AhciRig::kDisk, hba::PxTFD) & ide::BSY, 0U);
  EXPECT_EQ(rig.get(AhciRig::kDisk, hba::PxCMD) & hba::CMD_CLO, 0U);
}

// What is wrong, and the interrupt that says so; a stop and a start make the port work again.
struct Wrong {
  std::uint32_t cause;
  void (*prepare)(AhciRig& rig);
};

void expect_halt_and_recovery(const Wrong& wrong) {
  AhciRig rig;
  rig.enable_all();
  rig.put(AhciRig::kDisk, 0, kRead, {{AhciRig::kData, 1024}});
  wrong.prepare(rig);
  rig.issue(AhciRig::kDisk, 1);
  rig.run();
  EXPECT_EQ(rig.get(AhciRig::kDisk, hba::PxIS) & wrong.cause, wrong.cause);
  EXPECT_EQ(rig.get(AhciRig::kDisk, hba::PxCI), 1U);
  EXPECT_TRUE(rig.irq());
  rig.issue(AhciRig::kDisk, 2);  // not looked at
  EXPECT_EQ(rig.run(), 0U);
  rig.stop(AhciRig::kDisk);
  rig.start(AhciRig::kDisk);
  rig.execute(AhciRig::kDisk, kRead, {{AhciRig::kData, 1024}});
  EXPECT_EQ(rig.get(AhciRig::kDisk, hba::PxCI), 0U);
  EXPECT_EQ(rig.get(AhciRig::kDisk, hba::PxIS), hba::DHRS);
}

TEST(AhciErrors, command_list_outside_ram) {
  expect_halt_and_recovery({hba::HBFS, [](AhciRig& rig) { rig.set(0, hba::PxCLB, 0xf000'0000); }});
}
TEST(AhciErrors, command_table_outside_ram) {
  expect_halt_and_recovery({hba::HBFS, [](AhciRig& rig) {
                              rig.memory->write(core::Gpa(AhciRig::list(0) + 8), core::le64(0xffff'ffff'ffff'ff80));
                            }});
}
TEST(AhciErrors, descriptor_outside_ram) {
  expect_halt_and_recovery(
      {hba::HBFS, [](AhciRig& rig) { rig.put(0, 0, kRead, {{AhciRig::kData, 512}, {0x1'0000'0000, 512}}); }});
}
TEST(AhciErrors, descriptor_that_wraps_around) {
  expect_halt_and_recovery({hba::HBFS, [](AhciRig& rig) { rig.put(0, 0, kRead, {{0xffff'ffff'ffff'fe00, 1024}}); }});
}
TEST(AhciErrors, fis_area_outside_ram) {
  expect_halt_and_recovery({hba::HBFS, [](AhciRig& rig) {
                              rig.set(0, hba::PxFBU, 1);
                              rig.put(0, 0, {.code = ide::IDENTIFY_DEVICE}, {{AhciRig::kData, 512}});
                            }});
}
TEST(AhciErrors, too_few_descriptors_overflow) {
  expect_halt_and_recovery({hba::OFS, [](AhciRig& rig) { rig.put(0, 0, kRead, {{AhciRig::kData, 1022}}); }});
}
TEST(AhciErrors, no_descriptors_for_pio_data_overflow) {
  expect_halt_and_recovery({hba::OFS, [](AhciRig& rig) {
                              rig.put(0, 0, {.code = ide::READ_SECTORS, .count = 3}, {{AhciRig::kData, 1024}});
                            }});
}
TEST(AhciErrors, short_command_fis) {
  expect_halt_and_recovery({hba::IFS, [](AhciRig& rig) { rig.put_fis(0, 0, AhciRig::fis_of(kRead), {}, 4); }});
}
TEST(AhciErrors, unknown_fis_type) {
  expect_halt_and_recovery({hba::IFS, [](AhciRig& rig) {
                              auto fis = AhciRig::fis_of(kRead);
                              fis.type = 0x46;
                              rig.put_fis(0, 0, fis, {});
                            }});
}
TEST(AhciErrors, address_beyond_the_disk) {
  expect_halt_and_recovery({hba::TFES | hba::DHRS, [](AhciRig& rig) {
                              rig.put(0, 0, {.code = ide::READ_DMA_EXT, .lba = 2047, .count = 2}, {{0x1000, 1024}});
                            }});
}
TEST(AhciErrors, unknown_command) {
  expect_halt_and_recovery({hba::TFES, [](AhciRig& rig) { rig.put(0, 0, {.code = 0x05}, {}); }});
}

TEST(AhciErrors, failing_disk_shows_error_and_status) {
  AhciRig rig;
  rig.enable_all();
  rig.disk->failing = true;
  rig.execute(AhciRig::kDisk, kRead, {{AhciRig::kData, 1024}});
  EXPECT_EQ(rig.get(AhciRig::kDisk, hba::PxTFD), (ide::UNC << 8U) | kReady | ide::ERR);
  EXPECT_EQ(rig.received(AhciRig::kDisk).error, ide::UNC);
  EXPECT_EQ((rig.get(AhciRig::kDisk, hba::PxCMD) & hba::CMD_CCS) >> hba::CMD_CCS_SHIFT, 0U);
}

}  // namespace
