// Blocks and the loop that runs them: budgets, code that changes, page and segment ends, traps.
#include "vmm/cpu/soft/executor.h"

#include <algorithm>
#include <gtest/gtest.h>
#include <random>
#include <vector>

#include "tests/unit/vmm/cpu/soft/system/machine.h"

namespace vmm::cpu::soft {
namespace {

constexpr std::uint8_t kEax = 0, kEcx = 8;

class Executor : public MachineTest {
 protected:
  Stop run(std::uint64_t budget) { return execute(cpu, platform_.blocks(), budget); }
  std::uint32_t eax() const { return cpu.reg<std::uint32_t>(kEax); }
};

TEST_F(Executor, budget_is_exact) {
  enter_protected_mode();
  put_code(kCode, {0x40, 0x40, 0x40, 0x40, 0xeb, 0xfa});  // inc eax four times, again
  EXPECT_EQ(run(3), Stop::Budget);
  EXPECT_EQ(eax(), 3u);
  EXPECT_EQ(cpu.rip, kCode + 3);
  EXPECT_EQ(run(1000), Stop::Budget);
  EXPECT_EQ(cpu.retired, 1003u);
  EXPECT_EQ(eax(), 803u);  // four of every five
}

// Flags that are set anew before anything asks for them may be left out, but wherever a run stops all are right.
TEST_F(Executor, flags_are_exact_wherever_a_run_stops) {
  enter_protected_mode();
  using Code = std::vector<std::uint8_t>;
  static const std::vector<Code> kInstructions = {
      {0x01, 0xd8},                          // add eax, ebx
      {0x66, 0x29, 0xd1},                    // sub cx, dx
      {0x30, 0xe2},                          // xor dl, ah
      {0x11, 0xca},                          // adc edx, ecx
      {0x19, 0xc3},                          // sbb ebx, eax
      {0x21, 0xd8},                          // and eax, ebx
      {0x09, 0xc1},                          // or ecx, eax
      {0x83, 0xc0, 0x7f},                    // add eax, 127
      {0x40},                                // inc eax
      {0x49},                                // dec ecx
      {0xf7, 0xda},                          // neg edx
      {0xf7, 0xd3},                          // not ebx
      {0xc1, 0xe0, 0x05},                    // shl eax, 5
      {0xd0, 0xea},                          // shr dl, 1
      {0xc1, 0xfb, 0x03},                    // sar ebx, 3
      {0xc1, 0xc1, 0x07},                    // rol ecx, 7
      {0xc1, 0xc8, 0x00},                    // ror eax, 0
      {0x66, 0xc1, 0xca, 0x09},              // ror dx, 9
      {0xd3, 0xe3},                          // shl ebx, cl
      {0x89, 0xc2},                          // mov edx, eax
      {0x8d, 0x44, 0x11, 0x11},              // lea eax, [ecx+edx+17]
      {0x03, 0x05, 0x00, 0x00, 0x01, 0x00},  // add eax, [10000h]
      {0x0f, 0x94, 0xc1},                    // setz cl
      {0x0f, 0x42, 0xd8},                    // cmovc ebx, eax
      {0x7a, 0x00},                          // jp to the next one
      {0x39, 0xd9},                          // cmp ecx, ebx
      {0x85, 0xc0},                          // test eax, eax
  };
  constexpr unsigned kLength = 24, kRounds = 400;
  std::minstd_rand random(3);
  const auto begin = [&](unsigned seed) {
    std::minstd_rand values(seed);
    for (unsigned i = 0; i < 4; ++i)
      cpu.general[i] = values();
    cpu.set_rflags(values() & kArithmeticFlags);
    cpu.rip = kCode;
    cpu.activity = Activity::Running;
  };
  for (unsigned round = 0; round < kRounds; ++round) {
    std::uint64_t at = kCode;
    for (unsigned i = 0; i < kLength; ++i) {
      for (const std::uint8_t byte : kInstructions[random() % kInstructions.size()])
        ASSERT_TRUE(cpu.mmu.write<std::uint8_t>(at++, byte));
    }
    ASSERT_TRUE(cpu.mmu.write<std::uint8_t>(at, 0xf4));
    const auto stop = static_cast<unsigned>(random() % kLength + 1);
    begin(round);
    for (unsigned i = 0; i < stop; ++i)
      run(1);
    const auto general = cpu.general;
    const std::uint32_t flags = cpu.rflags();
    for (unsigned i = stop; i < kLength; ++i)
      run(1);
    const auto last_general = cpu.general;
    const std::uint32_t last_flags = cpu.rflags();

    begin(round);
    run(stop);
    EXPECT_EQ(cpu.rflags(), flags) << "round " << round << " after " << stop;
    EXPECT_TRUE(std::equal(general.begin(), general.begin() + 16, cpu.general.begin())) << "round " << round;
    EXPECT_EQ(run(1000), Stop::Halted);
    EXPECT_EQ(cpu.rflags(), last_flags) << "round " << round;
    begin(round);
    EXPECT_EQ(run(1000), Stop::Halted);
    EXPECT_EQ(cpu.rflags(), last_flags) << "round " << round << " in one go";
    EXPECT_TRUE(std::equal(last_general.begin(), last_general.begin() + 16, cpu.general.begin())) << "round " << round;
  }
}

TEST_F(Executor, jump_not_taken_goes_on_in_its_block) {
  enter_protected_mode();
  // xor eax, eax; jnz 0; inc eax; hlt
  put_code(kCode, {0x31, 0xc0, 0x75, 0xfc, 0x40, 0xf4});
  EXPECT_EQ(run(100), Stop::Halted);
  EXPECT_EQ(eax(), 1u);
  EXPECT_EQ(cpu.rip, kCode + 6);
}

TEST_F(Executor, attention_is_seen_between_blocks) {
  enter_protected_mode();
  put_code(kCode, {0xeb, 0xfe});  // jmp $
  cpu.attention = 1;
  EXPECT_EQ(run(1000), Stop::Attention);
  EXPECT_EQ(cpu.retired, 0u);
}

TEST_F(Executor, pause_gives_the_turn_away) {
  enter_protected_mode();
  put_code(kCode, {0x40, 0xf3, 0x90, 0x40, 0xf4});  // inc eax; pause; inc eax; hlt
  EXPECT_EQ(run(100), Stop::Yield);
  EXPECT_EQ(eax(), 1u);
  EXPECT_EQ(cpu.retired, 2u);
  EXPECT_EQ(cpu.rip, kCode + 3);
  EXPECT_EQ(run(100), Stop::Halted);
  EXPECT_EQ(eax(), 2u);
}

TEST_F(Executor, code_that_overwrites_its_own_block_runs_what_it_wrote) {
  enter_protected_mode();
  // mov byte [kCode+7], 0x40 (over the nop); nop -> inc eax; hlt
  put_code(kCode, {0xc6, 0x05, 0x07, 0x00, 0x01, 0x00, 0x40, 0x90, 0xf4});
  EXPECT_EQ(run(100), Stop::Halted);
  EXPECT_EQ(eax(), 1u);
}

TEST_F(Executor, code_written_after_it_ran_is_decoded_again) {
  enter_protected_mode();
  put_code(kCode, {0x40, 0xf4});  // inc eax; hlt
  EXPECT_EQ(run(100), Stop::Halted);
  ASSERT_TRUE(cpu.mmu.write<std::uint8_t>(kCode, 0x48));  // dec eax
  cpu.activity = Activity::Running;
  cpu.rip = kCode;
  EXPECT_EQ(run(100), Stop::Halted);
  EXPECT_EQ(eax(), 0u);
}

TEST_F(Executor, code_written_by_a_device_is_decoded_again) {
  enter_protected_mode();
  put_code(kCode, {0x40, 0xf4});
  EXPECT_EQ(run(100), Stop::Halted);
  put_code(kCode, {0x48});  // as DMA does: through the block, whose flags say so
  cpu.activity = Activity::Running;
  cpu.rip = kCode;
  EXPECT_EQ(run(100), Stop::Halted);
  EXPECT_EQ(eax(), 0u);
}

TEST_F(Executor, stores_beside_code_in_its_page_leave_it_alone) {
  enter_protected_mode();
  // inc eax; mov [kCode+0x800], eax; cmp eax, 100; jnz 0; hlt
  put_code(kCode, {0x40, 0xa3, 0x00, 0x08, 0x01, 0x00, 0x83, 0xf8, 0x64, 0x75, 0xf5, 0xf4});
  EXPECT_EQ(run(10000), Stop::Halted);
  EXPECT_EQ(peek<std::uint32_t>(kCode + 0x800), 100u);
}

TEST_F(Executor, instruction_across_pages_follows_both_of_them) {
  enter_protected_mode();
  const std::uint64_t at = kCode + 0xffd;
  put_code(at, {0xb8, 0x11, 0x22, 0x33, 0x44, 0xf4});  // mov eax, 44332211h; hlt
  cpu.rip = at;
  EXPECT_EQ(run(100), Stop::Halted);
  EXPECT_EQ(eax(), 0x44332211u);
  put_code(at + 4, {0x55});
  cpu.activity = Activity::Running;
  cpu.rip = at;
  EXPECT_EQ(run(100), Stop::Halted);
  EXPECT_EQ(eax(), 0x55332211u);
}

TEST_F(Executor, segment_that_ends_within_a_block_faults_there) {
  enter_protected_mode();
  put_code(kCode, {0x40, 0x40, 0x40, 0x40, 0xf4});
  put_gate(kIdt + 13 * 8, kCode0, kCode + 0x100, 14, 0);
  put_code(kCode + 0x100, {0xf4});
  cpu.segments[kCs].limit = kCode + 1;
  cpu.segments[kCs].derive(true);
  EXPECT_EQ(run(100), Stop::Halted);
  EXPECT_EQ(eax(), 2u);
  EXPECT_EQ(cpu.rip, kCode + 0x101);
  EXPECT_EQ(peek<std::uint32_t>(cpu.reg<std::uint32_t>(4 * 8) + 4), kCode + 2);  // EIP above the error code
}

TEST_F(Executor, single_step_traps_after_each_instruction) {
  enter_protected_mode();
  put_code(kCode, {0x40, 0x40, 0x40});
  put_gate(kIdt + 1 * 8, kCode0, kCode + 0x100, 14, 0);
  put_code(kCode + 0x100, {0x41, 0xcf});  // inc ecx; iret
  cpu.other_flags |= kTf;
  cpu.derive_mode();
  EXPECT_EQ(run(6), Stop::Budget);
  EXPECT_EQ(eax(), 2u);
  EXPECT_EQ(cpu.reg<std::uint32_t>(kEcx), 2u);
  EXPECT_NE(cpu.dr6 & 1u << 14, 0u);
}

TEST_F(Executor, instruction_breakpoint_comes_before_the_instruction) {
  enter_protected_mode();
  put_code(kCode, {0x40, 0x40, 0xf4});
  put_gate(kIdt + 1 * 8, kCode0, kCode + 0x100, 14, 0);
  put_code(kCode + 0x100, {0xf4});
  cpu.debug_address[2] = kCode + 1;
  cpu.dr7 |= 1u << 4;
  cpu.derive_mode();
  EXPECT_EQ(run(100), Stop::Halted);
  EXPECT_EQ(eax(), 1u);
  EXPECT_EQ(cpu.dr6 & 15, 4u);
}

TEST_F(Executor, undefined_opcode_is_delivered) {
  enter_protected_mode();
  put_code(kCode, {0x0f, 0xff});
  put_gate(kIdt + 6 * 8, kCode0, kCode + 0x100, 14, 0);
  put_code(kCode + 0x100, {0xf4});
  EXPECT_EQ(run(100), Stop::Halted);
  EXPECT_EQ(cpu.rip, kCode + 0x101);
}

TEST_F(Executor, fault_without_handlers_shuts_down) {
  enter_protected_mode();
  cpu.idt.limit = 0;
  put_code(kCode, {0x0f, 0x0b});
  EXPECT_EQ(run(100), Stop::Shutdown);
}

TEST_F(Executor, near_calls_return) {
  enter_long_mode();
  cpu.rip = kCode;
  // call +2; jmp $+4 -> hlt; inc eax; ret; hlt
  put_code(kCode, {0xe8, 0x01, 0x00, 0x00, 0x00, 0xf4, 0xff, 0xc0, 0xc3});
  const auto stack = cpu.reg<std::uint64_t>(4 * 8);
  EXPECT_EQ(run(100), Stop::Halted);
  EXPECT_EQ(eax(), 1u);
  EXPECT_EQ(cpu.reg<std::uint64_t>(4 * 8), stack);
}

TEST_F(Executor, loop_counts_with_the_address_size) {
  enter_protected_mode();
  cpu.set_reg<std::uint32_t>(kEcx, 0x10003);
  put_code(kCode, {0x40, 0x67, 0xe2, 0xfc, 0xf4});  // inc eax; loop16; hlt
  EXPECT_EQ(run(100), Stop::Halted);
  EXPECT_EQ(eax(), 3u);
  EXPECT_EQ(cpu.reg<std::uint32_t>(kEcx), 0x10000u);
}

TEST_F(Executor, quick_stores_stop_when_their_page_becomes_code) {
  enter_protected_mode();
  ASSERT_TRUE(cpu.mmu.write<std::uint8_t>(kCode, 0x40));  // inc eax; from here on this page's stores are quick
  ASSERT_TRUE(cpu.mmu.write<std::uint8_t>(kCode + 1, 0xf4));
  EXPECT_EQ(run(100), Stop::Halted);
  ASSERT_TRUE(cpu.mmu.write<std::uint8_t>(kCode, 0x48));  // dec eax
  cpu.activity = Activity::Running;
  cpu.rip = kCode;
  EXPECT_EQ(run(100), Stop::Halted);
  EXPECT_EQ(eax(), 0u);
}

TEST_F(Executor, bytes_that_made_no_instruction_are_watched_too) {
  enter_protected_mode();
  put_code(kCode, {0x0f, 0xff, 0xf4});
  put_gate(kIdt + 6 * 8, kCode0, kCode + 0x1000, 14, 0);
  put_code(kCode + 0x1000, {0xf4});
  EXPECT_EQ(run(100), Stop::Halted);
  EXPECT_EQ(cpu.rip, kCode + 0x1001);
  ASSERT_TRUE(cpu.mmu.write<std::uint8_t>(kCode + 1, 0xa2));  // cpuid
  cpu.activity = Activity::Running;
  cpu.rip = kCode;
  EXPECT_EQ(run(100), Stop::Halted);
  EXPECT_EQ(cpu.rip, kCode + 3);
}

// The page behind the first one is the first one again.
TEST_F(Executor, instruction_from_a_page_into_itself_follows_both_of_its_ends) {
  enter_long_mode();
  constexpr std::uint64_t kTable = kTables + 0x3000;
  for (std::uint64_t i = 0; i < 512; ++i)
    poke<std::uint64_t>(kTable + 8 * i, i << 12 | 7);
  poke<std::uint64_t>(kTable + 8 * (kCode / 0x1000 + 1), kCode | 7);
  poke<std::uint64_t>(kTables + 0x2000, kTable | 7);
  const std::uint64_t at = kCode + 0xffd;
  const auto execute_there = [&] {
    cpu.activity = Activity::Running;
    cpu.rip = at;
    EXPECT_EQ(run(100), Stop::Halted);
    return eax();
  };
  put_code(at, {0xb8, 0x11, 0x22});  // mov eax, 44332211h; hlt
  put_code(kCode, {0x33, 0x44, 0xf4});
  EXPECT_EQ(execute_there(), 0x44332211u);
  ASSERT_TRUE(cpu.mmu.write<std::uint8_t>(at + 1, 0x55));
  EXPECT_EQ(execute_there(), 0x44332255u);
  ASSERT_TRUE(cpu.mmu.write<std::uint8_t>(kCode + 1, 0x66));
  EXPECT_EQ(execute_there(), 0x66332255u);
}

TEST_F(Executor, faults_without_end_use_their_budget_up) {
  cpu.rip = 0x1000;
  put_code(0x1000, {0x0f, 0x0b});
  poke<std::uint32_t>(6 * 4, 0x1000);  // the handler of #UD is where it came from
  EXPECT_EQ(run(1000), Stop::Budget);
  EXPECT_EQ(cpu.retired, 1000u);
}

TEST_F(Executor, long_string_lets_others_have_a_turn) {
  enter_protected_mode();
  cpu.set_reg<std::uint32_t>(kEcx, 0x500000);
  cpu.set_reg<std::uint32_t>(7 * 8, 0x200000);
  put_code(kCode, {0xf3, 0xaa, 0xf4});  // rep stosb; hlt
  EXPECT_EQ(run(3), Stop::Budget);
  EXPECT_EQ(cpu.rip, kCode);
  const auto left = cpu.reg<std::uint32_t>(kEcx);
  EXPECT_LT(left, 0x500000u);
  EXPECT_GT(left, 0x400000u);
  EXPECT_EQ(run(100000), Stop::Halted);
  EXPECT_EQ(cpu.reg<std::uint32_t>(kEcx), 0u);
}

TEST_F(Executor, shadow_ends_with_the_first_element_of_a_string) {
  enter_protected_mode();
  cpu.set_reg<std::uint32_t>(kEcx, 0x1000);
  cpu.set_reg<std::uint32_t>(7 * 8, 0x200000);
  put_code(kCode, {0xf3, 0xaa, 0xf4});
  cpu.shadow = kShadowMovSs;
  cpu.derive_mode();
  cpu.attention = 1;
  EXPECT_EQ(run(100), Stop::Attention);
  EXPECT_EQ(cpu.rip, kCode);
  EXPECT_NE(cpu.reg<std::uint32_t>(kEcx), 0u);
}

}  // namespace
}  // namespace vmm::cpu::soft
