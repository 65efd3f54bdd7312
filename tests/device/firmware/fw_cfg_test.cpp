#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/device/firmware/fw_cfg_rig.h"
#include "tests/state/state_law.h"

namespace {

using firmware::FwCfgKey;
using testing::ElementsAre;
using tests::FwCfgRig;
using Bytes = std::vector<std::uint8_t>;

constexpr auto kBuffer = FwCfgRig::kBuffer;

TEST(FwCfg, obeys_the_state_law) {
  tests::check_state_law<FwCfgRig>();
}

TEST(FwCfg, signature_and_id_announce_dma) {
  FwCfgRig rig;
  ASSERT_TRUE(rig.attached);
  rig.select(FwCfgKey::Signature);
  EXPECT_EQ(rig.read(4), (Bytes{'Q', 'E', 'M', 'U'}));
  rig.select(FwCfgKey::Id);
  EXPECT_EQ(rig.read(4), (Bytes{3, 0, 0, 0}));
}

TEST(FwCfg, data_port_reads_bytes_in_order_then_zeros) {
  FwCfgRig rig;
  rig.select(FwCfgKey::KernelData);
  EXPECT_EQ(rig.next(), 1);
  EXPECT_EQ(rig.next(), 2);
  EXPECT_EQ(rig.read(5), (Bytes{3, 4, 5, 0, 0}));
  EXPECT_EQ(rig.next(), 0);
}

TEST(FwCfg, selecting_starts_over) {
  FwCfgRig rig;
  rig.select(FwCfgKey::KernelData);
  rig.next();
  rig.select(FwCfgKey::KernelData);
  EXPECT_EQ(rig.next(), 1);
}

TEST(FwCfg, unassigned_key_reads_as_zeros) {
  FwCfgRig rig;
  rig.select(FwCfgKey{0x3000});
  EXPECT_EQ(rig.read(3), (Bytes{0, 0, 0}));
  rig.select(FwCfgKey::None);
  EXPECT_EQ(rig.next(), 0);
}

TEST(FwCfg, write_channel_bit_of_selector_is_ignored) {
  FwCfgRig rig;
  rig.select(FwCfgKey{0x4011});
  EXPECT_EQ(rig.next(), 1);
}

TEST(FwCfg, selector_and_data_port_take_no_other_accesses) {
  FwCfgRig rig;
  rig.select(FwCfgKey::KernelData);
  rig.bus.out8(firmware::kFwCfgSelectorPort, 0);
  rig.bus.out8(firmware::kFwCfgDataPort, 0xee);
  EXPECT_EQ(rig.bus.in16(firmware::kFwCfgSelectorPort), 0);
  EXPECT_EQ(rig.next(), 1);
}

TEST(FwCfg, directory_lists_files_with_size_and_key) {
  FwCfgRig rig;
  rig.select(FwCfgKey::FileDirectory);
  EXPECT_EQ(rig.read(4), (Bytes{0, 0, 0, 2}));
  const auto first = rig.read(64);
  EXPECT_EQ(Bytes(first.begin(), first.begin() + 8), (Bytes{0, 0, 0, 2, 0, 0x20, 0, 0}));
  EXPECT_STREQ(reinterpret_cast<const char*>(first.data()) + 8, "etc/read-only");
  const auto second = rig.read(64);
  EXPECT_EQ(Bytes(second.begin(), second.begin() + 8), (Bytes{0, 0, 0, 4, 0, 0x21, 0, 0}));
  EXPECT_STREQ(reinterpret_cast<const char*>(second.data()) + 8, "etc/writable");
}

TEST(FwCfg, file_is_found_by_name) {
  FwCfgRig rig;
  EXPECT_THAT(rig.device.file("etc/read-only"), ElementsAre('r', 'o'));
  EXPECT_TRUE(rig.device.file("etc/missing").empty());
}

TEST(FwCfg, dma_port_reads_as_signature) {
  FwCfgRig rig;
  EXPECT_EQ(rig.bus.in32(firmware::kFwCfgDmaPort), 0x554d4551U);      // "QEMU"
  EXPECT_EQ(rig.bus.in32(firmware::kFwCfgDmaPort + 4), 0x47464320U);  // " CFG"
  EXPECT_EQ(rig.bus.in8(firmware::kFwCfgDmaPort + 7), 'G');
}

TEST(FwCfgDma, select_and_read_copies_item_and_clears_control) {
  FwCfgRig rig;
  EXPECT_EQ(rig.dma(FwCfgRig::selecting(FwCfgKey::KernelData, firmware::kFwCfgDmaRead), 5, kBuffer), 0U);
  EXPECT_EQ(rig.memory_at(kBuffer, 5), (Bytes{1, 2, 3, 4, 5}));
}

TEST(FwCfgDma, read_past_the_end_fills_with_zeros) {
  FwCfgRig rig;
  rig.memory->write(core::Gpa(kBuffer), std::uint64_t{0xffffffffffffffff});
  EXPECT_EQ(rig.dma(FwCfgRig::selecting(FwCfgKey::KernelData, firmware::kFwCfgDmaRead), 7, kBuffer), 0U);
  EXPECT_EQ(rig.memory_at(kBuffer, 8), (Bytes{1, 2, 3, 4, 5, 0, 0, 0xff}));
}

TEST(FwCfgDma, skip_moves_the_offset) {
  FwCfgRig rig;
  EXPECT_EQ(rig.dma(FwCfgRig::selecting(FwCfgKey::KernelData, firmware::kFwCfgDmaSkip), 3, 0), 0U);
  EXPECT_EQ(rig.next(), 4);
  EXPECT_EQ(rig.dma(firmware::kFwCfgDmaSkip, 0xffffffff, 0), 0U);
  EXPECT_EQ(rig.next(), 0);
}

TEST(FwCfgDma, unassigned_key_reads_zeros_of_any_length) {
  FwCfgRig rig;
  rig.memory->write(core::Gpa(kBuffer), std::uint32_t{0xffffffff});
  EXPECT_EQ(rig.dma(FwCfgRig::selecting(FwCfgKey::None, firmware::kFwCfgDmaRead), 4, kBuffer), 0U);
  EXPECT_EQ(rig.memory_at(kBuffer, 4), (Bytes{0, 0, 0, 0}));
}

TEST(FwCfgDma, target_outside_ram_is_an_error_and_moves_nothing) {
  FwCfgRig rig;
  const auto read = FwCfgRig::selecting(FwCfgKey::KernelData, firmware::kFwCfgDmaRead);
  EXPECT_EQ(rig.dma(read, 5, FwCfgRig::kRam - 4), firmware::kFwCfgDmaError);
  EXPECT_EQ(rig.dma(read, 5, 0xfffffffffffffffe), firmware::kFwCfgDmaError);
  EXPECT_EQ(rig.dma(read, 0xffffffff, kBuffer), firmware::kFwCfgDmaError);
  EXPECT_EQ(rig.next(), 1);
}

TEST(FwCfgDma, empty_transfer_succeeds_anywhere) {
  FwCfgRig rig;
  EXPECT_EQ(rig.dma(FwCfgRig::selecting(FwCfgKey::KernelData, firmware::kFwCfgDmaRead), 0, 0xffffffffff), 0U);
}

TEST(FwCfgDma, descriptor_outside_ram_is_ignored) {
  FwCfgRig rig;
  rig.bus.out32(firmware::kFwCfgDmaPort, std::byteswap(1U));
  rig.bus.out32(firmware::kFwCfgDmaPort + 4, std::byteswap(FwCfgRig::kDescriptor));
  rig.bus.out32(firmware::kFwCfgDmaPort + 4, std::byteswap(static_cast<std::uint32_t>(FwCfgRig::kRam - 8)));
  EXPECT_EQ(rig.dma(FwCfgRig::selecting(FwCfgKey::KernelData, firmware::kFwCfgDmaRead), 1, kBuffer), 0U);
}

TEST(FwCfgDma, upper_half_counts_for_one_operation) {
  FwCfgRig rig;
  rig.bus.out32(firmware::kFwCfgDmaPort, std::byteswap(1U));
  EXPECT_NE(rig.dma(FwCfgRig::selecting(FwCfgKey::KernelData, firmware::kFwCfgDmaRead), 1, kBuffer), 0U);  // ignored
  EXPECT_EQ(rig.dma(FwCfgRig::selecting(FwCfgKey::KernelData, firmware::kFwCfgDmaRead), 1, kBuffer), 0U);
}

TEST(FwCfgDma, eight_byte_write_starts_the_operation) {
  FwCfgRig rig;
  const firmware::FwCfgDmaAccess access{.control = FwCfgRig::selecting(FwCfgKey::KernelData, firmware::kFwCfgDmaRead),
                                        .length = 2,
                                        .address = std::uint64_t{kBuffer}};
  rig.memory->write(core::Gpa(FwCfgRig::kDescriptor), access);
  rig.bus.space.write(firmware::kFwCfgDmaPort, 8, std::byteswap(std::uint64_t{FwCfgRig::kDescriptor}));
  EXPECT_EQ(rig.memory_at(kBuffer, 2), (Bytes{1, 2}));
}

TEST(FwCfgDma, write_reaches_a_writable_file) {
  FwCfgRig rig;
  rig.memory->write(core::Gpa(kBuffer), std::uint16_t{0x0201});
  EXPECT_EQ(rig.dma(FwCfgRig::selecting(rig.writable, firmware::kFwCfgDmaSkip), 1, 0), 0U);
  EXPECT_EQ(rig.dma(firmware::kFwCfgDmaWrite, 2, kBuffer), 0U);
  EXPECT_THAT(rig.device.item(rig.writable), ElementsAre(10, 1, 2, 40));
}

TEST(FwCfgDma, write_beyond_a_file_is_an_error) {
  FwCfgRig rig;
  EXPECT_EQ(rig.dma(FwCfgRig::selecting(rig.writable, firmware::kFwCfgDmaWrite), 5, kBuffer), firmware::kFwCfgDmaError);
  EXPECT_THAT(rig.device.item(rig.writable), ElementsAre(10, 20, 30, 40));
}

TEST(FwCfgDma, write_to_anything_else_is_an_error) {
  FwCfgRig rig;
  const auto write = firmware::kFwCfgDmaWrite;
  EXPECT_EQ(rig.dma(FwCfgRig::selecting(rig.read_only, write), 1, kBuffer), firmware::kFwCfgDmaError);
  EXPECT_EQ(rig.dma(FwCfgRig::selecting(FwCfgKey::Signature, write), 1, kBuffer), firmware::kFwCfgDmaError);
  EXPECT_EQ(rig.dma(FwCfgRig::selecting(FwCfgKey::None, write), 1, kBuffer), firmware::kFwCfgDmaError);
}

TEST(FwCfgDma, write_from_outside_ram_is_an_error_and_changes_nothing) {
  FwCfgRig rig;
  EXPECT_EQ(rig.dma(FwCfgRig::selecting(rig.writable, firmware::kFwCfgDmaWrite), 2, FwCfgRig::kRam - 1),
            firmware::kFwCfgDmaError);
  EXPECT_THAT(rig.device.item(rig.writable), ElementsAre(10, 20, 30, 40));
}

TEST(FwCfg, reset_restores_writable_files) {
  FwCfgRig rig;
  rig.scribble();
  tests::reset_rig(rig);
  EXPECT_THAT(rig.device.item(rig.writable), ElementsAre(10, 20, 30, 40));
  EXPECT_EQ(rig.next(), 'Q');
}

}  // namespace
