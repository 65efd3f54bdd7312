#include "devices/platform/pci_config_ports.h"

#include <gtest/gtest.h>

#include "tests/device/fake_wiring.h"
#include "tests/state/state_law.h"

namespace {

constexpr core::Register kScratch[] = {
    {.name = "SCRATCH", .offset = 0x40, .width = 8, .writable = ~std::uint64_t{0}},
};

class Function final : public core::PciFunction, private core::IoHandler {
 public:
  Function() : PciFunction({.vendor = 0x1234, .device = 0x5678}, kScratch) {
    declare_bar({.index = 0, .kind = core::BarKind::Io, .size = 16, .name = "function", .handler = this});
  }
  void reset() override { reset_config(); }
  std::string_view state_name() const override { return "function"; }
  unsigned state_version() const override { return 1; }
  void visit_state(core::StateVisitor& visitor) override { visit_config(visitor); }

 private:
  std::uint64_t read(std::uint64_t, unsigned) override { return 0x5a; }
  void write(std::uint64_t, unsigned, std::uint64_t) override {}
};

struct ConfigPortsRig {
  tests::FakeBus io;
  core::AddressSpace mmio{"mmio", 0};
  core::RamMap map;
  tests::RecordingIrqSink pirq;
  core::PciBus bus{{io.space, mmio, map, pirq}};
  Function function;
  unsigned resets = 0;
  devices::platform::PciConfigPorts device{{bus, [this] { ++resets; }}};

  ConfigPortsRig() {
    EXPECT_TRUE(bus.plug({3, 1}, function));
    EXPECT_TRUE(device.attach(io.space));
  }
  static std::uint32_t address(unsigned reg) { return 0x8000'0000 | 3 << 11 | 1 << 8 | reg; }
  void scribble() {
    io.out32(0xcf8, address(0x40));
    io.out32(0xcfc, 0x11223344);
    io.out8(0xcf9, 0x02);
  }
};

class PciConfigPorts : public testing::Test, protected ConfigPortsRig {};

TEST_F(PciConfigPorts, address_reads_back_without_reserved_bits) {
  io.out32(0xcf8, 0xffff'ffff);
  EXPECT_EQ(io.in32(0xcf8), 0x80ff'fffcu);
}

TEST_F(PciConfigPorts, data_reaches_the_function) {
  io.out32(0xcf8, address(0));
  EXPECT_EQ(io.in32(0xcfc), 0x5678'1234u);
}

TEST_F(PciConfigPorts, bytes_and_words_select_their_lane) {
  io.out32(0xcf8, address(0x40));
  io.out32(0xcfc, 0x44332211);
  EXPECT_EQ(io.in8(0xcfd), 0x22);
  EXPECT_EQ(io.in16(0xcfe), 0x4433);
  io.out8(0xcff, 0xaa);
  io.out16(0xcfc, 0xbbcc);
  EXPECT_EQ(io.in32(0xcfc), 0xaa33'bbccu);
}

TEST_F(PciConfigPorts, word_in_the_middle_takes_both_its_bytes) {
  io.out32(0xcf8, address(0x40));
  io.out32(0xcfc, 0x44332211);
  EXPECT_EQ(io.in16(0xcfd), 0x3322);
  io.out16(0xcfd, 0xeeff);
  EXPECT_EQ(io.in32(0xcfc), 0x44ee'ff11u);
}

TEST_F(PciConfigPorts, disabled_address_reads_as_ones_and_writes_nothing) {
  io.out32(0xcf8, address(0x40) & 0x7fff'ffff);
  io.out32(0xcfc, 1);
  EXPECT_EQ(io.in32(0xcfc), 0xffff'ffffu);
  io.out32(0xcf8, address(0x40));
  EXPECT_EQ(io.in32(0xcfc), 0u);
}

TEST_F(PciConfigPorts, absent_functions_and_buses_read_as_ones) {
  io.out32(0xcf8, 0x8000'0000);
  EXPECT_EQ(io.in32(0xcfc), 0xffff'ffffu);
  io.out32(0xcf8, address(0) | 1 << 16);
  EXPECT_EQ(io.in32(0xcfc), 0xffff'ffffu);
}

TEST_F(PciConfigPorts, narrow_access_to_the_address_goes_by_it) {
  io.out32(0xcf8, address(0x40));
  io.out8(0xcfb, 0x00);
  io.out16(0xcf8, 0x0000);
  EXPECT_EQ(io.in32(0xcf8), address(0x40));
  EXPECT_EQ(io.in8(0xcf8), 0xff);
  EXPECT_EQ(io.in16(0xcfa), 0xffff);
}

TEST_F(PciConfigPorts, moved_bar_follows) {
  io.out32(0xcf8, address(0x10));
  io.out32(0xcfc, 0xc000);
  io.out32(0xcf8, address(0x04));
  io.out8(0xcfc, 1);
  EXPECT_EQ(io.in8(0xc000), 0x5a);
}

TEST_F(PciConfigPorts, reset_control_resets_on_the_rising_bit) {
  io.out8(0xcf9, 0x02);
  EXPECT_EQ(resets, 0u);
  EXPECT_EQ(io.in8(0xcf9), 0x02);
  io.out8(0xcf9, 0x06);
  EXPECT_EQ(resets, 1u);
  io.out8(0xcf9, 0x06);
  EXPECT_EQ(resets, 1u);
  tests::reset_rig(static_cast<ConfigPortsRig&>(*this));
  io.out8(0xcf9, 0x0e);
  EXPECT_EQ(resets, 2u);
}

TEST_F(PciConfigPorts, address_write_is_not_taken_for_a_reset) {
  io.out32(0xcf8, 0x8000'0600);
  EXPECT_EQ(resets, 0u);
  EXPECT_EQ(io.in8(0xcf9), 0x00);
}

TEST(PciConfigPortsState, obeys_the_state_law) {
  tests::check_state_law<ConfigPortsRig>();
}

}  // namespace
