// String and port instructions: directions, repeats, overlap, faults in the middle, who may use a port.
#include <gtest/gtest.h>
#include <string>

#include "tests/unit/vmm/cpu/soft/system/machine.h"
#include "vmm/cpu/soft/string_operands.h"

namespace vmm::cpu::soft {
namespace {

constexpr std::uint64_t kFrom = 0x100000, kTo = 0x110000;

class Strings : public MachineTest {
 protected:
  void point(std::uint64_t from, std::uint64_t to, std::uint64_t count) {
    cpu.set_reg<std::uint64_t>(kRsi, from);
    cpu.set_reg<std::uint64_t>(kRdi, to);
    cpu.set_reg<std::uint64_t>(kRcx, count);
  }
  void put(std::uint64_t at, const std::string& text) {
    for (const char c : text)
      poke<std::uint8_t>(at++, static_cast<std::uint8_t>(c));
  }
  std::string get(std::uint64_t at, std::size_t size) {
    std::string text;
    for (std::size_t i = 0; i < size; ++i)
      text += static_cast<char>(peek<std::uint8_t>(at + i));
    return text;
  }
  std::uint64_t count() const { return cpu.reg<std::uint64_t>(kRcx); }
};

TEST_F(Strings, repeated_move_crosses_pages) {
  enter_protected_mode();
  std::string text;
  for (int i = 0; i < 10000; ++i)
    text += static_cast<char>('a' + i % 23);
  put(kFrom + 5, text);
  point(kFrom + 5, kTo + 1001, text.size());
  EXPECT_EQ(run({0xf3, 0xa4}), Flow::Next);
  EXPECT_EQ(get(kTo + 1001, text.size()), text);
  EXPECT_EQ(count(), 0u);
  EXPECT_EQ(cpu.reg<std::uint32_t>(kRsi), kFrom + 5 + text.size());
}

TEST_F(Strings, move_upwards_onto_itself_repeats_a_pattern) {
  enter_protected_mode();
  put(kFrom, "abc");
  point(kFrom, kFrom + 3, 9);
  EXPECT_EQ(run({0xf3, 0xa4}), Flow::Next);
  EXPECT_EQ(get(kFrom, 12), "abcabcabcabc");
}

TEST_F(Strings, move_downwards_goes_by_elements) {
  enter_protected_mode();
  put(kFrom, "abcdefgh");
  cpu.other_flags |= kDf;
  point(kFrom + 4, kTo + 4, 2);
  EXPECT_EQ(run({0xf3, 0xa5}), Flow::Next);  // rep movsd
  EXPECT_EQ(get(kTo, 8), "abcdefgh");
  EXPECT_EQ(cpu.reg<std::uint32_t>(kRsi), kFrom - 4);
}

TEST_F(Strings, move_that_faults_has_done_what_came_before) {
  enter_protected_mode();
  cpu.segments[kEs].limit = static_cast<std::uint32_t>(kTo + 9);
  cpu.segments[kEs].derive(true);
  cpu.derive_mode();
  put(kFrom, "0123456789abcdef");
  point(kFrom, kTo, 16);
  EXPECT_EQ(run({0xf3, 0xa4}), Flow::Fault);
  EXPECT_TRUE(faulted(Vector::GeneralProtection, 0));
  EXPECT_EQ(get(kTo, 10), "0123456789");
  EXPECT_EQ(count(), 6u);
  EXPECT_EQ(cpu.reg<std::uint32_t>(kRdi), kTo + 10);
}

TEST_F(Strings, index_wraps_at_the_address_size) {
  cpu.rip = 0x1000;
  cpu.set_reg<std::uint8_t>(kRax, 'x');
  point(0, 0xfffe, 4);
  EXPECT_EQ(run({0xf3, 0xaa}), Flow::Next);  // rep stosb
  EXPECT_EQ(get(0xfffe, 2), "xx");
  EXPECT_EQ(get(0, 2), "xx");
  EXPECT_EQ(cpu.reg<std::uint16_t>(kRdi), 2u);
}

TEST_F(Strings, interrupt_may_come_between_elements) {
  enter_protected_mode();
  put(kFrom, std::string(8192, 'z'));
  point(kFrom, kTo, 8192);
  cpu.attention = 1;
  EXPECT_EQ(run({0xf3, 0xa4}), Flow::Restart);
  EXPECT_LT(count(), 8192u);
  EXPECT_EQ(cpu.reg<std::uint32_t>(kRsi), kFrom + 8192 - count());
}

TEST_F(Strings, comparison_stops_at_the_first_difference) {
  enter_protected_mode();
  put(kFrom, "same text");
  put(kTo, "same test");
  point(kFrom, kTo, 9);
  EXPECT_EQ(run({0xf3, 0xa6}), Flow::Next);
  EXPECT_EQ(count(), 1u);
  EXPECT_FALSE(cpu.flags.zf());
}

TEST_F(Strings, scan_finds_a_byte) {
  enter_protected_mode();
  put(kTo, std::string("needle\0", 7));
  cpu.set_reg<std::uint8_t>(kRax, 0);
  point(0, kTo, 100);
  EXPECT_EQ(run({0xf2, 0xae}), Flow::Next);  // repne scasb
  EXPECT_EQ(count(), 93u);
  EXPECT_TRUE(cpu.flags.zf());
}

TEST_F(Strings, count_of_zero_does_nothing) {
  enter_protected_mode();
  point(0xffffff00, 0xffffff00, 0);
  EXPECT_EQ(run({0xf3, 0xa4}), Flow::Next);
}

TEST_F(Strings, ports_of_ring_3_follow_the_bitmap) {
  enter_protected_mode();
  constexpr std::uint16_t kBitmap = 0x68;
  poke<std::uint16_t>(kTss + 102, kBitmap);
  cpu.tr.limit = kBitmap + 0x20;
  poke<std::uint8_t>(kTss + kBitmap + 0x80 / 8, 0xfe);  // port 80h alone
  go_to_ring(3);
  EXPECT_EQ(run({0xe4, 0x80}), Flow::Leave);
  EXPECT_EQ(run({0xe4, 0x81}), Flow::Fault);
  EXPECT_TRUE(faulted(Vector::GeneralProtection, 0));
  EXPECT_EQ(run({0xe5, 0x80}), Flow::Fault);  // four ports
  cpu.other_flags |= kIopl;
  EXPECT_EQ(run({0xe4, 0x81}), Flow::Leave);
}

TEST_F(Strings, input_of_strings_reads_unclaimed_ports_as_ones) {
  enter_protected_mode();
  point(0, kTo, 600);
  cpu.set_reg<std::uint16_t>(kRdx, 0x1f0);
  EXPECT_EQ(run({0xf3, 0x66, 0x6d}), Flow::Leave);  // rep insw
  EXPECT_EQ(peek<std::uint16_t>(kTo + 1198), 0xffffu);
  EXPECT_EQ(cpu.reg<std::uint32_t>(kRdi), kTo + 1200);
}

}  // namespace
}  // namespace vmm::cpu::soft
