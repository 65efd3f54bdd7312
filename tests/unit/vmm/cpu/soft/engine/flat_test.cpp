// The quick way to memory of flat 32-bit code: where it holds, where it ends, and that it differs in nothing but speed.
#include <algorithm>
#include <array>
#include <gtest/gtest.h>
#include <random>
#include <string>
#include <vector>

#include "tests/unit/vmm/cpu/soft/system/machine.h"
#include "vmm/cpu/soft/executor.h"

namespace vmm::cpu::soft {
namespace {

constexpr std::uint8_t kEax = 0, kEcx = 8, kEdx = 2 * 8, kEbx = 3 * 8, kEsp = 4 * 8, kEbp = 5 * 8, kEsi = 6 * 8,
                       kEdi = 7 * 8;

using Code = std::vector<std::uint8_t>;

class FlatCode : public MachineTest {
 protected:
  static constexpr std::uint64_t kData = 0x18000, kTop = 0x380000;
  static constexpr std::uint32_t kTopPage = 0xfffff000;

  Stop execute_all(std::uint64_t budget = 1000) { return execute(cpu, platform_.blocks(), budget); }
  bool is_flat() const { return (cpu.mode & Mode::kFlat32) != 0; }
  std::uint32_t reg(std::uint8_t offset) const { return cpu.reg<std::uint32_t>(offset); }
  void set(std::uint8_t offset, std::uint64_t value) { cpu.set_reg(offset, value); }
  void put(std::uint64_t& at, const Code& bytes) {
    for (const std::uint8_t byte : bytes)
      poke(at++, byte);
  }
  void load(SegmentIndex index, std::uint16_t selector) { ASSERT_TRUE(load_segment(cpu, index, selector)); }
  void load_spare(SegmentIndex index, std::uint32_t base, std::uint32_t limit, std::uint32_t attributes) {
    put_descriptor(kSpare, base, limit, attributes);
    load(index, kSpare);
  }
  std::uint64_t entry_of(std::uint32_t linear) {
    return kTables + (linear >= kTopPage ? 0x2000 : 0x1000) + (linear >> 12 & 0x3ff) * 4;
  }
  // 32-bit paging for users too: the first 4 MiB where they are, and the last page at kTop.
  void enter_paged_mode() {
    enter_protected_mode();
    poke<std::uint32_t>(kTables, (kTables + 0x1000) | 7);
    poke<std::uint32_t>(kTables + 4 * 0x3ff, (kTables + 0x2000) | 7);
    for (std::uint32_t page = 0; page < 0x400000; page += 0x1000)
      poke<std::uint32_t>(entry_of(page), page | 7);
    poke<std::uint32_t>(entry_of(kTopPage), kTop | 7);
    cpu.cr3 = kTables;
    cpu.cr0 |= kCr0Pg | kCr0Wp;
    cpu.mmu.flush_all();
  }
  void go_to_ring_3() {
    go_to_ring(3);
    load(kDs, kData3);
    load(kEs, kData3);
  }
};

TEST_F(FlatCode, is_protected_code_of_32_bits_whose_data_segments_hold_everything) {
  EXPECT_FALSE(is_flat()) << "in real mode";
  enter_protected_mode();
  EXPECT_TRUE(is_flat());
  for (const SegmentIndex index : {kDs, kEs}) {
    SCOPED_TRACE(testing::Message() << "segment " << int{index});
    load_spare(index, 0x1000, 0xfffff, 0xc093);
    EXPECT_FALSE(is_flat()) << "with a base";
    load_spare(index, 0, 0xffffe, 0xc093);
    EXPECT_FALSE(is_flat()) << "with a limit";
    load_spare(index, 0, 0xfffff, 0xc091);
    EXPECT_FALSE(is_flat()) << "read-only";
    load_spare(index, 0, 0, 0xc097);
    EXPECT_FALSE(is_flat()) << "expanding down";
    load_spare(index, 0, 0xfffff, 0xc09b);
    EXPECT_FALSE(is_flat()) << "of code";
    load(index, 0);
    EXPECT_FALSE(is_flat()) << "null";
    load(index, kData0);
    EXPECT_TRUE(is_flat());
  }
  load_spare(kFs, 0x1000, 0xfffff, 0xc093);
  EXPECT_TRUE(is_flat()) << "FS does not matter";
}

TEST_F(FlatCode, needs_a_wide_stack_and_wide_code) {
  enter_protected_mode();
  load_spare(kSs, 0, 0xfffff, 0x8093);
  EXPECT_FALSE(is_flat()) << "with a 16-bit stack";
  load_spare(kSs, 0, 0x7ffff, 0xc093);
  EXPECT_FALSE(is_flat()) << "with a stack that ends";
  load(kSs, kData0);
  EXPECT_TRUE(is_flat());
  set_flat_segment(cpu, kCs, kCode0Narrow, 0x809b);
  EXPECT_FALSE(is_flat()) << "in 16-bit code";
}

TEST_F(FlatCode, is_none_of_virtual_8086_mode_and_64_bit_mode) {
  enter_protected_mode();
  cpu.other_flags |= kVm;
  cpu.derive_mode();
  EXPECT_FALSE(is_flat());
  cpu.other_flags &= ~kVm;
  enter_long_mode();
  EXPECT_FALSE(is_flat());
  go_to_ring(0);
  EXPECT_TRUE(is_flat()) << "in compatibility mode";
}

TEST_F(FlatCode, segment_that_is_loaded_holds_for_the_next_instruction) {
  struct Case {
    const char* name;
    Code load, read;
  };
  const Case cases[] = {
      {"mov ds, edx", {0x8e, 0xda}, {0x8b, 0x1e}},
      {"mov es, edx", {0x8e, 0xc2}, {0x26, 0x8b, 0x1e}},
      {"mov ss, edx", {0x8e, 0xd2}, {0x36, 0x8b, 0x1e}},
      {"pop ds", {0x1f}, {0x8b, 0x1e}},
      {"pop es", {0x07}, {0x26, 0x8b, 0x1e}},
      {"pop ss", {0x17}, {0x36, 0x8b, 0x1e}},
      {"lds ebp, [edi]", {0xc5, 0x2f}, {0x8b, 0x1e}},
      {"les ebp, [edi]", {0xc4, 0x2f}, {0x26, 0x8b, 0x1e}},
      {"lss ebp, [edi]", {0x0f, 0xb2, 0x2f}, {0x36, 0x8b, 0x1e}},
  };
  enter_protected_mode();
  put_descriptor(kSpare, 0x100, 0xfffff, 0xc093);
  poke<std::uint32_t>(kData, 1);
  poke<std::uint32_t>(kData + 0x100, 2);
  poke<std::uint64_t>(kData + 0x200, std::uint64_t{kSpare} << 32);
  for (const Case& one : cases) {
    SCOPED_TRACE(one.name);
    std::uint64_t at = kCode;
    for (const Code& part : {Code{0x8b, 0x06}, one.load, one.read, Code{0x8e, 0xd9, 0x8e, 0xc1, 0x8e, 0xd1},
                             Code{0x03, 0x1e, 0xf4}})  // back to flat segments by ECX; add ebx, [esi]; hlt
      put(at, part);
    for (unsigned round = 0; round < 3; ++round) {
      set(kEsi, kData);
      set(kEdi, kData + 0x200);
      set(kEdx, kSpare);
      set(kEcx, kData0);
      set(kEsp, kStack + 0x1000);
      poke<std::uint32_t>(kStack + 0x1000, kSpare);
      cpu.rip = kCode;
      cpu.activity = Activity::Running;
      EXPECT_TRUE(is_flat());
      EXPECT_EQ(execute_all(), Stop::Halted);
      EXPECT_EQ(reg(kEax), 1u);
      EXPECT_EQ(reg(kEbx), 3u) << "2 by the loaded segment, and 1";
    }
  }
}

TEST_F(FlatCode, limit_of_a_loaded_segment_faults_in_the_same_block) {
  enter_protected_mode();
  put_descriptor(kSpare, 0, kData / 0x1000 - 1, 0xc093);
  put_gate(kIdt + 13 * 8, kCode0, kCode + 0x800, 14, 0);
  put_code(kCode + 0x800, {0xf4});
  // mov [esi], eax; mov ds, edx; mov [esi], ebx; hlt
  put_code(kCode, {0x89, 0x06, 0x8e, 0xda, 0x89, 0x1e, 0xf4});
  for (unsigned round = 0; round < 3; ++round) {
    load(kDs, kData0);
    set(kEax, 1);
    set(kEbx, 2);
    set(kEdx, kSpare);
    set(kEsi, kData);
    set(kEsp, kStack + 0x1000);
    cpu.rip = kCode;
    cpu.activity = Activity::Running;
    EXPECT_EQ(execute_all(), Stop::Halted);
    EXPECT_EQ(cpu.rip, kCode + 0x801);
    EXPECT_EQ(peek<std::uint32_t>(kStack + 0x1000 - 12), kCode + 4);  // EIP
    EXPECT_EQ(peek<std::uint32_t>(kData), 1u);
  }
}

TEST_F(FlatCode, return_to_an_outer_ring_takes_the_inner_segments_away) {
  enter_protected_mode();
  put_gate(kIdt + 13 * 8, kCode0, kCode + 0x800, 14, 0);
  put_code(kCode + 0x800, {0xf4});
  put_code(kCode, {0x8b, 0x06, 0xcb});  // mov eax, [esi]; retf
  put_code(kCode + 0x100, {0x8b, 0x1e});
  set(kEsi, kData);
  const std::array<std::uint32_t, 4> frame{kCode + 0x100, kCode3, kStack + 0x2000, kData3};
  for (unsigned i = 0; i < frame.size(); ++i)
    poke<std::uint32_t>(kStack + 4 * i, frame[i]);
  set(kEsp, kStack);
  EXPECT_EQ(execute_all(), Stop::Halted);
  EXPECT_EQ(cpu.rip, kCode + 0x801);
  EXPECT_EQ(peek<std::uint32_t>(kStack + 0x1000 - 20), kCode + 0x100);  // EIP on the stack of ring 0
}

TEST_F(FlatCode, addresses_wrap_at_4_gib) {
  enter_paged_mode();
  poke<std::uint32_t>(kData, 0x12345678);
  poke<std::uint32_t>(kTop + 0xffc, 0x9abcdef0);
  for (unsigned round = 0; round < 2; ++round) {
    set(kEsi, 0xdead'beef'ffff'fff0);
    set(kEcx, 0x1234'5678'0000'4000);
    cpu.rip = kCode;
    EXPECT_EQ(run({0x8b, 0x86, 0x10, 0x80, 0x01, 0x00}), Flow::Next);  // mov eax, [esi+18010h]
    EXPECT_EQ(reg(kEax), 0x12345678u);
    EXPECT_EQ(run({0x8b, 0x9c, 0x8e, 0x10, 0x80, 0x00, 0x00}), Flow::Next);  // mov ebx, [esi+ecx*4+8010h]
    EXPECT_EQ(reg(kEbx), 0x12345678u);
    EXPECT_EQ(run({0x8b, 0x56, 0x0c}), Flow::Next);  // mov edx, [esi+12]
    EXPECT_EQ(reg(kEdx), 0x9abcdef0u);
    EXPECT_EQ(run({0x67, 0x8b, 0x9c, 0x10, 0x80}), Flow::Next);  // mov ebx, [si+8010h]
    EXPECT_EQ(reg(kEbx), peek<std::uint32_t>(0x8000));
  }
}

TEST_F(FlatCode, accesses_do_not_wrap_at_4_gib) {
  const Code cases[] = {
      {0x8b, 0x06},              // mov eax, [esi]
      {0x89, 0x06},              // mov [esi], eax
      {0xc7, 0x06, 1, 2, 3, 4},  // mov dword [esi], 04030201h
      {0x01, 0x06},              // add [esi], eax
      {0x03, 0x06},              // add eax, [esi]
      {0xff, 0x06},              // inc dword [esi]
      {0x0f, 0xb7, 0x46, 0x01},  // movzx eax, word [esi+1]
      {0x87, 0x06},              // xchg [esi], eax
      {0xff, 0x36},              // push [esi]
      {0xff, 0x16},              // call [esi]
  };
  enter_paged_mode();
  for (const std::uint32_t edge : {kTopPage, 0u})  // both pages are in the TLB
    ASSERT_TRUE(cpu.mmu.write<std::uint32_t>(edge + 0x800, 0));
  for (const Code& bytes : cases) {
    SCOPED_TRACE(testing::PrintToString(bytes));
    std::uint64_t at = kCode;
    put(at, bytes);
    cpu.rip = kCode;
    set(kEsi, 0xfffffffe);
    set(kEax, 0x1111);
    const auto before = cpu.general;
    EXPECT_EQ(step(), Flow::Fault);
    EXPECT_TRUE(faulted(Vector::GeneralProtection, 0));
    EXPECT_EQ(cpu.general, before);
  }
  cpu.rip = kCode;
  set(kEbp, 0xfffffffe);
  EXPECT_EQ(run({0x8b, 0x45, 0x00}), Flow::Fault);  // mov eax, [ebp]
  EXPECT_TRUE(faulted(Vector::StackFault, 0));
  EXPECT_EQ(peek<std::uint16_t>(kTop + 0xffe), 0u);
  EXPECT_EQ(peek<std::uint16_t>(0), 0u);
}

TEST_F(FlatCode, stack_wraps_between_values_and_not_within_one) {
  enter_paged_mode();
  set(kEax, 0x11223344);
  for (unsigned round = 0; round < 2; ++round) {
    set(kEsp, 0xabcd'0000'0000'0000);
    cpu.rip = kCode;
    EXPECT_EQ(run({0x50}), Flow::Next);  // push eax
    EXPECT_EQ(rsp(), 0xfffffffcu);
    EXPECT_EQ(peek<std::uint32_t>(kTop + 0xffc), 0x11223344u);
    EXPECT_EQ(run({0x5b}), Flow::Next);  // pop ebx
    EXPECT_EQ(rsp(), 0u);
    EXPECT_EQ(reg(kEbx), 0x11223344u);
  }
  const Code cases[] = {{0x50}, {0x6a, 0x01}, {0xe8, 0, 0, 0, 0}, {0xff, 0xd0}, {0x58}, {0xc3}, {0xc9}, {0x9c}};
  for (const Code& bytes : cases) {
    SCOPED_TRACE(testing::PrintToString(bytes));
    std::uint64_t at = kCode;
    put(at, bytes);
    cpu.rip = kCode;
    const bool pops = bytes[0] == 0x58 || bytes[0] == 0xc3;
    set(kEsp, pops ? 0xfffffffe : 2);
    set(kEbp, 0xfffffffe);
    const auto before = cpu.general;
    EXPECT_EQ(step(), Flow::Fault);
    EXPECT_TRUE(faulted(Vector::StackFault, 0));
    EXPECT_EQ(cpu.general, before);
  }
}

TEST_F(FlatCode, values_of_16_bits_go_through_the_stack_too) {
  enter_protected_mode();
  set(kEax, 0x11223344);
  const auto before = rsp();
  EXPECT_EQ(run({0x66, 0x50}), Flow::Next);  // push ax
  EXPECT_EQ(rsp(), before - 2);
  EXPECT_EQ(run({0x66, 0x5b}), Flow::Next);  // pop bx
  EXPECT_EQ(rsp(), before);
  EXPECT_EQ(cpu.reg<std::uint16_t>(kEbx), 0x3344u);
}

TEST_F(FlatCode, compatibility_mode_ignores_the_upper_halves) {
  enter_long_mode();
  go_to_ring(0);
  poke<std::uint32_t>(kData, 0x55667788);
  for (unsigned round = 0; round < 2; ++round) {
    set(kEsi, 0xdead'beef'0000'0000 | kData);
    set(kEsp, 0xdead'beef'0000'0000 | (kStack + 0x800));
    cpu.rip = kCode;
    EXPECT_EQ(run({0x8b, 0x06}), Flow::Next);
    EXPECT_EQ(cpu.reg<std::uint64_t>(kEax), 0x55667788u);
    EXPECT_EQ(run({0x50}), Flow::Next);
    EXPECT_EQ(rsp(), kStack + 0x7fc);
    EXPECT_EQ(peek<std::uint32_t>(kStack + 0x7fc), 0x55667788u);
    EXPECT_EQ(run({0x5a}), Flow::Next);
    EXPECT_EQ(cpu.reg<std::uint64_t>(kEdx), 0x55667788u);
  }
}

// 32-bit addresses in 64-bit mode are cut; what they lead to may go on beyond 4 GiB.
TEST_F(FlatCode, narrow_addresses_of_64_bit_mode_reach_across_4_gib) {
  enter_long_mode();
  poke<std::uint64_t>(kTables + 0x1000 + 8 * 3, (kTables + 0x3000) | 7);
  poke<std::uint64_t>(kTables + 0x1000 + 8 * 4, (kTables + 0x4000) | 7);
  poke<std::uint64_t>(kTables + 0x3000 + 8 * 511, 0x200087);
  poke<std::uint64_t>(kTables + 0x4000, 0x400087);
  poke<std::uint16_t>(0x3ffffe, 0x1122);
  poke<std::uint16_t>(0x400000, 0x3344);
  for (unsigned round = 0; round < 2; ++round) {
    set(kEsi, 0xdead'beef'ffff'fffe);
    cpu.rip = kCode;
    EXPECT_EQ(run({0x67, 0x8b, 0x06}), Flow::Next);  // mov eax, [esi]
    EXPECT_EQ(reg(kEax), 0x33441122u);
    EXPECT_EQ(run({0x67, 0x48, 0x8b, 0x5e, 0x02}), Flow::Next);  // mov rbx, [esi+2]
    EXPECT_EQ(cpu.reg<std::uint64_t>(kEbx), peek<std::uint64_t>(0));
  }
}

// Instructions on a page that is not there, or may not be written: the fault says so, changes nothing else, and once
// the page is there they do what they would have done.
class FlatFaults : public FlatCode {
 protected:
  static constexpr std::uint32_t kPage = 0x300000, kAt = kPage + 0x10, kPointer = kPage + 0x800;
  static constexpr std::uint64_t kHandler = kCode + 0x800;

  struct Case {
    const char* name;
    Code bytes;
    bool writes;
    std::uint32_t address = kAt;
    bool on_page_stack = false;
  };
  struct Result {
    std::array<std::uint64_t, 17> general{};
    std::uint32_t flags = 0;
    std::uint64_t rip = 0, at = 0, top = 0;
    bool operator==(const Result&) const = default;
  };

  // inc ecx; mov ebx, [18000h]; the instruction; inc ecx; jmp $
  void begin(const Case& one) {
    std::uint64_t at = kCode;
    for (const Code& part : {Code{0x41, 0x8b, 0x1d, 0x00, 0x80, 0x01, 0x00}, one.bytes, Code{0x41, 0xeb, 0xfe}})
      put(at, part);
    cpu.general.fill(0);
    set(kEax, 0x01020304);
    set(kEsi, kAt);
    set(kEdi, kAt);
    set(kEbp, kPointer);
    poke<std::uint32_t>(kAt, static_cast<std::uint32_t>(at - 3));  // as the target of jumps
    poke<std::uint32_t>(kPointer, static_cast<std::uint32_t>(at - 3));
    poke<std::uint32_t>(kPointer - 4, 0);
    cpu.set_rflags(0);
    go_to_ring_3();
    if (one.on_page_stack) set(kEsp, kPointer);
    cpu.rip = kCode;
    cpu.activity = Activity::Running;
  }
  void set_page(std::uint32_t bits) {
    poke<std::uint32_t>(entry_of(kPage), kPage | bits);
    cpu.mmu.flush_page(kPage);
  }
  Result result() {
    return {cpu.general, cpu.rflags() & kArithmeticFlags, cpu.rip, peek<std::uint64_t>(kAt),
            peek<std::uint64_t>(kPointer - 4)};
  }
  Result run_mapped(const Case& one) {
    begin(one);
    set_page(7);
    execute_all(50);
    return result();
  }
  void run_faulting(const Case& one, std::uint32_t bits) {
    begin(one);
    set_page(bits);
    const auto before = cpu.general;
    ASSERT_EQ(execute_all(), Stop::Halted);
    ASSERT_EQ(cpu.rip, kHandler + 1);
    EXPECT_EQ(cpu.cr2, one.address);
    const auto frame = reg(kEsp);
    EXPECT_EQ(peek<std::uint32_t>(frame), 4u | (one.writes ? 2u : 0u) | (bits & 1));
    EXPECT_EQ(peek<std::uint32_t>(frame + 4), kCode + 7);
    EXPECT_EQ(peek<std::uint32_t>(frame + 16), before[kEsp / 8]);
    auto expected = before;
    expected[kEcx / 8] += 1;
    expected[kEbx / 8] = peek<std::uint32_t>(kData);
    expected[kEsp / 8] = frame;
    EXPECT_EQ(cpu.general, expected);
    set_page(7);
    cpu.activity = Activity::Running;
    execute_all(50);
  }
};

TEST_F(FlatFaults, page_that_comes_later_changes_nothing) {
  const Case cases[] = {
      {"mov eax, [esi]", {0x8b, 0x06}, false},
      {"mov [edi], eax", {0x89, 0x07}, true},
      {"mov [edi], al", {0x88, 0x07}, true},
      {"mov word [edi], 1", {0x66, 0xc7, 0x07, 1, 0}, true},
      {"movzx eax, byte [esi]", {0x0f, 0xb6, 0x06}, false},
      {"movsx eax, word [esi]", {0x0f, 0xbf, 0x06}, false},
      {"add eax, [esi]", {0x03, 0x06}, false},
      {"sbb [edi], eax", {0x19, 0x07}, true},
      {"cmp [edi], eax", {0x39, 0x07}, false},
      {"test byte [edi], 1", {0xf6, 0x07, 1}, false},
      {"neg dword [edi]", {0xf7, 0x1f}, true},
      {"lock inc dword [edi]", {0xf0, 0xff, 0x07}, true},
      {"xchg [edi], eax", {0x87, 0x07}, true},
      {"push [esi]", {0xff, 0x36}, false},
      {"jmp [esi]", {0xff, 0x26}, false},
      {"push eax", {0x50}, true, kPointer - 4, true},
      {"push 1", {0x6a, 0x01}, true, kPointer - 4, true},
      {"pop edx", {0x5a}, false, kPointer, true},
      {"call to the next", {0xe8, 0, 0, 0, 0}, true, kPointer - 4, true},
      {"ret 8", {0xc2, 0x08, 0x00}, false, kPointer, true},
      {"leave", {0xc9}, false, kPointer, true},
  };
  enter_paged_mode();
  put_gate(kIdt + 14 * 8, kCode0, kHandler, 14, 0);
  put_code(kHandler, {0xf4, 0x83, 0xc4, 0x04, 0xcf});  // hlt; add esp, 4; iret
  for (const Case& one : cases) {
    SCOPED_TRACE(one.name);
    const Result wanted = run_mapped(one);
    run_faulting(one, 6);
    EXPECT_EQ(result(), wanted);
    if (!one.writes) continue;
    run_faulting(one, 5);
    EXPECT_EQ(result(), wanted) << "where it was read-only";
  }
}

// Random blocks with flat segments, and with an ES that nobody uses and that is null: through segments.
TEST_F(FlatCode, does_what_code_through_segments_does) {
  const Code kInstructions[] = {
      {0x8b, 0x06},                                            // mov eax, [esi]
      {0x8b, 0x5c, 0x24, 0x08},                                // mov ebx, [esp+8]
      {0x8a, 0x66, 0x03},                                      // mov ah, [esi+3]
      {0x66, 0x8b, 0x4d, 0x04},                                // mov cx, [ebp+4]
      {0x83, 0xe0, 0x1c, 0x8b, 0x14, 0x06},                    // and eax, 28; mov edx, [esi+eax]
      {0x83, 0xe1, 0x03, 0x8b, 0x1c, 0x8e},                    // and ecx, 3; mov ebx, [esi+ecx*4]
      {0x89, 0x57, 0x10},                                      // mov [edi+16], edx
      {0x88, 0x7f, 0x05},                                      // mov [edi+5], bh
      {0x66, 0x89, 0x47, 0x06},                                // mov [edi+6], ax
      {0xc7, 0x07, 0x78, 0x56, 0x34, 0x12},                    // mov dword [edi], 12345678h
      {0x0f, 0xb6, 0x4e, 0x01},                                // movzx ecx, byte [esi+1]
      {0x0f, 0xbf, 0x46, 0x06},                                // movsx eax, word [esi+6]
      {0x03, 0x46, 0x08},                                      // add eax, [esi+8]
      {0x2a, 0x5e, 0x02},                                      // sub bl, [esi+2]
      {0x13, 0x16},                                            // adc edx, [esi]
      {0x3b, 0x4e, 0x0c},                                      // cmp ecx, [esi+12]
      {0x01, 0x4f, 0x14},                                      // add [edi+20], ecx
      {0x66, 0x19, 0x57, 0x02},                                // sbb [edi+2], dx
      {0x81, 0x37, 1, 2, 3, 4},                                // xor dword [edi], 04030201h
      {0x83, 0x7f, 0x04, 0x11},                                // cmp dword [edi+4], 17
      {0xf7, 0x46, 0x08, 0xff, 0, 0, 0},                       // test dword [esi+8], 255
      {0xff, 0x47, 0x18},                                      // inc dword [edi+24]
      {0xfe, 0x4f, 0x19},                                      // dec byte [edi+25]
      {0xf7, 0x57, 0x1c},                                      // not dword [edi+28]
      {0xf0, 0x09, 0x07},                                      // lock or [edi], eax
      {0x87, 0x4f, 0x04},                                      // xchg [edi+4], ecx
      {0x8d, 0x44, 0x8b, 0x05},                                // lea eax, [ebx+ecx*4+5]
      {0x50},                                                  // push eax
      {0x54},                                                  // push esp
      {0x68, 0x11, 0x22, 0x33, 0x44},                          // push 44332211h
      {0x6a, 0xf0},                                            // push -16
      {0xff, 0x76, 0x04},                                      // push [esi+4]
      {0x66, 0x51},                                            // push cx
      {0x59},                                                  // pop ecx
      {0x5a},                                                  // pop edx
      {0x66, 0x5b},                                            // pop bx
      {0x83, 0xec, 0x08},                                      // sub esp, 8
      {0x83, 0xc4, 0x04},                                      // add esp, 4
      {0xe8, 0, 0, 0, 0},                                      // call to the next one
      {0x68, 0x00, 0x09, 0x01, 0x00, 0xff, 0x14, 0x24, 0x58},  // push kCode+900h; call [esp]; pop eax
      {0x55, 0x89, 0xe5, 0x50, 0xc9},                          // push ebp; mov ebp, esp; push eax; leave
      {0x9c, 0x58},                                            // pushf; pop eax
      {0x60, 0x61},                                            // pusha; popa
      {0xa1, 0x04, 0x80, 0x01, 0x00},                          // mov eax, [18004h]
      {0x75, 0x00},                                            // jnz to the next one
      {0x31, 0xd2},                                            // xor edx, edx
  };
  constexpr unsigned kLength = 24, kRounds = 1000;
  enter_protected_mode();
  put_code(kCode + 0x900, {0x40, 0xc2, 0x00, 0x00});  // inc eax; ret 0
  std::minstd_rand random(7);
  const auto run_round = [&](unsigned round, bool flat) {
    std::minstd_rand values(round + 1);
    for (unsigned i = 0; i < 8; ++i)
      cpu.general[i] = values();
    set(kEsi, kData);
    set(kEdi, kData);
    set(kEbp, kData + 8);
    set(kEsp, kStack + 0x1000);
    for (unsigned i = 0; i < 16; ++i)
      EXPECT_TRUE(cpu.mmu.write<std::uint32_t>(kData + 4 * i, static_cast<std::uint32_t>(values())));
    for (std::uint64_t at = kStack + 0xc00; at < kStack + 0x1400; at += 4)
      EXPECT_TRUE(cpu.mmu.write<std::uint32_t>(at, static_cast<std::uint32_t>(values())));
    cpu.set_rflags(static_cast<std::uint32_t>(values()) & kArithmeticFlags);
    load(kEs, flat ? kData0 : 0);
    EXPECT_EQ(is_flat(), flat);
    cpu.rip = kCode;
    cpu.activity = Activity::Running;
    EXPECT_EQ(execute_all(), Stop::Halted);
    std::vector<std::uint64_t> result(cpu.general.begin(), cpu.general.end());
    result.push_back(cpu.rflags());
    for (unsigned i = 0; i < 8; ++i)
      result.push_back(peek<std::uint64_t>(kData + 8 * i));
    for (std::uint64_t at = kStack + 0xc00; at < kStack + 0x1400; at += 8)
      result.push_back(peek<std::uint64_t>(at));
    return result;
  };
  for (unsigned round = 0; round < kRounds; ++round) {
    std::uint64_t at = kCode;
    for (unsigned i = 0; i < kLength; ++i) {
      for (const std::uint8_t byte : kInstructions[random() % std::size(kInstructions)])
        ASSERT_TRUE(cpu.mmu.write<std::uint8_t>(at++, byte));
    }
    ASSERT_TRUE(cpu.mmu.write<std::uint8_t>(at, 0xf4));
    ASSERT_EQ(run_round(round, true), run_round(round, false)) << "round " << round;
  }
}

}  // namespace
}  // namespace vmm::cpu::soft
