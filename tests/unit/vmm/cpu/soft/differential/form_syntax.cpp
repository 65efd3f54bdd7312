// Forms as text, and what Zydis knows of instructions that a test wants to know too.
#include <charconv>
#include <sstream>

#include "tests/unit/vmm/cpu/soft/differential/generator.h"
#include "vmm/cpu/soft/flags.h"

namespace vmm::cpu::soft::differential {
namespace {

bool parse_hex(std::string_view word, std::uint8_t& value) {
  if (word.size() != 2) return false;
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), value, 16);
  return error == std::errc() && end == word.data() + word.size();
}

void parse_word(std::string_view word, FormSyntax& form) {
  std::uint8_t byte = 0;
  if (word.size() == 4 && word.substr(2) == "+r" && parse_hex(word.substr(0, 2), byte)) {
    form.opcode.push_back(byte);
    form.opcode_register = true;
  } else if (parse_hex(word, byte)) {
    form.opcode.push_back(byte);
  } else if (word[0] == '/') {
    form.modrm = true;
    if (word[1] != 'r') form.digit = word[1] - '0';
  } else if (word == "L") {
    form.vex_l = FormSyntax::kEither;
  } else if (word == "L1") {
    form.vex_l = 1;
  } else if (word == "wig") {
    form.vex_w = FormSyntax::kEither;
  } else if (word == "w1") {
    form.vex_w = 1;
  } else if (word.starts_with("vsib")) {
    form.vsib_bytes = static_cast<unsigned>(word[4] - '0');
  } else if (word.starts_with("ml")) {
    std::from_chars(word.data() + 2, word.data() + word.size(), form.memory_bytes);
    form.memory_by_l = true;
  } else if (word.size() == 2 && word[0] == 'i') {
    form.immediate = word[1];
  } else if (word.size() == 1) {
    form.size = word[0];
  } else if (word == "mem") {
    form.memory_only = true;
  } else if (word == "reg") {
    form.register_only = true;
  } else if (word == "moffs") {
    form.moffs = true;
  } else if (word.starts_with("map")) {
    form.vex_map = static_cast<unsigned>(word[3] - '0');
  } else if (word[0] == 'm') {
    std::from_chars(word.data() + 1, word.data() + word.size(), form.memory_bytes);
  } else if (word == "align") {
    form.align = true;
  } else if (word == "lock") {
    form.lock = true;
  } else if (word == "bits") {
    form.bits = true;
  } else if (word == "vex") {
    form.vex = true;
  } else if (word == "novv") {
    form.vex_operand = false;
  } else if (word[0] == 'p') {
    form.vex_prefix = word == "p66" ? 1 : word == "pF3" ? 2 : 3;
  } else if (word == "rbx+al") {
    form.xlat = true;
  } else if (word == "i386") {
    form.only32 = true;
  } else if (word == "long") {
    form.only64 = true;
  }
}

}  // namespace

FormSyntax parse_form(std::string_view text) {
  FormSyntax form;
  std::istringstream words{std::string(text)};
  for (std::string word; words >> word;)
    parse_word(word, form);
  if (form.opcode.size() > 1 && (form.opcode[0] == 0x66 || form.opcode[0] == 0xf2 || form.opcode[0] == 0xf3)) {
    form.prefix = form.opcode[0];
    form.opcode.erase(form.opcode.begin());
  }
  return form;
}

bool decode_for_test(std::span<const std::uint8_t> bytes, Segments segments, Decoded& decoded) {
  ZydisDecoder decoder;
  switch (segments) {
    case Segments::Bits16: ZydisDecoderInit(&decoder, ZYDIS_MACHINE_MODE_LONG_COMPAT_16, ZYDIS_STACK_WIDTH_16); break;
    case Segments::Bits32: ZydisDecoderInit(&decoder, ZYDIS_MACHINE_MODE_LONG_COMPAT_32, ZYDIS_STACK_WIDTH_32); break;
    case Segments::Bits64: ZydisDecoderInit(&decoder, ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_STACK_WIDTH_64); break;
  }
  return ZYAN_SUCCESS(
      ZydisDecoderDecodeFull(&decoder, bytes.data(), bytes.size(), &decoded.instruction, decoded.operands.data()));
}

std::string disassemble(const Case& one, unsigned from) {
  ZydisFormatter formatter;
  ZydisFormatterInit(&formatter, ZYDIS_FORMATTER_STYLE_INTEL);
  std::string text;
  Decoded decoded;
  for (unsigned at = from; at < one.size; at += decoded.instruction.length) {
    if (!decode_for_test({one.code.data() + at, static_cast<std::size_t>(one.size - at)}, one.segments, decoded)) break;
    std::array<char, 128> line{};
    ZydisFormatterFormatInstruction(&formatter, &decoded.instruction, decoded.operands.data(),
                                    decoded.instruction.operand_count_visible, line.data(), line.size(),
                                    kCodeAddress - code_base(one.segments) + at, nullptr);
    for (unsigned i = 0; i < decoded.instruction.length; ++i) {
      std::array<char, 4> hex{};
      const auto end = std::to_chars(hex.data(), hex.data() + hex.size(), one.code[at + i], 16).ptr;
      text += (end - hex.data() == 1 ? "0" : "") + std::string(hex.data(), end) + " ";
    }
    text += "  " + std::string(line.data()) + "\n";
  }
  return text;
}

bool UnknownFlags::asked(const Decoded& decoded) const {
  const ZydisAccessedFlags* flags = decoded.instruction.cpu_flags;
  return flags != nullptr && (flags->tested & now) != 0;
}

void UnknownFlags::step(const Decoded& decoded) {
  const ZydisAccessedFlags* flags = decoded.instruction.cpu_flags;
  if (flags == nullptr) return;
  const auto mnemonic = decoded.instruction.mnemonic;
  // A count of zero changes no flag.
  const bool may_keep =
      mnemonic == ZYDIS_MNEMONIC_SHL || mnemonic == ZYDIS_MNEMONIC_SHR || mnemonic == ZYDIS_MNEMONIC_SAR ||
      mnemonic == ZYDIS_MNEMONIC_ROL || mnemonic == ZYDIS_MNEMONIC_ROR || mnemonic == ZYDIS_MNEMONIC_RCL ||
      mnemonic == ZYDIS_MNEMONIC_RCR || mnemonic == ZYDIS_MNEMONIC_SHLD || mnemonic == ZYDIS_MNEMONIC_SHRD;
  if (!may_keep) now &= ~(flags->modified | flags->set_0 | flags->set_1);
  now |= flags->undefined & kArithmeticFlags;
  ever |= now;
}

UnknownFlags unknown_flags(const Case& one) {
  UnknownFlags unknown;
  Decoded decoded;
  for (unsigned at = 0; at < one.size; at += decoded.instruction.length) {
    if (!decode_for_test({one.code.data() + at, static_cast<std::size_t>(one.size - at)}, one.segments, decoded)) break;
    unknown.step(decoded);
  }
  return unknown;
}

}  // namespace vmm::cpu::soft::differential
