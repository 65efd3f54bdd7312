// Debian's SeaBIOS on the accelerator alone: with nothing but a debug console it says its name and looks for RAM.
#include <fstream>

#include "tests/guest/cpu_rig.h"

namespace {

constexpr const char* kBios = "/usr/share/seabios/bios-256k.bin";

TEST(CpuSeabios, prints_its_banner_on_the_debug_console) {
  RIG_REQUIRES_CPUS();
  std::ifstream file(kBios, std::ios::binary);
  const std::vector<char> image((std::istreambuf_iterator<char>(file)), {});
  if (image.size() != 256 * 1024) GTEST_SKIP() << kBios << " is not installed (Debian package seabios)";
  const std::span bytes(reinterpret_cast<const std::uint8_t*>(image.data()), image.size());

  rig::Machine machine;
  auto rom = core::MemoryBlock::create("bios", bytes.size());
  ASSERT_TRUE(rom);
  ASSERT_TRUE((*rom)->all().write(0, bytes));
  const auto high = machine.ram_map.map({core::Gpa(0xfffc'0000), bytes.size(), rom->get(), 0, false, false}, 1);
  machine.load(0xe0000, bytes.last(0x20000));
  machine.start();
  EXPECT_TRUE(
      machine.wait_console([](const std::string& text) { return text.find("SeaBIOS (version") != std::string::npos; }));
}

}  // namespace
