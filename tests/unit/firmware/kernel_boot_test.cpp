#include "firmware/kernel_boot.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "firmware/boot_info.h"
#include "tests/unit/firmware/kernel_files.h"

namespace {

using firmware::BootFrom;
using firmware::FwCfgKey;
using testing::HasSubstr;
using tests::Bytes;
namespace abi = firmware::linux_abi;

constexpr std::uint64_t kRam = 64 << 20;

class KernelBoot : public testing::Test {
 protected:
  core::Result<firmware::BootPlan> plan(Bytes kernel, BootFrom from = BootFrom::Bios, std::uint64_t ram = kRam) {
    return firmware::plan_kernel_boot(
        fw_cfg, {.path = "k", .kernel = std::move(kernel), .command_line = command_line, .modules = modules},
        {.below_4g = ram, .above_4g = 0}, from);
  }
  std::string error(Bytes kernel, BootFrom from = BootFrom::Bios, std::uint64_t ram = kRam) {
    const auto result = plan(std::move(kernel), from, ram);
    return result ? "" : result.error().message;
  }
  std::uint32_t u32(FwCfgKey key, std::size_t at) const {
    return core::load_le<std::uint32_t>(fw_cfg.item(key).data() + at);
  }
  static const firmware::BootLoad* load_of(const firmware::BootPlan& plan, FwCfgKey key) {
    const auto found = std::ranges::find(plan.loads, key, &firmware::BootLoad::key);
    return found == plan.loads.end() ? nullptr : &*found;
  }

  std::unique_ptr<core::GuestMemory> memory = std::move(*core::GuestMemory::create(4096, 4096));
  firmware::FwCfg fw_cfg{firmware::FwCfg::Wiring{.memory = *memory}};
  std::string command_line = "quiet vga=0x314";
  std::vector<firmware::BootModule> modules;
};

TEST_F(KernelBoot, linux_is_loaded_and_entered_in_real_mode) {
  const auto result = plan(tests::linux_file());
  ASSERT_TRUE(result) << result.error().message;
  EXPECT_FALSE(result->entry.protected_mode);
  EXPECT_EQ(result->entry.address, 0x10200000U);
  EXPECT_EQ(result->entry.ss, 0x1000);
  EXPECT_EQ(load_of(*result, FwCfgKey::SetupData)->address, 0x10000U);
  EXPECT_EQ(load_of(*result, FwCfgKey::SetupData)->length, 1536U);
  EXPECT_EQ(load_of(*result, FwCfgKey::KernelData)->address, 0x100000U);
  EXPECT_EQ(load_of(*result, FwCfgKey::KernelData)->length, 4096U);
  EXPECT_EQ(load_of(*result, FwCfgKey::InitrdData), nullptr);
  EXPECT_EQ(u32(FwCfgKey::SetupData, abi::CMD_LINE_PTR), 0x20000U);
  const auto setup = fw_cfg.item(FwCfgKey::SetupData);
  EXPECT_EQ(setup[abi::TYPE_OF_LOADER], 0xff);
  EXPECT_EQ(setup[abi::LOADFLAGS], abi::LOADED_HIGH | abi::CAN_USE_HEAP);
  EXPECT_EQ(setup[abi::VID_MODE], 0x14);
  EXPECT_EQ(setup[abi::VID_MODE + 1], 0x03);
  const auto line = fw_cfg.item(FwCfgKey::CommandLineData);
  EXPECT_EQ(std::string(line.begin(), line.end()), command_line + '\0');
}

TEST_F(KernelBoot, initrd_lies_page_aligned_below_what_the_bios_keeps) {
  modules = {{.command_line = "a", .bytes = Bytes(5, 'a')}, {.command_line = "b", .bytes = Bytes(7, 'b')}};
  const auto result = plan(tests::linux_file());
  ASSERT_TRUE(result) << result.error().message;
  const auto* initrd = load_of(*result, FwCfgKey::InitrdData);
  ASSERT_NE(initrd, nullptr);
  EXPECT_EQ(initrd->address, 0x3efe000U);
  EXPECT_EQ(initrd->length, 4096U + 7);
  EXPECT_EQ(u32(FwCfgKey::SetupData, abi::RAMDISK_IMAGE), initrd->address);
  EXPECT_EQ(u32(FwCfgKey::SetupData, abi::RAMDISK_SIZE), initrd->length);
}

TEST_F(KernelBoot, initrd_stays_below_the_kernels_limit) {
  auto kernel = tests::linux_file();
  tests::put<std::uint32_t>(kernel, abi::INITRD_ADDR_MAX, 0x1ffffff);
  modules = {{.command_line = "a", .bytes = Bytes(4096)}};
  const auto result = plan(kernel);
  ASSERT_TRUE(result) << result.error().message;
  EXPECT_EQ(load_of(*result, FwCfgKey::InitrdData)->address, 0x1fff000U);
}

TEST_F(KernelBoot, what_does_not_fit_is_said_in_one_line) {
  EXPECT_THAT(error(tests::linux_file(), BootFrom::Bios, 16 << 20), HasSubstr("needs memory up to 18 MiB"));
  modules = {{.command_line = "a", .bytes = Bytes(46 << 20)}};
  EXPECT_THAT(error(tests::linux_file()), HasSubstr("does not fit beside kernel k: 45 MiB are free"));
  EXPECT_THAT(error(tests::multiboot_elf(), BootFrom::Bios, 32 << 20), HasSubstr("do not fit behind kernel k"));
  modules.clear();
  command_line = std::string(2048, 'x');
  EXPECT_THAT(error(tests::linux_file()), HasSubstr("2048 characters; k takes at most 2047"));
  command_line = std::string(70000, 'x');
  EXPECT_THAT(error(tests::pvh_elf()), HasSubstr("longer than 64 KiB"));
}

TEST_F(KernelBoot, linux_without_bios_gets_a_zero_page_with_the_map) {
  const auto result = plan(tests::linux_file(), BootFrom::None);
  ASSERT_TRUE(result) << result.error().message;
  EXPECT_TRUE(result->entry.protected_mode);
  EXPECT_EQ(result->entry.address, 0x100000U);
  EXPECT_EQ(result->entry.esi, 0x10000U);
  const auto page = fw_cfg.file("opt/minivmm/zero-page");
  ASSERT_EQ(page.size(), abi::kZeroPageBytes);
  EXPECT_EQ(core::load_le<std::uint32_t>(page.data() + abi::HEADER), abi::kHeaderMagic);
  EXPECT_EQ(page[abi::E820_ENTRIES], 4);
  EXPECT_EQ(core::load_le<std::uint64_t>(page.data() + abi::E820_TABLE + 60), 0x100000U);
  EXPECT_EQ(core::load_le<std::uint64_t>(page.data() + abi::E820_TABLE + 68), kRam - 0x100000);
}

TEST_F(KernelBoot, multiboot_gets_its_information) {
  modules = {{.command_line = "one", .bytes = Bytes(3)}, {.command_line = "two", .bytes = Bytes(4)}};
  const auto result = plan(tests::multiboot_elf());
  ASSERT_TRUE(result) << result.error().message;
  EXPECT_EQ(result->entry.eax, 0x2badb002U);
  EXPECT_EQ(result->entry.ebx, 0x20000U);
  EXPECT_EQ(result->entry.address, tests::kElfAddress + 4);
  EXPECT_EQ(load_of(*result, FwCfgKey::InitrdData)->address, tests::kElfAddress + 0x1000);

  const auto info = fw_cfg.file("opt/minivmm/boot-info");
  const auto word = [&](std::size_t at) { return core::load_le<std::uint32_t>(info.data() + at); };
  EXPECT_EQ(word(0), 0x24dU);
  EXPECT_EQ(word(4), 639U);
  EXPECT_EQ(word(8), (kRam >> 10) - 2048);
  EXPECT_STREQ(reinterpret_cast<const char*>(info.data()) + word(16) - 0x20000, "k quiet vga=0x314");
  EXPECT_EQ(word(20), 2U);
  const auto second = word(24) - 0x20000 + 16;
  EXPECT_EQ(word(second), tests::kElfAddress + 0x2000);
  EXPECT_EQ(word(second + 4), tests::kElfAddress + 0x2004);
  EXPECT_STREQ(reinterpret_cast<const char*>(info.data()) + word(second + 8) - 0x20000, "two");

  ASSERT_TRUE(result->map);
  EXPECT_EQ(result->map->segment, 0x2000);
  EXPECT_EQ(result->map->offset, word(48) - 0x20000);
  EXPECT_EQ(result->map->gap, 4);
  EXPECT_EQ(result->map->count_offset, 44);
  EXPECT_EQ(result->map->count_unit, 1);
}

TEST_F(KernelBoot, segments_are_read_from_the_file_and_their_rest_cleared) {
  const auto result = plan(tests::multiboot_elf());
  ASSERT_TRUE(result) << result.error().message;
  const auto* data = load_of(*result, FwCfgKey::KernelData);
  EXPECT_EQ(data->offset, tests::kElfData);
  EXPECT_EQ(data->length, 16U);
  EXPECT_EQ(data->address, tests::kElfAddress);
  const auto* zeros = load_of(*result, FwCfgKey::None);
  EXPECT_EQ(zeros->length, 16U);
  EXPECT_EQ(zeros->address, tests::kElfAddress + 16);
}

TEST_F(KernelBoot, pvh_gets_its_start_info) {
  modules = {{.command_line = "one", .bytes = Bytes(3)}};
  const auto result = plan(tests::pvh_elf());
  ASSERT_TRUE(result) << result.error().message;
  EXPECT_EQ(result->entry.address, tests::kElfAddress + 8);
  EXPECT_EQ(result->entry.ebx, 0x20000U);
  const auto info = fw_cfg.file("opt/minivmm/boot-info");
  EXPECT_EQ(core::load_le<std::uint32_t>(info.data()), 0x336ec578U);
  EXPECT_EQ(core::load_le<std::uint32_t>(info.data() + 12), 1U);
  const auto module = core::load_le<std::uint64_t>(info.data() + 16) - 0x20000;
  EXPECT_EQ(core::load_le<std::uint64_t>(info.data() + module), 0x3eff000U);
  EXPECT_EQ(core::load_le<std::uint64_t>(info.data() + module + 8), 3U);
  EXPECT_EQ(result->map->gap, 0);
  EXPECT_EQ(result->map->count_offset, 48);
  EXPECT_EQ(result->map->count_unit, 24);
}

TEST_F(KernelBoot, flat_kernels_without_bios_find_the_map_filled_in) {
  const auto result = plan(tests::pvh_elf(), BootFrom::None);
  ASSERT_TRUE(result) << result.error().message;
  EXPECT_FALSE(result->map);
  const auto info = fw_cfg.file("opt/minivmm/boot-info");
  EXPECT_EQ(core::load_le<std::uint32_t>(info.data() + 48), 4U);
  const auto map = core::load_le<std::uint64_t>(info.data() + 40) - 0x20000;
  EXPECT_EQ(core::load_le<std::uint64_t>(info.data() + map + 3 * 24), 0x100000U);
}

TEST(KernelFiles, missing_file_is_named) {
  const auto files = firmware::load_kernel_files("/nonexistent/vmlinuz", {}, "");
  ASSERT_FALSE(files);
  EXPECT_THAT(files.error().message, HasSubstr("/nonexistent/vmlinuz"));
}

}  // namespace
