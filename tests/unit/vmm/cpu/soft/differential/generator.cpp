#include "tests/unit/vmm/cpu/soft/differential/generator.h"

#include <algorithm>

#include "vmm/cpu/soft/flags.h"

namespace vmm::cpu::soft::differential {

struct Generator::Encoding {
  std::vector<std::uint8_t> prefixes, body;  // REX or VEX goes in between
  unsigned bits = 32;
  unsigned address_bits = 64;
  bool memory = false;
  bool rex_r = false, rex_x = false, rex_b = false, rex_w = false;
  unsigned l = 0;       // VEX.L
  int vsib_index = -1;  // the vector register that holds indexes
  int rip_at = -1;      // where in `body` a displacement from the next instruction is
  std::uint64_t target = 0;
  void put(std::uint64_t value, unsigned size) {
    for (unsigned i = 0; i < size; ++i)
      body.push_back(static_cast<std::uint8_t>(value >> (8 * i)));
  }
};

namespace {

// RBX at first.
std::uint64_t middle(Segments segments) {
  return kDataAddress + kPage / 2 - data_base(segments);
}

bool is_near(std::uint64_t value, std::uint64_t to) {
  return value - to + 0x100000 < 0x200000;
}
bool fits(std::int64_t value, unsigned bits) {
  return value >> (bits - 1) == 0 || value >> (bits - 1) == -1;
}

}  // namespace

Generator::Generator(std::string_view forms, std::uint64_t seed) : random_(seed), upper_random_(~seed) {
  for (std::size_t at = 0; at < forms.size();) {
    const std::size_t end = std::min(forms.find(',', at), forms.size());
    forms_.push_back(parse_form(forms.substr(at, end - at)));
    at = end + 1;
  }
}

Memory Generator::make_memory() {
  Memory memory;
  for (std::size_t i = 0; i < memory.size(); i += 8) {
    const std::uint64_t value = random_.interesting();
    std::memcpy(memory.data() + i, &value, sizeof value);
  }
  return memory;
}

Registers Generator::make_registers(Segments segments) {
  Registers registers;
  for (std::uint64_t& value : registers.general) {
    switch (random_.below(8)) {
      case 0:
      case 1:
      case 2: value = kDataAddress - data_base(segments) + random_.below(kPage); break;
      case 3: value = random_.below(64); break;
      case 4: value = std::uint64_t{random_.below(4000)} - 2000; break;
      default: value = random_.interesting();
    }
  }
  registers.general[3] = middle(segments);
  if (segments != Segments::Bits64) {
    for (std::uint64_t& value : registers.general)
      value &= 0xffffffff;
    std::fill(registers.general.begin() + 8, registers.general.end(), 0);
  }
  registers.flags = (static_cast<std::uint32_t>(random_.next()) & kArithmeticFlags) | 0x202;
  make_fx(registers);
  return registers;
}

void Generator::make_fx(Registers& registers) {
  registers.set_fx_field(kFxControl, std::uint16_t{0x37f});
  registers.set_fx_field(kFxMxcsr, std::uint32_t{0x1f80});
  if (!fpu_) return;
  constexpr std::array<std::uint16_t, 3> kPrecisions{0, 0x200, 0x300};
  const unsigned rounding = random_.below(4);
  const bool unmasked = random_.one_in(16);
  registers.set_fx_field(kFxControl, static_cast<std::uint16_t>((unmasked ? random_.below(64) : 0x3f) | 0x40 |
                                                                random_.pick(kPrecisions) | rounding << 10));
  registers.set_fx_field(kFxStatus, static_cast<std::uint16_t>(random_.below(8) << 11));
  registers.set_fx_field(kFxTag, static_cast<std::uint8_t>(random_.one_in(2) ? 0xff : random_.next()));
  constexpr std::array<std::uint32_t, 3> kDenormals{0x40, 0x8000, 0x8040};  // DAZ, FTZ [SDM 1 10.2.3]
  registers.set_fx_field(kFxMxcsr, (unmasked ? random_.below(64) << 7 : 0x1f80u) | random_.below(4) << 13 |
                                       (random_.one_in(8) ? random_.pick(kDenormals) : 0));
  constexpr std::array<std::uint16_t, 8> kExponents{0, 1, 0x3ffe, 0x3fff, 0x4000, 0x403e, 0x7ffe, 0x7fff};
  for (unsigned i = 0; i < 8; ++i) {
    std::uint64_t mantissa = random_.interesting();
    std::uint16_t exponent =
        random_.one_in(2) ? random_.pick(kExponents) : static_cast<std::uint16_t>(0x3fff + random_.below(128) - 64);
    if (!random_.one_in(8)) mantissa |= std::uint64_t{exponent != 0} << 63;
    if (random_.one_in(2)) exponent |= 0x8000;
    registers.set_fx_field(kFxSt + 16 * i, mantissa);
    registers.set_fx_field(kFxSt + 16 * i + 8, exponent);
  }
  // Integers, and floats and doubles near one.
  for (unsigned i = 0; i < 32; ++i) {
    std::uint64_t value = random_.interesting();
    if (random_.one_in(3)) value = 0x3ff0000000000000 + (value >> 8) - (std::uint64_t{1} << 54);
    if (random_.one_in(3))
      value = (value & 0x807fffff807fffff) | (0x3f800000ull + (random_.below(32) << 23)) * 0x100000001;
    registers.set_fx_field(kFxXmm + 8 * i, value);
  }
  make_ymm_high(registers);
}

void Generator::make_ymm_high(Registers& registers) {
  for (unsigned at = 0; at < kYmmHighBytes; at += sizeof(std::uint64_t)) {
    std::uint64_t value = upper_random_.interesting();
    if (upper_random_.one_in(3)) value = 0x3ff0000000000000 + (value >> 8) - (std::uint64_t{1} << 54);
    if (upper_random_.one_in(3)) value = (value & 0x807fffff807fffff) | 0x3f8000003f800000;
    std::memcpy(registers.ymm_high.data() + at, &value, sizeof value);
  }
}

// So small that most addresses are near the one that is meant.
void Generator::make_indexes(unsigned number, unsigned bytes, Registers& registers) {
  constexpr unsigned kHalf = 16;
  for (unsigned at = 0; at < 2 * kHalf; at += bytes) {
    const std::int64_t index = std::int64_t{random_.below(128)} - 64;
    std::uint8_t* half = at < kHalf ? registers.fx.data() + kFxXmm : registers.ymm_high.data();
    std::memcpy(half + number * kHalf + at % kHalf, &index, bytes);
  }
}

Case Generator::make(unsigned max_instructions) {
  Case one;
  constexpr std::array<Segments, 4> kSegments{Segments::Bits16, Segments::Bits32, Segments::Bits64, Segments::Bits64};
  segments_ = random_.pick(kSegments);
  one.segments = segments_;
  one.before = make_registers(segments_);
  values_ = one.before.general;
  written_ = 0;
  UnknownFlags unknown;
  const unsigned count = 1 + random_.below(max_instructions);
  constexpr unsigned kTries = 20;
  for (unsigned i = 0; i < count; ++i) {
    for (unsigned attempt = 0; attempt < kTries && !append(one, unknown); ++attempt) {
    }
  }
  return one;
}

bool Generator::append(Case& one, UnknownFlags& unknown) {
  const FormSyntax& form = forms_[random_.below(static_cast<unsigned>(forms_.size()))];
  if (is_64() ? form.only32 : form.only64) return false;
  Encoding encoding;
  if (!encode(form, one, encoding)) return false;
  std::vector<std::uint8_t> bytes = encoding.prefixes;
  bytes.insert(bytes.end(), encoding.body.begin(), encoding.body.end());
  Decoded decoded;
  if (bytes.size() > 15 || bytes.size() + one.size > Case::kMaxBytes) return false;
  if (!decode_for_test(bytes, segments_, decoded) || decoded.instruction.length != bytes.size()) return false;
  if (unknown.asked(decoded)) return false;
  if (encoding.vsib_index >= 0) make_indexes(static_cast<unsigned>(encoding.vsib_index), form.vsib_bytes, one.before);
  std::copy(bytes.begin(), bytes.end(), one.code.begin() + one.size);
  one.size = static_cast<std::uint8_t>(one.size + bytes.size());
  unknown.step(decoded);
  for (unsigned i = 0; i < decoded.instruction.operand_count; ++i) {
    const ZydisDecodedOperand& operand = decoded.operands[i];
    if (operand.type != ZYDIS_OPERAND_TYPE_REGISTER || (operand.actions & ZYDIS_OPERAND_ACTION_MASK_WRITE) == 0)
      continue;
    const ZydisRegister whole = ZydisRegisterGetLargestEnclosing(ZYDIS_MACHINE_MODE_LONG_64, operand.reg.value);
    if (ZydisRegisterGetClass(whole) == ZYDIS_REGCLASS_GPR64) written_ |= 1u << ZydisRegisterGetId(whole);
  }
  return true;
}

// Operand and address size, with the prefixes they need.
void Generator::pick_sizes(const FormSyntax& form, Encoding& to) {
  constexpr std::array<unsigned, 4> kSizes{16, 32, 64, 64};
  const bool is_16 = segments_ == Segments::Bits16;
  to.bits = form.size == 'b' ? 8 : form.size == 'q' ? 64 : random_.pick(kSizes);
  if (!is_64()) to.bits = std::min(to.bits, 32u);
  if (form.size == 'y' || form.size == 0) to.bits = std::max(to.bits, 32u);
  to.rex_w = to.bits == 64 && (form.size == 'v' || form.size == 'y');
  if (form.vex_w == 1) to.rex_w = true;
  if (form.vex_w == FormSyntax::kEither) to.rex_w = random_.one_in(2);
  if (form.vex_l != 0) to.l = form.vex_l == 1 || random_.one_in(2) ? 1 : 0;

  const bool other_address = random_.one_in(10) && segments_ != Segments::Bits32;
  to.address_bits = is_16 && !other_address ? 16 : is_64() && !other_address ? 64 : 32;
  if (other_address) to.prefixes.push_back(0x67);
  const bool is_sized = form.size == 'v' || (is_16 && (form.size == 'q' || (form.size == 'y' && form.prefix == 0)));
  if (is_sized && !form.vex && to.bits == (is_16 ? 32 : 16)) to.prefixes.push_back(0x66);
  if (form.prefix != 0) to.prefixes.push_back(form.prefix);
}

bool Generator::encode(const FormSyntax& form, const Case& one, Encoding& to) {
  pick_sizes(form, to);
  to.body = form.opcode;
  if (form.opcode_register) {
    const unsigned reg = random_.below(is_64() ? 16 : 8);
    to.body.back() = static_cast<std::uint8_t>(to.body.back() | (reg & 7));
    to.rex_b = reg >= 8;
  }
  if (form.bits) to.bits = std::max(to.bits, 16u);
  if (form.modrm) encode_modrm(form, to);
  if (form.modrm && to.body.empty()) return false;
  if (form.moffs) {
    to.memory = true;
    to.put(pick_target(form, to.bits / 8), to.address_bits / 8);
  }
  if (form.xlat && ((written_ & 8) != 0 || !is_near(values_[3], middle(segments_)))) return false;
  encode_immediate(form, to);
  if (form.lock && to.memory && random_.one_in(4)) to.prefixes.push_back(0xf0);

  if (form.vex) {
    const unsigned vvvv = form.vex_operand ? random_.below(is_64() ? 16 : 8) : 0;
    const unsigned fields = (~vvvv & 15) << 3 | to.l << 2 | form.vex_prefix;
    if (form.has_short_vex() && !to.rex_x && !to.rex_b && !to.rex_w && random_.one_in(2)) {
      to.prefixes.push_back(0xc5);
      to.prefixes.push_back(static_cast<std::uint8_t>((to.rex_r ? 0 : 0x80) | fields));
    } else {
      to.prefixes.push_back(0xc4);
      to.prefixes.push_back(static_cast<std::uint8_t>((to.rex_r ? 0 : 0x80) | (to.rex_x ? 0 : 0x40) |
                                                      (to.rex_b ? 0 : 0x20) | form.vex_map));
      to.prefixes.push_back(static_cast<std::uint8_t>((to.rex_w ? 0x80 : 0) | fields));
    }
  } else {
    const unsigned rex = (to.rex_w ? 8u : 0) | (to.rex_r ? 4u : 0) | (to.rex_x ? 2u : 0) | (to.rex_b ? 1u : 0);
    if (is_64() && (rex != 0 || random_.one_in(4))) to.prefixes.push_back(static_cast<std::uint8_t>(0x40 | rex));
  }
  if (to.rip_at >= 0) {
    const std::uint64_t next = kCodeAddress + one.size + to.prefixes.size() + to.body.size();
    const auto displacement = static_cast<std::uint32_t>(to.target - next);
    std::memcpy(to.body.data() + to.rip_at, &displacement, sizeof displacement);
  }
  return true;
}

void Generator::encode_immediate(const FormSyntax& form, Encoding& to) {
  const std::uint64_t value = random_.interesting();
  if (form.immediate == 'b') to.put(value, 1);
  if (form.immediate == 'w') to.put(value, 2);
  if (form.immediate == 'z') to.put(value, std::min(to.bits / 8, 4u));
  if (form.immediate == 'v') to.put(value, to.bits / 8);
}

// Mostly within the data page; sometimes across its end, and rarely nowhere near.
std::uint64_t Generator::pick_target(const FormSyntax& form, unsigned size) {
  const std::uint64_t page = kDataAddress - data_base(segments_);
  if (random_.one_in(150)) return page + random_.next() % 0x100000 - 0x2000;
  if (random_.one_in(100)) return page + kPage - random_.below(size);
  std::uint64_t offset = random_.below(static_cast<unsigned>(kPage) - size + 1);
  if (form.bits) offset = 512 + offset % 3072;
  if (form.align && !random_.one_in(50)) offset -= offset % size;
  return page + offset;
}

void Generator::encode_modrm(const FormSyntax& form, Encoding& to) {
  const unsigned registers = is_64() ? 16 : 8;
  unsigned reg = form.digit >= 0 ? static_cast<unsigned>(form.digit) : random_.below(registers);
  const bool memory = form.memory_only || (!form.register_only && random_.one_in(2));
  if (!memory) {
    const unsigned rm = random_.below(registers);
    to.put(0xc0 | (reg & 7) << 3 | (rm & 7), 1);
    to.rex_r = reg >= 8;
    to.rex_b = rm >= 8;
    return;
  }
  const unsigned size = form.memory_bytes != 0 ? form.memory_bytes << (form.memory_by_l ? to.l : 0) : to.bits / 8;
  if (form.bits && form.digit < 0) {
    const auto is_small = [&](unsigned n) {
      return (written_ >> n & 1) == 0 &&
             (values_[n] + 2000 < 4000 || (!is_64() && values_[n] + 2000 - 0x100000000 < 4000));
    };
    for (unsigned tries = 0; !is_small(reg); ++tries) {
      if (tries == 64) {
        to.body.clear();
        return;
      }
      reg = random_.below(registers);
    }
  }
  to.memory = true;
  to.rex_r = reg >= 8;
  const std::uint64_t target = pick_target(form, size);
  if (form.vsib_bytes != 0) return encode_vsib(reg & 7, target, to);
  if (to.address_bits == 16) return encode_memory16(reg & 7, static_cast<std::uint16_t>(target), to);
  encode_memory(reg & 7, target, to);
}

// Addresses of 32 bits wrap, so that any register will do.
bool Generator::pick_base(std::uint64_t target, const Encoding& to, unsigned& base) {
  for (unsigned tries = 0; tries < 16; ++tries) {
    base = random_.below(is_64() ? 16 : 8);
    if ((written_ >> base & 1) == 0 && (to.address_bits == 32 || is_near(values_[base], target))) return true;
  }
  return false;
}
bool Generator::pick_index(const Encoding& to, unsigned& index) {
  for (unsigned tries = 0; tries < 8; ++tries) {
    index = random_.below(is_64() ? 16 : 8);
    if (index != 4 && (written_ >> index & 1) == 0 && (to.address_bits == 32 || is_near(values_[index], 0)))
      return true;
  }
  return false;
}

void Generator::encode_memory(unsigned reg, std::uint64_t target, Encoding& to) {
  to.target = target;
  if (is_64() && random_.one_in(4)) {
    to.put(reg << 3 | 5, 1);
    to.rip_at = static_cast<int>(to.body.size());
    to.put(0, 4);
    return;
  }
  unsigned base = 0, index = 4;
  const bool has_base = !random_.one_in(8) && pick_base(target, to, base);
  const bool has_index = random_.one_in(2) && pick_index(to, index);
  if (!has_index) index = 4;
  const unsigned scale = has_index ? random_.below(4) : 0;
  const std::uint64_t rest = target - (has_base ? values_[base] : 0) - (has_index ? values_[index] << scale : 0);
  const auto displacement =
      to.address_bits == 32 ? std::int64_t{static_cast<std::int32_t>(rest)} : static_cast<std::int64_t>(rest);
  const bool sib = has_index || !has_base || (base & 7) == 4;
  unsigned mode = 0, bytes = 4;
  if (has_base) {
    mode = fits(displacement, 8) && !random_.one_in(4) ? 1 : 2;
    if (displacement == 0 && (base & 7) != 5) mode = 0;
    bytes = mode == 0 ? 0 : mode == 1 ? 1 : 4;
  } else {
    base = 5;
  }
  to.put(mode << 6 | reg << 3 | (sib ? 4 : base & 7), 1);
  if (sib) to.put(scale << 6 | (index & 7) << 3 | (base & 7), 1);
  to.put(static_cast<std::uint64_t>(displacement), bytes);
  to.rex_b = has_base && base >= 8;
  to.rex_x = index >= 8;
}

// [SDM 2A 2.3.12] Indexes are near zero: make_indexes().
void Generator::encode_vsib(unsigned reg, std::uint64_t target, Encoding& to) {
  unsigned base = 0;
  if (to.address_bits == 16 || !pick_base(target, to, base)) return to.body.clear();
  const unsigned index = random_.below(is_64() ? 16 : 8);
  to.put(2 << 6 | reg << 3 | 4, 1);
  to.put(random_.below(4) << 6 | (index & 7) << 3 | (base & 7), 1);
  to.put(target - values_[base], 4);
  to.rex_b = base >= 8;
  to.rex_x = index >= 8;
  to.vsib_index = static_cast<int>(index);
}

// [SDM 2A 2.1.5, table 2-1] Sums wrap at 64 KiB, so that any registers will do.
void Generator::encode_memory16(unsigned reg, std::uint16_t target, Encoding& to) {
  constexpr unsigned kNone = 8, kBx = 3, kBp = 5, kSi = 6, kDi = 7, kNoBase = 6;
  constexpr std::array<std::array<unsigned, 2>, 8> kSums{
      {{kBx, kSi}, {kBx, kDi}, {kBp, kSi}, {kBp, kDi}, {kSi, kNone}, {kDi, kNone}, {kBp, kNone}, {kBx, kNone}}};
  const unsigned rm = random_.below(8);
  std::uint64_t sum = 0;
  bool is_known = true;
  for (const unsigned part : kSums[rm]) {
    if (part == kNone) continue;
    sum += values_[part];
    is_known &= (written_ >> part & 1) == 0;
  }
  if (!is_known || random_.one_in(8)) {
    to.put(reg << 3 | kNoBase, 1);
    return to.put(target, 2);
  }
  const auto displacement = static_cast<std::int16_t>(target - sum);
  const bool is_short = fits(displacement, 8) && !random_.one_in(4);
  const unsigned mode = displacement == 0 && rm != kNoBase ? 0 : is_short ? 1 : 2;
  to.put(mode << 6 | reg << 3 | rm, 1);
  to.put(static_cast<std::uint64_t>(displacement), mode);
}

}  // namespace vmm::cpu::soft::differential
