#include <gtest/gtest.h>

#include "core/pci/pci_bus.h"

namespace {

using core::BarKind;
using core::abi::kBar0;
using core::abi::kCommand;
using core::abi::kCommandIntxDisable;
using core::abi::kCommandIo;
using core::abi::kCommandMemory;
using core::abi::kRomBar;
using core::abi::kStatus;

constexpr core::PciAddress kSlot{4, 0};
constexpr core::PciAddress kOtherSlot{5, 0};

class Sink final : public core::IrqSink {
 public:
  std::array<bool, 4> levels{};
  void set_input(unsigned input, bool level) override { levels[input] = level; }
};

// A function with a BAR of each kind; each register handler answers with its own tag.
class Function final : public core::PciFunction {
 public:
  explicit Function(std::uint8_t tag = 0xa0)
      : PciFunction({.vendor = 0x1234, .device = 0x0001, .class_code = 0x123456, .interrupt_pin = 2}),
        io_(tag),
        registers_(static_cast<std::uint8_t>(tag + 1)) {
    declare_bar({.index = 0, .kind = BarKind::Io, .size = 0x40, .name = "io", .handler = &io_});
    declare_bar({.index = 1, .kind = BarKind::Memory32, .size = 0x1000, .name = "registers", .handler = &registers_});
    declare_bar({.index = 2,
                 .kind = BarKind::Memory64,
                 .size = 0x10000,
                 .prefetchable = true,
                 .name = "memory",
                 .memory = memory.get()});
    declare_bar({.kind = BarKind::Rom, .size = 0x800, .name = "rom", .memory = rom.get(), .writable = false});
  }
  void reset() override { reset_config(); }
  std::string_view state_name() const override { return "function"; }
  unsigned state_version() const override { return 1; }
  void visit_state(core::StateVisitor& visitor) override { visit_config(visitor); }
  void raise(bool level) {
    const std::scoped_lock guard(lock());
    set_intx(level);
  }

  std::unique_ptr<core::MemoryBlock> memory = *core::MemoryBlock::create("memory", 0x10000);
  std::unique_ptr<core::MemoryBlock> rom = *core::MemoryBlock::create("rom", 0x800);

 private:
  class Tag final : public core::IoHandler {
   public:
    explicit Tag(std::uint8_t tag) : tag_(tag) {}
    std::uint64_t read(std::uint64_t, unsigned) override { return tag_; }
    void write(std::uint64_t, unsigned, std::uint64_t) override {}

   private:
    std::uint8_t tag_;
  };
  Tag io_;
  Tag registers_;
};

class PciTest : public testing::Test {
 protected:
  PciTest() {
    EXPECT_TRUE(bus.plug(kSlot, function));
    EXPECT_TRUE(bus.plug(kOtherSlot, other));
  }
  std::uint32_t read(std::uint32_t offset, unsigned width = 4) { return bus.config_read(0, kSlot, offset, width); }
  void write(std::uint32_t offset, std::uint32_t value, unsigned width = 4) {
    bus.config_write(0, kSlot, offset, width, value);
  }
  void decode(std::uint32_t command = kCommandIo | kCommandMemory) { write(kCommand, command, 2); }
  const core::MemoryBlock* memory_at(std::uint64_t address) const {
    const auto region = map.find(core::Gpa(address));
    return region ? region->block : nullptr;
  }

  core::AddressSpace io{"io", 0x10000};
  core::AddressSpace mmio{"mmio", 0};
  core::RamMap map;
  Sink pirq;
  Function function;
  Function other{0xb0};
  core::PciBus bus{{io, mmio, map, pirq}};  // last: it unmaps its windows first
};

TEST_F(PciTest, header_identifies) {
  EXPECT_EQ(read(0x00), 0x00011234u);
  EXPECT_EQ(read(0x08), 0x12345600u);
  EXPECT_EQ(read(0x3d, 1), 2u);
}

TEST_F(PciTest, taken_slot_is_an_error) {
  Function third;
  EXPECT_FALSE(bus.plug(kSlot, third));
}

TEST_F(PciTest, absent_function_reads_ones_and_ignores_writes) {
  EXPECT_EQ(bus.config_read(0, {6, 0}, 0, 4), 0xffff'ffffu);
  EXPECT_EQ(bus.config_read(1, kSlot, 0, 2), 0xffffu);
  bus.config_write(0, {6, 0}, 4, 2, 7);
}

TEST_F(PciTest, access_beyond_config_space_reads_ones) {
  EXPECT_EQ(read(0xfe, 4), 0xffff'ffffu);
  EXPECT_EQ(read(0xffff'fffe, 4), 0xffff'ffffu);
}

TEST_F(PciTest, sizing_shows_size_and_kind) {
  for (const auto offset : {kBar0, kBar0 + 4, kBar0 + 8, kBar0 + 12, kBar0 + 16, kRomBar})
    write(offset, 0xffff'ffff);
  EXPECT_EQ(read(kBar0), 0xffff'ffc1u);
  EXPECT_EQ(read(kBar0 + 4), 0xffff'f000u);
  EXPECT_EQ(read(kBar0 + 8), 0xffff'000cu);
  EXPECT_EQ(read(kBar0 + 12), 0xffff'ffffu);
  EXPECT_EQ(read(kBar0 + 16), 0u) << "an undeclared BAR is zero";
  EXPECT_EQ(read(kRomBar), 0xffff'f801u);
}

TEST_F(PciTest, sizing_with_decoding_on_maps_nothing_at_the_top) {
  decode();
  write(kBar0, 0xffff'ffff);
  write(kBar0 + 4, 0xffff'ffff);
  write(kRomBar, 0xffff'ffff);
  EXPECT_TRUE(io.entries().empty());
  EXPECT_TRUE(mmio.entries().empty());
  EXPECT_TRUE(map.regions().empty());
}

TEST_F(PciTest, command_bits_gate_decoding) {
  write(kBar0, 0xc000);
  write(kBar0 + 4, 0xe000'0000);
  EXPECT_EQ(io.read(0xc000, 1), 0xffu);
  decode(kCommandIo);
  EXPECT_EQ(io.read(0xc000, 1), 0xa0u);
  EXPECT_EQ(mmio.read(0xe000'0000, 1), 0xffu);
  decode(kCommandMemory);
  EXPECT_EQ(io.read(0xc000, 1), 0xffu);
  EXPECT_EQ(mmio.read(0xe000'0000, 1), 0xa1u);
}

TEST_F(PciTest, moved_bar_answers_at_its_new_place_only) {
  decode();
  write(kBar0, 0xc000);
  write(kBar0, 0xc040);
  EXPECT_EQ(io.read(0xc000, 1), 0xffu);
  EXPECT_EQ(io.read(0xc040, 1), 0xa0u);
}

TEST_F(PciTest, port_bar_beyond_64_ki_is_not_decoded) {
  decode();
  write(kBar0, 0x1'0000);
  write(kBar0, 0xffc0);
  EXPECT_EQ(io.read(0xffc0, 1), 0xa0u);
  write(kBar0, 0xdead'0000);
  EXPECT_TRUE(io.entries().empty());
}

TEST_F(PciTest, memory64_bar_goes_above_4_gib) {
  decode();
  write(kBar0 + 8, 0x0001'0000);
  write(kBar0 + 12, 0x12);
  EXPECT_EQ(memory_at(0x12'0001'0000), function.memory.get());
  EXPECT_EQ(memory_at(0x0001'0000), nullptr);
  write(kBar0 + 12, 0xffff'ffff);
  EXPECT_TRUE(map.regions().empty()) << "no CPU reaches that far";
}

TEST_F(PciTest, memory32_bar_cannot_touch_the_top_of_4_gib) {
  decode();
  write(kBar0 + 4, 0xffff'f000);
  EXPECT_TRUE(mmio.entries().empty());
}

TEST_F(PciTest, rom_needs_its_own_enable_and_is_read_only) {
  decode();
  write(kRomBar, 0xfe00'0000);
  EXPECT_EQ(memory_at(0xfe00'0000), nullptr);
  write(kRomBar, 0xfe00'0001);
  const auto region = map.find(core::Gpa(0xfe00'0000));
  ASSERT_TRUE(region);
  EXPECT_EQ(region->block, function.rom.get());
  EXPECT_FALSE(region->writable);
}

TEST_F(PciTest, memory_bar_loses_against_ram) {
  const auto ram = *core::MemoryBlock::create("ram", 0x20000);
  const auto mapping = map.map({.start = core::Gpa(0x10000), .size = 0x20000, .block = ram.get()});
  decode();
  write(kBar0 + 8, 0x2'0000);
  EXPECT_EQ(memory_at(0x2'0000), ram.get());
  write(kBar0 + 8, 0x3'0000);
  EXPECT_EQ(memory_at(0x3'0000), function.memory.get());
}

TEST_F(PciTest, overlapping_bar_answers_once_the_place_is_free) {
  decode();
  bus.config_write(0, kOtherSlot, kCommand, 2, kCommandIo);
  write(kBar0, 0xc000);
  bus.config_write(0, kOtherSlot, kBar0, 4, 0xc000);
  EXPECT_EQ(io.read(0xc000, 1), 0xa0u);
  write(kBar0, 0xd000);
  EXPECT_EQ(io.read(0xc000, 1), 0xb0u);
  EXPECT_EQ(io.read(0xd000, 1), 0xa0u);
}

TEST_F(PciTest, swapped_bars_both_answer) {
  decode();
  bus.config_write(0, kOtherSlot, kCommand, 2, kCommandIo);
  write(kBar0, 0xc000);
  bus.config_write(0, kOtherSlot, kBar0, 4, 0xd000);
  write(kBar0, 0xd000);
  bus.config_write(0, kOtherSlot, kBar0, 4, 0xc000);
  EXPECT_EQ(io.read(0xd000, 1), 0xa0u);
  EXPECT_EQ(io.read(0xc000, 1), 0xb0u);
}

TEST_F(PciTest, remap_follows_a_reset) {
  decode();
  write(kBar0, 0xc000);
  write(kBar0 + 8, 0xe000'0000);
  {
    const std::scoped_lock guard(function.lock());
    function.reset();
  }
  bus.remap();
  EXPECT_TRUE(io.entries().empty());
  EXPECT_TRUE(map.regions().empty());
}

TEST_F(PciTest, remap_swaps_in_either_order) {
  const auto place = [](Function& f, std::uint32_t base) {
    const std::scoped_lock guard(f.lock());
    f.config_write(kCommand, 2, kCommandIo);
    f.config_write(kBar0, 4, base);
  };
  place(function, 0xc000);
  place(other, 0xd000);
  bus.remap();
  place(function, 0xd000);
  place(other, 0xc000);
  bus.remap();
  EXPECT_EQ(io.read(0xd000, 1), 0xa0u);
  EXPECT_EQ(io.read(0xc000, 1), 0xb0u);
}

TEST_F(PciTest, pin_is_swizzled_into_its_pirq) {
  function.raise(true);  // device 4, INTB: PIRQA
  EXPECT_EQ(pirq.levels, (std::array{true, false, false, false}));
  other.raise(true);  // device 5, INTB: PIRQB
  EXPECT_EQ(pirq.levels, (std::array{true, true, false, false}));
}

TEST_F(PciTest, pirq_is_up_while_any_of_its_pins_is) {
  Function same_pirq;
  ASSERT_TRUE(bus.plug({8, 0}, same_pirq));
  function.raise(true);
  same_pirq.raise(true);
  function.raise(false);
  EXPECT_TRUE(pirq.levels[0]);
  same_pirq.raise(false);
  EXPECT_FALSE(pirq.levels[0]);
}

TEST_F(PciTest, interrupt_disable_masks_the_line_but_not_the_status) {
  function.raise(true);
  EXPECT_EQ(read(kStatus, 2) & 8u, 8u);
  decode(kCommandIntxDisable);
  EXPECT_FALSE(pirq.levels[0]);
  EXPECT_EQ(read(kStatus, 1) & 8u, 8u);
  EXPECT_EQ(read(kCommand, 4), (8u << 16) | kCommandIntxDisable);
  decode(0);
  EXPECT_TRUE(pirq.levels[0]);
}

TEST_F(PciTest, partial_writes_reach_their_bytes) {
  write(kBar0 + 1, 0xc1, 1);
  EXPECT_EQ(read(kBar0), 0x0000'c101u);
  write(kBar0 + 2, 0x1234, 2);
  EXPECT_EQ(read(kBar0), 0x1234'c101u);
}

}  // namespace
