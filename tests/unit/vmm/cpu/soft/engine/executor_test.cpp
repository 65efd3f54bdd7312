// Blocks and the loop that runs them: budgets, code that changes, page and segment ends, traps.
#include "vmm/cpu/soft/executor.h"

#include <algorithm>
#include <array>
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

using Code = std::vector<std::uint8_t>;

// What a block's making leaves out (flags that are set anew before anything asks for them) or shortens (a register's
// new value for the next instruction) must not show, wherever a run stops.
class WholeBlocks : public Executor {
 protected:
  static constexpr unsigned kLength = 24, kRounds = 1000;
  static constexpr std::uint64_t kData = 0x18000;

  struct Result {
    std::array<std::uint64_t, 16> general{};
    std::uint32_t flags = 0;
    std::array<std::uint64_t, 8> data{};
    bool operator==(const Result&) const = default;
  };
  Result result() {
    Result now;
    std::copy_n(cpu.general.begin(), now.general.size(), now.general.begin());
    now.flags = cpu.rflags();
    for (unsigned i = 0; i < now.data.size(); ++i)
      now.data[i] = peek<std::uint64_t>(kData + 8 * i);
    return now;
  }
  // RSI and RDI point to data, RSP to a stack; the others hold anything.
  void begin(unsigned seed) {
    std::minstd_rand values(seed + 1);
    for (unsigned i = 0; i < 16; ++i)
      cpu.general[i] = wide_ ? std::uint64_t{values()} << 32 | values() : values();
    cpu.general[4] = kStack + 0x1000;
    cpu.general[6] = cpu.general[7] = kData;
    for (unsigned i = 0; i < 8; ++i)
      ASSERT_TRUE(cpu.mmu.write<std::uint64_t>(kData + 8 * i, values()));
    for (std::uint64_t at = kStack + 0xc00; at < kStack + 0x1400; at += 8)
      ASSERT_TRUE(cpu.mmu.write<std::uint64_t>(at, values()));
    cpu.set_rflags(values() & kArithmeticFlags);
    cpu.rip = kCode;
    cpu.activity = Activity::Running;
  }
  void put_block(std::minstd_rand& random, const std::vector<Code>& instructions) {
    std::uint64_t at = kCode;
    for (unsigned i = 0; i < kLength; ++i) {
      for (const std::uint8_t byte : instructions[random() % instructions.size()])
        ASSERT_TRUE(cpu.mmu.write<std::uint8_t>(at++, byte));
    }
    ASSERT_TRUE(cpu.mmu.write<std::uint8_t>(at, 0xf4));
  }
  Result step_by_step(unsigned seed, unsigned steps) {
    begin(seed);
    for (unsigned i = 0; i < steps && cpu.activity == Activity::Running; ++i)
      run(1);
    return result();
  }
  void compare(const std::vector<Code>& instructions) {
    std::minstd_rand random(3);
    for (unsigned round = 0; round < kRounds; ++round) {
      put_block(random, instructions);
      const auto stop = static_cast<unsigned>(random() % kLength + 1);
      const Result at_stop = step_by_step(round, stop), at_end = step_by_step(round, 3 * kLength);
      begin(round);
      EXPECT_EQ(run(stop), Stop::Budget);
      ASSERT_EQ(result(), at_stop) << "round " << round << " after " << stop;
      EXPECT_EQ(run(1000), Stop::Halted);
      ASSERT_EQ(result(), at_end) << "round " << round << " in two parts, after " << stop;
      begin(round);
      EXPECT_EQ(run(1000), Stop::Halted);
      ASSERT_EQ(result(), at_end) << "round " << round << " in one go";
    }
  }
  bool wide_ = false;
};

TEST_F(WholeBlocks, protected_mode) {
  enter_protected_mode();
  compare({
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
      {0x03, 0x05, 0x00, 0x80, 0x01, 0x00},  // add eax, [18000h]
      {0x0f, 0x94, 0xc1},                    // setz cl
      {0x0f, 0x42, 0xd8},                    // cmovc ebx, eax
      {0x7a, 0x00},                          // jp to the next one
      {0x39, 0xd9},                          // cmp ecx, ebx
      {0x85, 0xc0},                          // test eax, eax
      {0x50},                                // push eax
      {0x59},                                // pop ecx
      {0x54},                                // push esp
      {0x5a},                                // pop edx
      {0x66, 0x50},                          // push ax
      {0x6a, 0x81},                          // push -127
      {0x83, 0xec, 0x10},                    // sub esp, 16
      {0x8b, 0x44, 0x24, 0x04},              // mov eax, [esp+4]
      {0x8b, 0x06},                          // mov eax, [esi]
      {0x89, 0x57, 0x10},                    // mov [edi+16], edx
      {0x03, 0x4e, 0x08},                    // add ecx, [esi+8]
      {0x01, 0x4f, 0x20},                    // add [edi+32], ecx
      {0x83, 0xe0, 0x38, 0x8b, 0x14, 0x06},  // and eax, 38h; mov edx, [esi+eax]
      {0x8d, 0x36, 0x8b, 0x06},              // lea esi, [esi]; mov eax, [esi]
      {0x8d, 0x3f, 0x89, 0x17},              // lea edi, [edi]; mov [edi], edx
      {0x0f, 0xb6, 0x4e, 0x03},              // movzx ecx, byte [esi+3]
  });
}

TEST_F(WholeBlocks, long_mode) {
  wide_ = true;
  enter_long_mode();
  compare({
      {0x48, 0x01, 0xd8},                          // add rax, rbx
      {0x01, 0xc1},                                // add ecx, eax
      {0x66, 0x01, 0xc8},                          // add ax, cx
      {0x28, 0xe1},                                // sub cl, ah
      {0x48, 0x31, 0xc2},                          // xor rdx, rax
      {0x31, 0xc0},                                // xor eax, eax
      {0x48, 0x19, 0xd1},                          // sbb rcx, rdx
      {0x48, 0x83, 0xe9, 0x08},                    // sub rcx, 8
      {0x48, 0x39, 0xc8},                          // cmp rax, rcx
      {0x85, 0xc9},                                // test ecx, ecx
      {0x84, 0xc0},                                // test al, al
      {0x48, 0xff, 0xc0},                          // inc rax
      {0xf6, 0xd9},                                // neg cl
      {0x48, 0xf7, 0xd2},                          // not rdx
      {0x48, 0xc1, 0xe0, 0x0b},                    // shl rax, 11
      {0xc1, 0xca, 0x06},                          // ror edx, 6
      {0x48, 0xd3, 0xea},                          // shr rdx, cl
      {0x48, 0x0f, 0xac, 0xd0, 0x07},              // shrd rax, rdx, 7
      {0x48, 0x89, 0xc1},                          // mov rcx, rax
      {0x89, 0xca},                                // mov edx, ecx
      {0x88, 0xe0},                                // mov al, ah
      {0xb8, 0x78, 0x56, 0x34, 0x12},              // mov eax, 12345678h
      {0x48, 0x8b, 0x06},                          // mov rax, [rsi]
      {0x48, 0x89, 0x47, 0x08},                    // mov [rdi+8], rax
      {0x89, 0x57, 0x10},                          // mov [rdi+16], edx
      {0xc7, 0x47, 0x18, 0x01, 0x00, 0x00, 0x80},  // mov dword [rdi+24], 80000001h
      {0x48, 0x03, 0x46, 0x08},                    // add rax, [rsi+8]
      {0x48, 0x01, 0x4f, 0x20},                    // add [rdi+32], rcx
      {0x48, 0x3b, 0x46, 0x20},                    // cmp rax, [rsi+32]
      {0x83, 0xe0, 0x38, 0x48, 0x8b, 0x14, 0x06},  // and eax, 38h; mov rdx, [rsi+rax]
      {0x48, 0x8d, 0x36, 0x8b, 0x06},              // lea rsi, [rsi]; mov eax, [rsi]
      {0x48, 0x8d, 0x3f, 0x89, 0x17},              // lea rdi, [rdi]; mov [rdi], edx
      {0x48, 0x8d, 0x54, 0x81, 0x07},              // lea rdx, [rcx+rax*4+7]
      {0x8d, 0x14, 0x42},                          // lea edx, [rdx+rax*2]
      {0x48, 0x8d, 0x05, 0x10, 0x00, 0x00, 0x00},  // lea rax, [rip+16]
      {0x8b, 0x0d, 0x00, 0x70, 0x00, 0x00},        // mov ecx, [rip+7000h]
      {0x0f, 0xb6, 0xc8},                          // movzx ecx, al
      {0x0f, 0xb6, 0xd4},                          // movzx edx, ah
      {0x48, 0x63, 0xc2},                          // movsxd rax, edx
      {0x48, 0x0f, 0xbe, 0x46, 0x03},              // movsx rax, byte [rsi+3]
      {0x48, 0x0f, 0xc8},                          // bswap rax
      {0x48, 0x91},                                // xchg rax, rcx
      {0x48, 0x87, 0x0f},                          // xchg [rdi], rcx
      {0x48, 0x0f, 0x44, 0xc8},                    // cmovz rcx, rax
      {0x0f, 0x47, 0x16},                          // cmova edx, [rsi]
      {0x0f, 0x92, 0xc0},                          // setc al
      {0x0f, 0x98, 0x47, 0x05},                    // sets [rdi+5]
      {0x75, 0x00},                                // jnz to the next one
      {0x50},                                      // push rax
      {0x54},                                      // push rsp
      {0x59},                                      // pop rcx
      {0x5a},                                      // pop rdx
      {0x66, 0x50},                                // push ax
      {0x48, 0x83, 0xec, 0x10},                    // sub rsp, 16
      {0x48, 0x0f, 0xaf, 0xc1},                    // imul rax, rcx
  });
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

// CPUs share the cache, but not what a linear address leads to.
TEST_F(Executor, address_of_one_cpu_may_be_other_code_to_another_one) {
  enter_long_mode();
  constexpr std::uint64_t kOwnTables = kTables + 0x10000, kThere = 0x200000;
  poke<std::uint64_t>(kOwnTables, (kOwnTables + 0x1000) | 7);
  poke<std::uint64_t>(kOwnTables + 0x1000, (kOwnTables + 0x2000) | 7);
  poke<std::uint64_t>(kOwnTables + 0x2000 + 8, 0x400087);
  put_code(kThere, {0xb0, 0x01, 0xf4});    // mov al, 1; hlt
  put_code(0x400000, {0xb0, 0x02, 0xf4});  // mov al, 2; hlt
  auto other = std::make_unique<Cpu>();
  other->index = 1;
  other->platform = cpu.platform;
  other->features = cpu.features;
  other->segments = cpu.segments;
  other->cr0 = cpu.cr0;
  other->cr3 = kOwnTables;
  other->cr4 = cpu.cr4;
  other->efer = cpu.efer;
  other->mmu.privilege_changed();
  other->derive_mode();
  while (other->mmu.generation() != cpu.mmu.generation())
    (other->mmu.generation() < cpu.mmu.generation() ? *other : cpu).mmu.flush_all();
  for (unsigned round = 0; round < 2; ++round) {
    for (Cpu* one : {&cpu, other.get()}) {
      one->rip = kThere;
      one->activity = Activity::Running;
      EXPECT_EQ(execute(*one, platform_.blocks(), 10), Stop::Halted);
      EXPECT_EQ(one->reg<std::uint8_t>(kEax), one == &cpu ? 1 : 2);
    }
  }
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
