#include "firmware/kernel_image.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/firmware/kernel_files.h"

namespace {

using firmware::FlatKernel;
using firmware::LinuxImage;
using firmware::parse_kernel;
using testing::HasSubstr;
using tests::Bytes;
using tests::put;
namespace abi = firmware::linux_abi;

std::string error_of(const Bytes& file) {
  const auto image = parse_kernel(file, "k");
  return image ? "" : image.error().message;
}

TEST(KernelImage, bzimage_is_measured) {
  const auto image = parse_kernel(tests::linux_file(), "k");
  ASSERT_TRUE(image) << image.error().message;
  const auto& found = std::get<LinuxImage>(*image);
  EXPECT_EQ(found.setup_bytes, 1536U);
  EXPECT_EQ(found.protocol, 0x20f);
  EXPECT_EQ(found.initrd_max, 0x7fffffffU);
  EXPECT_EQ(found.command_line_max, 2047U);
  EXPECT_EQ(found.memory_end, 0x1200000U);
}

TEST(KernelImage, bzimage_of_old_protocol_gets_defaults) {
  auto file = tests::linux_file();
  put<std::uint16_t>(file, abi::VERSION, 0x202);
  const auto image = parse_kernel(file, "k");
  ASSERT_TRUE(image);
  EXPECT_EQ(std::get<LinuxImage>(*image).initrd_max, 0x37ffffffU);
  EXPECT_EQ(std::get<LinuxImage>(*image).command_line_max, 255U);
  EXPECT_EQ(std::get<LinuxImage>(*image).memory_end, 0x101000U);
}

TEST(KernelImage, bzimage_too_old_low_or_truncated_is_refused) {
  auto old = tests::linux_file();
  put<std::uint16_t>(old, abi::VERSION, 0x201);
  EXPECT_THAT(error_of(old), HasSubstr("boot protocol 2.01"));
  auto low = tests::linux_file();
  put<std::uint8_t>(low, abi::LOADFLAGS, 0);
  EXPECT_THAT(error_of(low), HasSubstr("zImage"));
  auto large = tests::linux_file();
  put<std::uint8_t>(large, abi::SETUP_SECTS, 255);
  EXPECT_THAT(error_of(large), HasSubstr("damaged"));
  auto cut = tests::linux_file();
  cut.resize(1536);
  EXPECT_THAT(error_of(cut), HasSubstr("truncated"));
}

TEST(KernelImage, bzimage_wrapping_around_is_refused) {
  auto file = tests::linux_file();
  put<std::uint64_t>(file, abi::PREF_ADDRESS, ~std::uint64_t{0});
  EXPECT_THAT(error_of(file), HasSubstr("damaged"));
}

TEST(KernelImage, multiboot_elf_is_recognised) {
  const auto image = parse_kernel(tests::multiboot_elf(), "k");
  ASSERT_TRUE(image) << image.error().message;
  const auto& kernel = std::get<FlatKernel>(*image);
  EXPECT_EQ(kernel.protocol, FlatKernel::Protocol::Multiboot);
  EXPECT_EQ(kernel.entry, tests::kElfAddress + 4);
  ASSERT_EQ(kernel.segments.size(), 1U);
  EXPECT_EQ(kernel.segments[0].file_offset, tests::kElfData);
  EXPECT_EQ(kernel.segments[0].file_bytes, 16U);
  EXPECT_EQ(kernel.segments[0].memory_bytes, 32U);
  EXPECT_EQ(kernel.end(), tests::kElfAddress + 32);
}

TEST(KernelImage, virtual_entry_is_translated) {
  auto file = tests::elf64_file();
  tests::add_multiboot(file, tests::kElfData, 0);
  const auto image = parse_kernel(file, "k");
  ASSERT_TRUE(image) << image.error().message;
  EXPECT_EQ(std::get<FlatKernel>(*image).entry, tests::kElfAddress + 4);
}

TEST(KernelImage, pvh_elf_starts_at_its_note) {
  const auto image = parse_kernel(tests::pvh_elf(), "k");
  ASSERT_TRUE(image) << image.error().message;
  EXPECT_EQ(std::get<FlatKernel>(*image).protocol, FlatKernel::Protocol::Pvh);
  EXPECT_EQ(std::get<FlatKernel>(*image).entry, tests::kElfAddress + 8);
}

TEST(KernelImage, multiboot_addresses_need_no_elf) {
  Bytes file(0x100);
  tests::add_multiboot(file, 0x20, 0x10000);
  const std::uint32_t addresses[] = {0x100020, 0x100000, 0x1000c0, 0x100200, 0x100040};
  for (std::size_t i = 0; i < 5; ++i)
    put<std::uint32_t>(file, 0x2c + 4 * i, addresses[i]);
  const auto image = parse_kernel(file, "k");
  ASSERT_TRUE(image) << image.error().message;
  const auto& kernel = std::get<FlatKernel>(*image);
  EXPECT_EQ(kernel.entry, 0x100040U);
  EXPECT_EQ(kernel.segments[0].file_offset, 0U);
  EXPECT_EQ(kernel.segments[0].file_bytes, 0xc0U);
  EXPECT_EQ(kernel.segments[0].memory_bytes, 0x200U);
}

TEST(KernelImage, multiboot_addresses_outside_the_file_are_refused) {
  Bytes file(0x100);
  tests::add_multiboot(file, 0x20, 0x10000);
  put<std::uint32_t>(file, 0x2c, 0x100100);
  put<std::uint32_t>(file, 0x30, 0x100000);
  EXPECT_THAT(error_of(file), HasSubstr("outside the file"));
  put<std::uint32_t>(file, 0x2c, 0x100020);
  put<std::uint32_t>(file, 0x34, 0x100101);
  EXPECT_THAT(error_of(file), HasSubstr("more than the file holds"));
}

TEST(KernelImage, unknown_multiboot_requirement_is_refused) {
  auto file = tests::elf32_file();
  tests::add_multiboot(file, tests::kElfData, 0x8);
  EXPECT_THAT(error_of(file), HasSubstr("flags 0x8"));
}

TEST(KernelImage, anything_else_is_named_in_one_line) {
  EXPECT_EQ(error_of({}), "kernel k is neither a Linux bzImage, a Multiboot kernel nor an ELF file with a PVH entry");
  EXPECT_THAT(error_of(Bytes(100000, 'x')), HasSubstr("is neither"));
  EXPECT_THAT(error_of(tests::elf32_file()), HasSubstr("is neither"));
}

TEST(KernelImage, elf_for_another_machine_is_refused) {
  auto file = tests::pvh_elf();
  put<std::uint16_t>(file, 18, 183);
  EXPECT_THAT(error_of(file), HasSubstr("another machine (183)"));
}

TEST(KernelImage, elf_segments_are_bounded) {
  auto outside = tests::pvh_elf();
  put<std::uint64_t>(outside, 64 + 8, 0x1f8);
  EXPECT_THAT(error_of(outside), HasSubstr("behind its end"));
  auto high = tests::pvh_elf();
  put<std::uint64_t>(high, 64 + 24, 0xfffffff8);
  EXPECT_THAT(error_of(high), HasSubstr("below 4 GiB"));
  auto low = tests::pvh_elf();
  put<std::uint64_t>(low, 64 + 24, 0xff000);
  EXPECT_THAT(error_of(low), HasSubstr("1 MiB"));
  auto shrunk = tests::pvh_elf();
  put<std::uint64_t>(shrunk, 64 + 40, 8);
  EXPECT_THAT(error_of(shrunk), HasSubstr("does not fit"));
}

TEST(KernelImage, entry_outside_of_the_segments_is_refused) {
  auto file = tests::pvh_elf();
  put<std::uint64_t>(file, tests::kElfNote + 36, tests::kElfAddress + 32);
  EXPECT_THAT(error_of(file), HasSubstr("outside of what it loads"));
}

TEST(KernelImage, every_truncation_has_an_outcome) {
  const Bytes files[] = {tests::linux_file(), tests::multiboot_elf(), tests::pvh_elf()};
  for (const auto& file : files)
    for (std::size_t length = 0; length < file.size(); ++length)
      std::ignore = parse_kernel(std::span(file).first(length), "k");
}

}  // namespace
