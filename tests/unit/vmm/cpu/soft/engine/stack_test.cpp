// PUSH, POP, ENTER, LEAVE and the flags on the stack: sizes, wrapping, and that a fault leaves everything as it was.
#include "vmm/cpu/soft/stack.h"

#include <gtest/gtest.h>

#include "tests/unit/vmm/cpu/soft/system/machine.h"

namespace vmm::cpu::soft {
namespace {

constexpr std::uint8_t kEax = 0, kEbp = 5 * 8;

class StackInstructions : public MachineTest {
 protected:
  void set_rsp(std::uint64_t value) { cpu.set_reg(kRsp, value); }
};

TEST_F(StackInstructions, push_of_the_stack_pointer_stores_the_old_one) {
  enter_protected_mode();
  const auto before = static_cast<std::uint32_t>(rsp());
  EXPECT_EQ(run({0x54}), Flow::Next);  // push esp
  EXPECT_EQ(rsp(), before - 4);
  EXPECT_EQ(peek<std::uint32_t>(before - 4), before);
}

TEST_F(StackInstructions, pop_to_memory_by_the_stack_pointer_uses_the_new_one) {
  enter_protected_mode();
  const auto before = rsp();
  poke<std::uint32_t>(before, 0x12345678);
  EXPECT_EQ(run({0x8f, 0x04, 0x24}), Flow::Next);  // pop [esp]
  EXPECT_EQ(peek<std::uint32_t>(before + 4), 0x12345678u);
}

TEST_F(StackInstructions, pop_to_memory_that_faults_leaves_the_stack_pointer) {
  enter_protected_mode();
  cpu.segments[kDs].limit = 0xfff;
  cpu.segments[kDs].derive(true);
  cpu.derive_mode();
  const auto before = rsp();
  EXPECT_EQ(run({0x8f, 0x05, 0x00, 0x20, 0x00, 0x00}), Flow::Fault);  // pop [2000h]
  EXPECT_TRUE(faulted(Vector::GeneralProtection, 0));
  EXPECT_EQ(rsp(), before);
}

TEST_F(StackInstructions, sixteen_bit_stack_wraps_and_keeps_the_upper_half) {
  cpu.rip = 0x1000;
  set_rsp(0xabcd0000);
  EXPECT_EQ(run({0x50}), Flow::Next);  // push ax
  EXPECT_EQ(rsp(), 0xabcdfffeu);
}

TEST_F(StackInstructions, immediate_is_sign_extended_in_64_bit_mode) {
  enter_long_mode();
  cpu.rip = kCode;
  EXPECT_EQ(run({0x6a, 0xff}), Flow::Next);
  EXPECT_EQ(peek<std::uint64_t>(rsp()), ~std::uint64_t{0});
}

TEST_F(StackInstructions, push_all_and_pop_all_give_the_registers_back) {
  enter_protected_mode();
  for (std::uint8_t i = 0; i < 8; ++i) {
    if (i != 4) cpu.set_reg<std::uint32_t>(static_cast<std::uint8_t>(8 * i), 0x1000u + i);
  }
  const auto before = rsp();
  EXPECT_EQ(run({0x60}), Flow::Next);
  EXPECT_EQ(rsp(), before - 32);
  EXPECT_EQ(peek<std::uint32_t>(before - 20), before);  // ESP as it was
  for (std::uint8_t i = 0; i < 8; ++i) {
    if (i != 4) cpu.set_reg<std::uint32_t>(static_cast<std::uint8_t>(8 * i), 0);
  }
  EXPECT_EQ(run({0x61}), Flow::Next);
  EXPECT_EQ(rsp(), before);
  EXPECT_EQ(cpu.reg<std::uint32_t>(7 * 8), 0x1007u);
}

// [SDM 2A ENTER] FrameTemp is ESP by the operand's size, whatever the stack's.
TEST_F(StackInstructions, wide_enter_on_a_16_bit_stack_keeps_the_upper_half) {
  cpu.rip = 0x1000;
  set_rsp(0x10000);
  cpu.set_reg<std::uint32_t>(kEbp, 0x1ffec);
  EXPECT_EQ(run({0x66, 0xc8, 0x08, 0x00, 0x01}), Flow::Next);  // enter 8, 1
  EXPECT_EQ(cpu.reg<std::uint32_t>(kEbp), 0x1fffcu);
  EXPECT_EQ(peek<std::uint32_t>(0xfff8), 0x1fffcu);
  EXPECT_EQ(rsp(), 0x1fff0u);
}

TEST_F(StackInstructions, enter_with_levels_copies_the_outer_frames) {
  enter_protected_mode();
  const auto top = static_cast<std::uint32_t>(rsp());
  cpu.set_reg<std::uint32_t>(kEbp, top + 0x100);
  poke<std::uint32_t>(top + 0x100 - 4, 0x77);
  EXPECT_EQ(run({0xc8, 0x10, 0x00, 0x02}), Flow::Next);  // enter 16, 2
  EXPECT_EQ(peek<std::uint32_t>(top - 4), top + 0x100);
  EXPECT_EQ(peek<std::uint32_t>(top - 8), 0x77u);
  EXPECT_EQ(peek<std::uint32_t>(top - 12), top - 4);
  EXPECT_EQ(cpu.reg<std::uint32_t>(kEbp), top - 4);
  EXPECT_EQ(rsp(), top - 12 - 16);
  EXPECT_EQ(run({0xc9}), Flow::Next);  // leave
  EXPECT_EQ(rsp(), top);
  EXPECT_EQ(cpu.reg<std::uint32_t>(kEbp), top + 0x100);
}

TEST_F(StackInstructions, pop_ss_keeps_debug_traps_off_for_one_instruction) {
  enter_protected_mode();
  poke<std::uint32_t>(rsp(), kData0);
  EXPECT_EQ(run({0x17}), Flow::Leave);
  EXPECT_EQ(cpu.shadow, kShadowMovSs);
}

TEST_F(StackInstructions, flags_of_ring_3_keep_their_privileged_bits) {
  enter_protected_mode();
  go_to_ring(3);
  poke<std::uint32_t>(rsp(), 0xffffffff & ~kTf);
  EXPECT_EQ(run({0x9d}), Flow::Leave);  // popfd
  EXPECT_EQ(cpu.other_flags & (kIf | kIopl | kVm | kRf | kVip | kVif), 0u);
  EXPECT_NE(cpu.other_flags & kAc, 0u);
  EXPECT_EQ(run({0x9c}), Flow::Next);  // pushfd
  EXPECT_EQ(peek<std::uint32_t>(rsp()) & (kVm | kRf), 0u);
}

TEST_F(StackInstructions, address_that_is_not_canonical_is_a_stack_fault) {
  enter_long_mode();
  cpu.rip = kCode;
  set_rsp(std::uint64_t{1} << 50);
  EXPECT_EQ(run({0x50}), Flow::Fault);
  EXPECT_TRUE(faulted(Vector::StackFault, 0));
}

}  // namespace
}  // namespace vmm::cpu::soft
