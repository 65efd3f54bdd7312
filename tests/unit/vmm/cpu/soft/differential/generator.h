// Random cases out of instruction forms, which are written much like the manual writes them, with commas between forms.
// Words of a form:
//
//   0F, AF, 80     opcode bytes; a first byte of 66, F2 or F3 with more to follow is a mandatory prefix
//   C8+r           a register in the opcode's low three bits
//   /r  /4         ModRM with two operands, or with the opcode extended by a digit
//   ib iw iz iv    an immediate of 1 or 2 bytes, 2 or 4 by operand size, 2, 4 or 8 by operand size
//   b v y q        operand size: 8; 16, 32 or 64; 32 or 64; 64 without REX.W (as all that 64-bit mode has)
//   mem reg        ModRM names memory only, a register only
//   m1 ... m64     bytes of the memory operand, if not as the operand size says; m512: FXSAVE and the like
//   align          the memory operand is mostly aligned to its size, because it must be
//   lock           may have a LOCK prefix in front, with memory
//   bits           the register operand is a bit number, so that memory far away is meant
//   vex map2 p66   VEX prefix: opcode map 1-3; p66, pF2, pF3; v: VEX.W by operand size; novv: VEX.vvvv names nothing
//   L L1           VEX.L: either, 1; otherwise 0. ml16: the memory operand's bytes, twice as many with VEX.L
//   wig w1         VEX.W: either, 1; otherwise 0 or as the size says
//   vsib4 vsib8    the memory operand has a vector of indexes, each of so many bytes; alone in its case
//   moffs          an address in place of ModRM
//   rbx+al         XLAT's memory operand
//   i386 long      in compatibility mode only, in 64-bit mode only
#pragma once

#include <Zydis/Zydis.h>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tests/unit/vmm/cpu/soft/differential/case.h"
#include "tests/unit/vmm/cpu/soft/differential/random.h"

namespace vmm::cpu::soft::differential {

struct FormSyntax {
  std::uint8_t prefix = 0;
  std::vector<std::uint8_t> opcode;
  bool opcode_register = false;
  bool modrm = false;
  int digit = -1;
  char size = 0;       // b v y q
  char immediate = 0;  // b w z v
  unsigned memory_bytes = 0;
  bool memory_only = false, register_only = false, align = false, lock = false, bits = false;
  bool vex = false, vex_operand = true;
  unsigned vex_map = 1, vex_prefix = 0;
  static constexpr int kEither = 2;
  int vex_l = 0, vex_w = 0;
  bool memory_by_l = false;
  unsigned vsib_bytes = 0;
  bool has_short_vex() const { return vex_map == 1; }
  bool moffs = false, xlat = false;
  bool only32 = false, only64 = false;
};
FormSyntax parse_form(std::string_view text);

// The instruction at `bytes`; all operands, also those that are not written.
struct Decoded {
  ZydisDecodedInstruction instruction;
  std::array<ZydisDecodedOperand, ZYDIS_MAX_OPERAND_COUNT> operands;
};
bool decode_for_test(std::span<const std::uint8_t> bytes, Segments segments, Decoded& decoded);
std::string disassemble(const Case& one, unsigned from);

// Which arithmetic flags have no defined value.
struct UnknownFlags {
  std::uint32_t now = 0, ever = 0;
  bool asked(const Decoded& decoded) const;  // the instruction depends on one
  void step(const Decoded& decoded);
};
UnknownFlags unknown_flags(const Case& one);

class Generator {
 public:
  Generator(std::string_view forms, std::uint64_t seed);

  Case make(unsigned max_instructions);
  Memory make_memory();
  // Registers as make() has them; RBX points into the middle of the data page.
  Registers make_registers(Segments segments);
  void use_fpu(bool used) { fpu_ = used; }

 private:
  struct Encoding;
  bool append(Case& one, UnknownFlags& unknown);
  bool encode(const FormSyntax& form, const Case& one, Encoding& to);
  void encode_modrm(const FormSyntax& form, Encoding& to);
  void encode_memory(unsigned reg, std::uint64_t target, Encoding& to);
  void encode_vsib(unsigned reg, std::uint64_t target, Encoding& to);
  void encode_memory16(unsigned reg, std::uint16_t target, Encoding& to);
  bool pick_base(std::uint64_t target, const Encoding& to, unsigned& base);
  bool pick_index(const Encoding& to, unsigned& index);
  void encode_immediate(const FormSyntax& form, Encoding& to);
  void pick_sizes(const FormSyntax& form, Encoding& to);
  std::uint64_t pick_target(const FormSyntax& form, unsigned size);
  void make_fx(Registers& registers);
  void make_ymm_high(Registers& registers);
  void make_indexes(unsigned number, unsigned bytes, Registers& registers);

  Random random_;
  Random upper_random_;  // its own, so that the other registers do not hang on it
  std::vector<FormSyntax> forms_;
  bool fpu_ = false;
  bool is_64() const { return segments_ == Segments::Bits64; }

  Segments segments_ = Segments::Bits64;
  std::array<std::uint64_t, 16> values_{};  // of registers as a case begins
  std::uint32_t written_ = 0;               // bit n: register n has been written to since
};

}  // namespace vmm::cpu::soft::differential
