#include "vmm/cpu/soft/host_vex.h"

#include <algorithm>
#include <cstddef>

namespace vmm::cpu::soft {
namespace {

// Instructions with an immediate, which is a part of the instruction: X(map, prefix, opcode, digit, vvvv, W). vvvv: 14
// for register 1, 15 where none is named; both are the complement, as VEX has it. W: where it means something.
// clang-format off
#define MINIVMM_VEX_IMMEDIATES(X)                                                                 \
  X(1, 1, 0x70, 0, 15, 0) X(1, 2, 0x70, 0, 15, 0) X(1, 3, 0x70, 0, 15, 0) X(1, 1, 0x71, 2, 14, 0) \
  X(1, 1, 0x71, 4, 14, 0) X(1, 1, 0x71, 6, 14, 0) X(1, 1, 0x72, 2, 14, 0) X(1, 1, 0x72, 4, 14, 0) \
  X(1, 1, 0x72, 6, 14, 0) X(1, 1, 0x73, 2, 14, 0) X(1, 1, 0x73, 3, 14, 0) X(1, 1, 0x73, 6, 14, 0) \
  X(1, 1, 0x73, 7, 14, 0) X(1, 0, 0xc2, 0, 14, 0) X(1, 1, 0xc2, 0, 14, 0) X(1, 2, 0xc2, 0, 14, 0) \
  X(1, 3, 0xc2, 0, 14, 0) X(1, 1, 0xc4, 0, 14, 0) X(1, 1, 0xc5, 0, 15, 0) X(1, 0, 0xc6, 0, 14, 0) \
  X(1, 1, 0xc6, 0, 14, 0) X(3, 1, 0x00, 0, 15, 1) X(3, 1, 0x01, 0, 15, 1) X(3, 1, 0x02, 0, 14, 0) \
  X(3, 1, 0x04, 0, 15, 0) X(3, 1, 0x05, 0, 15, 0) X(3, 1, 0x06, 0, 14, 0) X(3, 1, 0x08, 0, 15, 0) \
  X(3, 1, 0x09, 0, 15, 0) X(3, 1, 0x0a, 0, 14, 0) X(3, 1, 0x0b, 0, 14, 0) X(3, 1, 0x0c, 0, 14, 0) \
  X(3, 1, 0x0d, 0, 14, 0) X(3, 1, 0x0e, 0, 14, 0) X(3, 1, 0x0f, 0, 14, 0) X(3, 1, 0x14, 0, 15, 0) \
  X(3, 1, 0x15, 0, 15, 0) X(3, 1, 0x16, 0, 15, 0) X(3, 1, 0x16, 0, 15, 1) X(3, 1, 0x17, 0, 15, 0) \
  X(3, 1, 0x18, 0, 14, 0) X(3, 1, 0x19, 0, 15, 0) X(3, 1, 0x1d, 0, 15, 0) X(3, 1, 0x20, 0, 14, 0) \
  X(3, 1, 0x21, 0, 14, 0) X(3, 1, 0x22, 0, 14, 0) X(3, 1, 0x22, 0, 14, 1) X(3, 1, 0x38, 0, 14, 0) \
  X(3, 1, 0x39, 0, 15, 0) X(3, 1, 0x40, 0, 14, 0) X(3, 1, 0x41, 0, 14, 0) X(3, 1, 0x42, 0, 14, 0) \
  X(3, 1, 0x44, 0, 14, 0) X(3, 1, 0x46, 0, 14, 0) X(3, 1, 0x4a, 0, 14, 0) X(3, 1, 0x4b, 0, 14, 0) \
  X(3, 1, 0x4c, 0, 14, 0) X(3, 1, 0x60, 0, 15, 0) X(3, 1, 0x60, 0, 15, 1) X(3, 1, 0x61, 0, 15, 0) \
  X(3, 1, 0x61, 0, 15, 1) X(3, 1, 0x62, 0, 15, 0) X(3, 1, 0x63, 0, 15, 0) X(3, 1, 0xdf, 0, 15, 0)
// clang-format on

struct ImmediateRow {
  std::uint8_t map, prefix, opcode, digit, vvvv, w;
};
#define MINIVMM_VEX_ROW(map, prefix, opcode, digit, vvvv, w) {map, prefix, opcode, digit, vvvv, w},
constexpr ImmediateRow kImmediateRows[] = {MINIVMM_VEX_IMMEDIATES(MINIVMM_VEX_ROW)};
#undef MINIVMM_VEX_ROW

constexpr std::size_t kBytes = 8;  // of an instruction with its return
constexpr std::size_t kOpcodes = 256, kImmediates = 256;

}  // namespace

// Tables for the assembler to make. [SDM 2A 2.3.5] C4, R X B map (none extended), W vvvv L pp, opcode, ModRM (reg 0 or
// the digit, rm 2), the immediate, RET.
//
// Without an immediate all there can be of maps 1 and 2, whether they are instructions or not: by map, vvvv, W, L, pp
// and opcode.
extern "C" {
[[gnu::visibility("hidden")]] extern const std::uint8_t minivmm_vex_plain[];
[[gnu::visibility("hidden")]] extern const std::uint8_t minivmm_vex_immediate[];
}
asm(R"(
  .pushsection .text.minivmm_vex, "ax", @progbits
  .balign 8
minivmm_vex_plain:
  .set .Lmap, 1
  .rept 2
    .set .Lfields, 0
    .rept 32
      .set .Lopcode, 0
      .rept 256
        .byte 0xc4, 0xe0 | .Lmap, ((.Lfields & 8) << 4) | (14 + (.Lfields >> 4)) << 3 | (.Lfields & 7), .Lopcode, 0xc2
        .byte 0xc3, 0xcc, 0xcc
        .set .Lopcode, .Lopcode + 1
      .endr
      .set .Lfields, .Lfields + 1
    .endr
    .set .Lmap, .Lmap + 1
  .endr
minivmm_vex_immediate:
  .macro minivmm_vex_row map, prefix, opcode, digit, vvvv, w
    .set .Ll, 0
    .rept 2
      .set .Limmediate, 0
      .rept 256
        .byte 0xc4, 0xe0 | \map, \w << 7 | \vvvv << 3 | .Ll << 2 | \prefix, \opcode, 0xc2 | \digit << 3, .Limmediate
        .byte 0xc3, 0xcc
        .set .Limmediate, .Limmediate + 1
      .endr
      .set .Ll, .Ll + 1
    .endr
  .endm
)"
#define MINIVMM_VEX_ROW(map, prefix, opcode, digit, vvvv, w) \
  "  minivmm_vex_row " #map ", " #prefix ", " #opcode ", " #digit ", " #vvvv ", " #w "\n"
    MINIVMM_VEX_IMMEDIATES(MINIVMM_VEX_ROW)
#undef MINIVMM_VEX_ROW
        "  .popsection\n");

namespace {

HostInstruction with_immediate(const VexEncoding& encoding) {
  const std::uint8_t vvvv = encoding.has_vvvv ? 14 : 15;
  const auto matches = [&](const ImmediateRow& row, bool w) {
    return row.map == encoding.map && row.prefix == encoding.prefix && row.opcode == encoding.opcode &&
           row.digit == encoding.digit && row.vvvv == vvvv && (row.w != 0) == w;
  };
  const auto find = [&](bool w) {
    return std::ranges::find_if(kImmediateRows, [&](const ImmediateRow& row) { return matches(row, w); });
  };
  const auto* row = find(encoding.w);
  if (row == std::end(kImmediateRows)) row = find(false);
  if (row == std::end(kImmediateRows)) return nullptr;
  const auto number = static_cast<std::size_t>(row - std::begin(kImmediateRows)) * 2 + (encoding.l ? 1 : 0);
  return minivmm_vex_immediate + (number * kImmediates + encoding.immediate) * kBytes;
}

}  // namespace

HostInstruction host_instruction(const VexEncoding& encoding) {
  if (encoding.has_immediate) return with_immediate(encoding);
  if (encoding.map != 1 && encoding.map != 2) return nullptr;
  std::size_t number = encoding.map - std::size_t{1};
  number = number << 1 | (encoding.has_vvvv ? 0 : 1);
  number = number << 1 | (encoding.w ? 1 : 0);
  number = number << 1 | (encoding.l ? 1 : 0);
  number = number << 2 | (encoding.prefix & 3);
  return minivmm_vex_plain + (number * kOpcodes + encoding.opcode) * kBytes;
}

// The halves are loaded and stored apart: they have just been written so, and will be read so. The stack pointer steps
// over what the compiler may keep below it.
#define MINIVMM_LOAD_YMM                     \
  "vmovdqu (%0), %%xmm0\n"                   \
  "vmovdqu 32(%0), %%xmm1\n"                 \
  "vmovdqu 64(%0), %%xmm2\n"                 \
  "vmovdqu 96(%0), %%xmm3\n"                 \
  "vinsertf128 $1, 16(%0), %%ymm0, %%ymm0\n" \
  "vinsertf128 $1, 48(%0), %%ymm1, %%ymm1\n" \
  "vinsertf128 $1, 80(%0), %%ymm2, %%ymm2\n" \
  "vinsertf128 $1, 112(%0), %%ymm3, %%ymm3\n"
#define MINIVMM_STORE_YMM             \
  "vmovdqu %%xmm0, (%0)\n"            \
  "vmovdqu %%xmm1, 32(%0)\n"          \
  "vmovdqu %%xmm2, 64(%0)\n"          \
  "vextractf128 $1, %%ymm0, 16(%0)\n" \
  "vextractf128 $1, %%ymm1, 48(%0)\n" \
  "vextractf128 $1, %%ymm2, 80(%0)\n" \
  "vzeroupper\n"
#define MINIVMM_LEAVE_STACK "lea -128(%%rsp), %%rsp\n"
#define MINIVMM_RETURN_TO_STACK "lea 128(%%rsp), %%rsp\n"

void execute(HostInstruction instruction, HostRegisters& registers) {
  static_assert(offsetof(HostRegisters, rax) == 128 && offsetof(HostRegisters, flags) == 152);
  asm volatile(MINIVMM_LOAD_YMM
               "mov 128(%0), %%rax\n"
               "mov 136(%0), %%rcx\n"
               "mov 144(%0), %%rdx\n" MINIVMM_LEAVE_STACK
               "call *%1\n"
               "mov %%rax, 128(%0)\n"
               "mov %%rcx, 136(%0)\n"
               "mov %%rdx, 144(%0)\n"
               "pushf\n"
               "pop %%rax\n"
               "mov %%rax, 152(%0)\n" MINIVMM_RETURN_TO_STACK MINIVMM_STORE_YMM
               :
               : "D"(&registers), "S"(instruction)
               : "memory", "cc", "rax", "rcx", "rdx", "xmm0", "xmm1", "xmm2", "xmm3");
}

void execute_vectors(HostInstruction instruction, HostRegisters& registers) {
  asm volatile(MINIVMM_LOAD_YMM MINIVMM_LEAVE_STACK "call *%1\n" MINIVMM_RETURN_TO_STACK MINIVMM_STORE_YMM
               :
               : "D"(&registers), "S"(instruction)
               : "memory", "cc", "xmm0", "xmm1", "xmm2", "xmm3");
}

#undef MINIVMM_LOAD_YMM
#undef MINIVMM_STORE_YMM
#undef MINIVMM_LEAVE_STACK
#undef MINIVMM_RETURN_TO_STACK
#undef MINIVMM_VEX_IMMEDIATES

}  // namespace vmm::cpu::soft
