#include "firmware/images.h"

#include <filesystem>
#include <fstream>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

namespace {

using testing::HasSubstr;

// A file that goes away with its test.
class TemporaryFile {
 public:
  explicit TemporaryFile(const std::vector<char>& bytes)
      : path_(std::filesystem::temp_directory_path() / ("minivmm-rom-" + std::to_string(::getpid()))) {
    std::ofstream(path_, std::ios::binary).write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  }
  ~TemporaryFile() { std::filesystem::remove(path_); }
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;
  std::string path() const { return path_.string(); }

 private:
  std::filesystem::path path_;
};

TEST(Images, seabios_is_embedded_whole) {
  const auto bios = firmware::seabios();
  ASSERT_EQ(bios.size(), 256U << 10);
  EXPECT_EQ(bios[bios.size() - 16], 0xea);  // the reset vector's far jump
}

TEST(Images, vgabios_is_an_option_rom_for_qxl) {
  const auto rom = firmware::vgabios_qxl();
  ASSERT_GT(rom.size(), 32U << 10);
  EXPECT_EQ(rom[0], 0x55);
  EXPECT_EQ(rom[1], 0xaa);
  EXPECT_EQ(rom[2] * 512U, rom.size());
  const std::size_t pci = rom[0x18] | (rom[0x19] << 8);
  EXPECT_EQ(rom[pci + 4] | (rom[pci + 5] << 8), 0x1b36);
  EXPECT_EQ(rom[pci + 6] | (rom[pci + 7] << 8), 0x0100);
}

TEST(Images, given_bios_is_loaded) {
  const TemporaryFile file(std::vector<char>(64 << 10, 'x'));
  const auto bios = firmware::load_bios(file.path());
  ASSERT_TRUE(bios) << bios.error().message;
  EXPECT_EQ(bios->size(), 64U << 10);
  EXPECT_EQ(bios->back(), 'x');
}

TEST(Images, bios_of_odd_size_is_refused) {
  const TemporaryFile odd(std::vector<char>(65535, 'x'));
  EXPECT_THAT(firmware::load_bios(odd.path()).error().message, HasSubstr("multiple of 64 KiB"));
  const TemporaryFile empty({});
  EXPECT_THAT(firmware::load_bios(empty.path()).error().message, HasSubstr("has 0 bytes"));
}

TEST(Images, bios_larger_than_16_mib_is_refused) {
  const TemporaryFile large(std::vector<char>((16 << 20) + 1));
  EXPECT_THAT(firmware::load_bios(large.path()).error().message, HasSubstr("at most 16 MiB"));
}

TEST(Images, missing_file_and_directory_are_refused) {
  EXPECT_THAT(firmware::load_bios("/nonexistent").error().message, HasSubstr("/nonexistent"));
  EXPECT_THAT(firmware::load_bios("/tmp").error().message, HasSubstr("not a regular file"));
}

TEST(Images, vgabios_is_checked) {
  std::vector<char> rom(1024);
  const TemporaryFile wrong(rom);
  EXPECT_THAT(firmware::load_vgabios(wrong.path()).error().message, HasSubstr("not an option ROM"));
  rom[0] = 0x55;
  rom[1] = static_cast<char>(0xaa);
  rom[2] = 3;
  const TemporaryFile cut(rom);
  EXPECT_THAT(firmware::load_vgabios(cut.path()).error().message, HasSubstr("1024 bytes of the 1536"));
  rom[2] = 2;
  const TemporaryFile good(rom);
  EXPECT_TRUE(firmware::load_vgabios(good.path()));
}

}  // namespace
