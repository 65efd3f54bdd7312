#include "firmware/platform.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/firmware/kernel_files.h"

namespace {

using firmware::FwCfgKey;
using testing::ElementsAre;
using testing::HasSubstr;

class Platform : public testing::Test {
 protected:
  Platform() {
    config.ram.below_4g = 0x4000000;
    config.cpus = 2;
    config.name = "test";
  }

  std::string text(std::string_view file) const {
    const auto bytes = fw_cfg.file(file);
    return {bytes.begin(), bytes.end()};
  }

  std::unique_ptr<core::GuestMemory> memory = std::move(*core::GuestMemory::create(4096, 4096));
  firmware::FwCfg fw_cfg{firmware::FwCfg::Wiring{.memory = *memory}};
  firmware::PlatformConfig config;
};

TEST_F(Platform, bios_finds_all_it_asks_for) {
  config.reserved = {{.start = 0xfeffc000, .size = 0x4000}};
  ASSERT_TRUE(firmware::fill_fw_cfg(fw_cfg, config));
  EXPECT_THAT(fw_cfg.item(FwCfgKey::CpuCount), ElementsAre(2, 0));
  EXPECT_THAT(fw_cfg.item(FwCfgKey::MaxCpus), ElementsAre(2, 0));
  EXPECT_THAT(fw_cfg.item(FwCfgKey::BootMenu), ElementsAre(0, 0));
  EXPECT_EQ(fw_cfg.item(FwCfgKey::Irq0Override)[0], 1);
  EXPECT_EQ(fw_cfg.item(FwCfgKey::Uuid).size(), 16U);
  EXPECT_EQ(fw_cfg.file("etc/e820").size(), 40U);
  EXPECT_THAT(fw_cfg.file("etc/system-states"), ElementsAre(0x80, 0, 0, 0x81, 0x82, 0x80));
  EXPECT_FALSE(fw_cfg.file("etc/acpi/rsdp").empty());
  EXPECT_FALSE(fw_cfg.file("etc/acpi/tables").empty());
  EXPECT_FALSE(fw_cfg.file("etc/table-loader").empty());
  EXPECT_FALSE(fw_cfg.file("etc/smbios/smbios-anchor").empty());
  EXPECT_FALSE(fw_cfg.file("etc/smbios/smbios-tables").empty());
  EXPECT_TRUE(fw_cfg.file("bootorder").empty());
}

TEST_F(Platform, e820_has_ram_around_the_hole) {
  config.ram.above_4g = 0x1000;
  ASSERT_TRUE(firmware::fill_fw_cfg(fw_cfg, config));
  const auto map = fw_cfg.file("etc/e820");
  ASSERT_EQ(map.size(), 40U);
  EXPECT_EQ(core::load_le<std::uint64_t>(map.data() + 8), 0x4000000U);
  EXPECT_EQ(core::load_le<std::uint64_t>(map.data() + 20), 0x100000000U);
  EXPECT_EQ(core::load_le<std::uint64_t>(map.data() + 28), 0x1000U);
}

TEST_F(Platform, boot_order_and_menu_are_told) {
  const firmware::BootCandidate candidates[] = {{.letter = 'c', .path = firmware::ide_boot_path(0, 0)},
                                                {.letter = 'd', .path = firmware::ide_boot_path(1, 0)},
                                                {.letter = 'n', .path = firmware::pci_boot_path("ethernet", 3, 0)},
                                                {.letter = 'c', .path = firmware::pci_boot_path("scsi", 4, 1)},
                                                {.letter = 'c', .path = firmware::ahci_boot_path(6, 2)}};
  config.boot_order = firmware::ordered_paths("dc", candidates);
  config.boot_menu = true;
  config.boot_menu_wait_ms = 500;
  ASSERT_TRUE(firmware::fill_fw_cfg(fw_cfg, config));
  EXPECT_STREQ(text("bootorder").c_str(),
               "/pci@i0cf8/ide@1,1/drive@1/disk@0\n"
               "/pci@i0cf8/ide@1,1/drive@0/disk@0\n"
               "/pci@i0cf8/scsi@4,1\n"
               "/pci@i0cf8/sata@6/drive@2/disk@0");
  EXPECT_EQ(text("bootorder").back(), '\0');
  EXPECT_THAT(fw_cfg.item(FwCfgKey::BootMenu), ElementsAre(1, 0));
  EXPECT_THAT(fw_cfg.file("etc/boot-menu-wait"), ElementsAre(0xf4, 0x01));
}

TEST_F(Platform, kernel_boots_before_any_device) {
  config.boot_order = {firmware::ide_boot_path(0, 0)};
  config.kernel = firmware::KernelFiles{.path = "k", .kernel = tests::linux_file(), .command_line = "", .modules = {}};
  const auto platform = firmware::fill_fw_cfg(fw_cfg, config);
  ASSERT_TRUE(platform) << platform.error().message;
  EXPECT_TRUE(platform->bios.empty());
  EXPECT_THAT(text("bootorder"), testing::StartsWith("/rom@genroms/minivmm-boot.bin\n/pci@i0cf8/ide@1,1/"));
  EXPECT_EQ(fw_cfg.file("genroms/minivmm-boot.bin")[0], 0x55);
}

TEST_F(Platform, kernel_without_bios_comes_with_an_image_of_its_own) {
  config.kernel = firmware::KernelFiles{.path = "k", .kernel = tests::pvh_elf(), .command_line = "", .modules = {}};
  config.kernel_from = firmware::BootFrom::None;
  const auto platform = firmware::fill_fw_cfg(fw_cfg, config);
  ASSERT_TRUE(platform) << platform.error().message;
  EXPECT_EQ(platform->bios.size(), 0x10000U);
}

TEST_F(Platform, kernel_that_is_none_is_an_error) {
  config.kernel = firmware::KernelFiles{.path = "notes.txt", .kernel = {'h', 'i'}, .command_line = "", .modules = {}};
  const auto platform = firmware::fill_fw_cfg(fw_cfg, config);
  ASSERT_FALSE(platform);
  EXPECT_THAT(platform.error().message, HasSubstr("kernel notes.txt is neither"));
}

}  // namespace
