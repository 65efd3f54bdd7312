// The integer instructions against the host's processor.
#include <algorithm>
#include <array>
#include <gtest/gtest.h>

#include "tests/unit/vmm/cpu/soft/differential/campaign.h"
#include "tests/unit/vmm/cpu/soft/differential/generator.h"

namespace vmm::cpu::soft::differential {
namespace {

constexpr std::string_view kMoves = R"(
    88 /r b, 89 /r v, 8A /r b, 8B /r v, C6 /0 ib b, C7 /0 iz v, B0+r ib b, B8+r iv v, A0 moffs b, A1 moffs v,
    A2 moffs b, A3 moffs v, 0F B6 /r m1 v, 0F B7 /r m2 v, 0F BE /r m1 v, 0F BF /r m2 v, 63 /r m4 v long,
    8D /r mem v, 86 /r b lock, 87 /r v lock, 90+r v, D7 rbx+al, 0F C8+r y, 0F 38 F0 /r mem v, 0F 38 F1 /r mem v,
    98 v, 99 v, 9F, 9E, 0F C3 /r mem y, 90, F3 90, 0F 1F /0 v, 0F 18 /1 mem m1, 0F 0D /1 mem m1,
    0F AE /7 mem m1, 66 0F AE /7 mem m1, 0F 40 /r v, 0F 41 /r v, 0F 42 /r v, 0F 43 /r v, 0F 44 /r v, 0F 45 /r v,
    0F 46 /r v, 0F 47 /r v, 0F 48 /r v, 0F 49 /r v, 0F 4A /r v, 0F 4B /r v, 0F 4C /r v, 0F 4D /r v, 0F 4E /r v,
    0F 4F /r v, 0F 90 /0 b, 0F 91 /0 b, 0F 92 /0 b, 0F 93 /0 b, 0F 94 /0 b, 0F 95 /0 b, 0F 96 /0 b, 0F 97 /0 b,
    0F 98 /0 b, 0F 99 /0 b, 0F 9A /0 b, 0F 9B /0 b, 0F 9C /0 b, 0F 9D /0 b, 0F 9E /0 b, 0F 9F /0 b, 39 /r v,
    01 /r v, 0F 0B, D6 i386)";
constexpr std::string_view kArithmetic = R"(
    00 /r b lock, 01 /r v lock, 02 /r b, 03 /r v, 04 ib b, 05 iz v, 08 /r b lock, 09 /r v lock, 0A /r b,
    0B /r v, 0C ib b, 0D iz v, 10 /r b lock, 11 /r v lock, 12 /r b, 13 /r v, 14 ib b, 15 iz v, 18 /r b lock,
    19 /r v lock, 1A /r b, 1B /r v, 1C ib b, 1D iz v, 20 /r b lock, 21 /r v lock, 22 /r b, 23 /r v, 24 ib b,
    25 iz v, 28 /r b lock, 29 /r v lock, 2A /r b, 2B /r v, 2C ib b, 2D iz v, 30 /r b lock, 31 /r v lock,
    32 /r b, 33 /r v, 34 ib b, 35 iz v, 38 /r b, 39 /r v, 3A /r b, 3B /r v, 3C ib b, 3D iz v, 80 /0 ib b lock,
    80 /1 ib b lock, 80 /2 ib b lock, 80 /3 ib b lock, 80 /4 ib b lock, 80 /5 ib b lock, 80 /6 ib b lock,
    80 /7 ib b, 81 /0 iz v lock, 81 /1 iz v lock, 81 /2 iz v lock, 81 /3 iz v lock, 81 /4 iz v lock,
    81 /5 iz v lock, 81 /6 iz v lock, 81 /7 iz v, 83 /0 ib v lock, 83 /1 ib v lock, 83 /2 ib v lock,
    83 /3 ib v lock, 83 /4 ib v lock, 83 /5 ib v lock, 83 /6 ib v lock, 83 /7 ib v, 84 /r b, 85 /r v, A8 ib b,
    A9 iz v, F6 /0 ib b, F7 /0 iz v, F6 /1 ib b, FE /0 b lock, FE /1 b lock, FF /0 v lock, FF /1 v lock,
    40+r i386 v, 48+r i386 v, F6 /2 b lock, F7 /2 v lock, F6 /3 b lock, F7 /3 v lock, 0F C0 /r b lock,
    0F C1 /r v lock, 0F B0 /r b lock, 0F B1 /r v lock, 0F C7 /1 mem m8 lock, 0F C7 /1 mem m16 align y lock,
    66 0F 38 F6 /r y, F3 0F 38 F6 /r y, F8, F9, F5, FC, FD)";
constexpr std::string_view kDecimal = R"(
    27 i386, 2F i386, 37 i386, 3F i386, D4 ib i386, D5 ib i386, D6 i386, 62 /r mem m8 i386, 01 /r b i386,
    04 ib b i386, 2C ib b i386, 9E i386, 9F i386, B0+r ib b i386)";
constexpr std::string_view kShifts = R"(
    C0 /0 ib b, C0 /1 ib b, C0 /2 ib b, C0 /3 ib b, C0 /4 ib b, C0 /5 ib b, C0 /6 ib b, C0 /7 ib b, C1 /0 ib v,
    C1 /1 ib v, C1 /2 ib v, C1 /3 ib v, C1 /4 ib v, C1 /5 ib v, C1 /6 ib v, C1 /7 ib v, D0 /0 b, D0 /1 b,
    D0 /2 b, D0 /3 b, D0 /4 b, D0 /5 b, D0 /6 b, D0 /7 b, D1 /0 v, D1 /1 v, D1 /2 v, D1 /3 v, D1 /4 v, D1 /5 v,
    D1 /6 v, D1 /7 v, D2 /0 b, D2 /1 b, D2 /2 b, D2 /3 b, D2 /4 b, D2 /5 b, D2 /6 b, D2 /7 b, D3 /0 v, D3 /1 v,
    D3 /2 v, D3 /3 v, D3 /4 v, D3 /5 v, D3 /6 v, D3 /7 v, 0F A4 /r ib y, 0F A5 /r y, 0F AC /r ib y, 0F AD /r y,
    vex map3 pF3 F0 /r ib novv y, vex map2 p66 F7 /r y, vex map2 pF3 F7 /r y, vex map2 pF2 F7 /r y,
    vex map3 pF2 F0 /r ib novv y, 39 /r v, 84 /r b, B0+r ib b)";
constexpr std::string_view kMultiplications = R"(
    F6 /4 b, F7 /4 v, F6 /5 b, F7 /5 v, 0F AF /r v, 69 /r iz v, 6B /r ib v, F6 /6 b, F7 /6 v, F6 /7 b, F7 /7 v,
    vex map2 pF2 F6 /r y, 31 /r v, C1 /5 ib v, C1 /7 ib v, 98 v, 99 v, 0F B6 /r m1 v)";
constexpr std::string_view kBits = R"(
    0F A3 /r bits v, 0F AB /r bits v lock, 0F B3 /r bits v lock, 0F BB /r bits v lock, 0F BA /4 ib v,
    0F BA /5 ib v lock, 0F BA /6 ib v lock, 0F BA /7 ib v lock, 0F BC /r v, 0F BD /r v, F3 0F BC /r v,
    F3 0F BD /r v, F3 0F B8 /r v, vex map2 F2 /r y, vex map2 F3 /1 y, vex map2 F3 /2 y, vex map2 F3 /3 y,
    vex map2 F7 /r y, vex map2 F5 /r y, vex map2 pF2 F5 /r y, vex map2 pF3 F5 /r y, F2 0F 38 F0 /r m1 y,
    F2 0F 38 F1 /r v)";
// Repeated ones run into the end of the data page, one way or the other, unless their count is small.
constexpr std::string_view kStrings = R"(
    A4 b, A5 v, A6 b, A7 v, AA b, AB v, AC b, AD v, AE b, AF v, F3 A4 b, F3 A5 v, F3 A6 b, F3 A7 v, F2 A6 b, F2 A7 v,
    F3 AA b, F3 AB v, F3 AC b, F3 AD v, F3 AE b, F3 AF v, F2 AE b, F2 AF v, FC, FD, B8+r iv v, 8D /r mem v)";
constexpr std::string_view kStack = R"(
    50+r v, 58+r v, FF /6 v, 8F /0 v, 68 iz v, 6A ib v, 9C v, C9 v, 60 i386 v, 61 i386 v, 83 /0 ib v)";

// What random operands seldom meet.
constexpr std::string_view kSequences[] = {
    "8B03F00FB10B",                                  // MOV eax,[rbx]; LOCK CMPXCHG [rbx],ecx: equal
    "488B03480FB10B",                                // the same with 64 bits, without LOCK
    "668B03660FB10B",                                // and 16
    "89C80FB1D1",                                    // MOV eax,ecx; CMPXCHG ecx,edx
    "8B038B5304F00FC70B",                            // MOV eax,[rbx]; MOV edx,[rbx+4]; LOCK CMPXCHG8B [rbx]
    "8B038B53040FC70B",                              // without LOCK
    "488B03488B5308F0480FC70B",                      // MOV rax,[rbx]; MOV rdx,[rbx+8]; LOCK CMPXCHG16B [rbx]
    "488B03488B5308480FC70B",                        // without LOCK
    "480FC74B08",                                    // CMPXCHG16B [rbx+8]: not aligned
    "480FB1C0",                                      // CMPXCHG rax,rax
    "480FC1C0",                                      // XADD rax,rax
    "4887C0",                                        // XCHG rax,rax
    "C4E2FBF6C2",                                    // MULX rax,rax,rdx: the high half
    "31C948F7F1",                                    // XOR ecx,ecx; DIV rcx
    "48B80000000000000080489948C7C1FFFFFFFF48F7F9",  // the smallest number by -1: IDIV rcx
    "31C048BA000000000000008048C7C1FFFFFFFF48F7F9",  // twice the size
    "B880FFFFFFB1FFF6F9",                            // MOV eax,-128; MOV cl,-1; IDIV cl
    "31C0480FBCC8",                                  // XOR eax,eax; BSF rcx,rax
    "31C00FBDC8",                                    // BSR ecx,eax
    "31C00FBCC8",                                    // BSF ecx,eax
    "660FC8",                                        // BSWAP ax
    "0F1F8400FFFFFFFF",                              // NOP [rax+rax-1]: no access
    "0FAEE8",
    "0FAEF0",
    "0FAEF8",  // LFENCE, MFENCE, SFENCE
    "0FFFC0",
    "0FB9C0",
    "0F0B",        // UD0, UD1, UD2
    "F00FB1C8",    // LOCK with a register
    "F03903",      // LOCK CMP [rbx],eax
    "F08903",      // LOCK MOV [rbx],eax
    "F0F603FF",    // LOCK TEST
    "F0480FA303",  // LOCK BT
    "32:678D4012",
    "32:678D00",
    "32:678D8634 12",
    "32:678D06BBAA",
    "32:66678D01",
    "32:678D02",
    "32:678D03",
    "32:678D04",
    "32:678D05",
    "32:678D07",
    "32:678D4680",
    "32:678D8FFFFF",  // LEA with 16-bit addresses
    "64678D4310",     // LEA with a segment: it does not matter
    "32:668D03",
    "668D03",
    "67488D03",
    "67668D43F0",
    "32:0FC8",
    "32:660FC8",
    "32:D40A",
    "32:D400",
    "32:D50A",
    "32:D507",
    "32:27",
    "32:2F",
    "32:37",
    "32:3F",
};
// What was wrong once.
constexpr std::string_view kRegressions[] = {
    "410FB1DD",  // CMPXCHG r13d, ebx: cleared R13's upper half where they differ
    "67F3AA",    // REP STOSB with 32-bit addresses: cleared RDI's upper half when its first element faulted
};

// Which of two places that are not there CMPS names, and how far PUSHA and POPA get, is each processor's own affair.
bool may_fault_anyhow(const Case& one, std::uint64_t rip) {
  constexpr std::array kMnemonics{ZYDIS_MNEMONIC_CMPSB, ZYDIS_MNEMONIC_CMPSW, ZYDIS_MNEMONIC_CMPSD,
                                  ZYDIS_MNEMONIC_CMPSQ, ZYDIS_MNEMONIC_PUSHA, ZYDIS_MNEMONIC_PUSHAD,
                                  ZYDIS_MNEMONIC_POPA,  ZYDIS_MNEMONIC_POPAD};
  const auto at = rip - (kCodeAddress - code_base(one.segments));
  Decoded decoded;
  return at < one.size && decode_for_test(std::span(one.code).subspan(at, one.size - at), one.segments, decoded) &&
         std::ranges::find(kMnemonics, decoded.instruction.mnemonic) != kMnemonics.end();
}

void forgive_faults(const Case& one, Outcome& native, Outcome& soft) {
  if (native.vector == kDone || soft.vector == kDone) return;
  if (native.rip == soft.rip && may_fault_anyhow(one, soft.rip)) native = soft;
  // Linux says of addresses of its own that they are there.
  constexpr std::uint64_t kEndOfUsers = 0x7ffffffff000;
  if (native.address >= kEndOfUsers) native.error_code = soft.error_code;
}

TEST(IntegerDifferential, moves) {
  EXPECT_EQ(run_campaign({.forms = kMoves, .cases = 40000}), "");
}
TEST(IntegerDifferential, arithmetic) {
  EXPECT_EQ(run_campaign({.forms = kArithmetic, .cases = 60000}), "");
}
TEST(IntegerDifferential, decimal_adjustments_bound_and_salc) {
  EXPECT_EQ(run_campaign({.forms = kDecimal, .cases = 20000}), "");
}
TEST(IntegerDifferential, shifts_and_rotates) {
  EXPECT_EQ(run_campaign({.forms = kShifts, .cases = 40000}), "");
}
TEST(IntegerDifferential, multiplications_and_divisions) {
  EXPECT_EQ(run_campaign({.forms = kMultiplications, .cases = 30000, .max_instructions = 3}), "");
}
TEST(IntegerDifferential, bits) {
  EXPECT_EQ(run_campaign({.forms = kBits, .cases = 30000}), "");
}
TEST(IntegerDifferential, strings) {
  EXPECT_EQ(run_campaign({.forms = kStrings, .cases = 20000, .max_instructions = 3, .forgive = forgive_faults}), "");
}
TEST(IntegerDifferential, stack) {
  EXPECT_EQ(run_campaign({.forms = kStack, .cases = 20000, .forgive = forgive_faults}), "");
}
TEST(IntegerDifferential, floating_point_registers_are_left_alone) {
  EXPECT_EQ(run_campaign({.forms = kArithmetic, .cases = 5000, .fpu = true}), "");
}
TEST(IntegerDifferential, what_random_operands_seldom_meet) {
  EXPECT_EQ(run_regressions(kSequences, {}), "");
}
TEST(IntegerDifferential, what_was_wrong_once) {
  EXPECT_EQ(run_regressions(kRegressions, {.forms = {}, .forgive = forgive_faults}), "");
}

}  // namespace
}  // namespace vmm::cpu::soft::differential
