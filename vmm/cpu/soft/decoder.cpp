#include "vmm/cpu/soft/decoder.h"

#include <algorithm>
#include <array>
#include <optional>

#include "vmm/cpu/soft/cpu.h"
#include "vmm/cpu/soft/features.h"
#include "vmm/cpu/soft/forms.h"

namespace vmm::cpu::soft {

namespace {

constexpr StepFamily kStepFamilies[] = {move_steps, arithmetic_steps, branch_steps, stack_steps, shift_steps};
constexpr Family kFamilies[] = {move_family, arithmetic_family, branch_family, stack_family,   shift_family,
                                bit_family,  multiply_family,   string_family, avx_family,     sse_family,
                                x87_family,  mmx_family,        far_family,    segment_family, control_family,
                                io_family,   save_family};

// Zydis' sets of instructions that a feature brings; sets that are in neither table are those of other processors.
struct Extension {
  ZydisISASet set;
  Feature feature;
};
constexpr Extension kExtensions[] = {
    {ZYDIS_ISA_SET_ADOX_ADCX, Feature::Adx},
    {ZYDIS_ISA_SET_AES, Feature::Aes},
    {ZYDIS_ISA_SET_AVX, Feature::Avx},
    {ZYDIS_ISA_SET_AVX2, Feature::Avx2},
    {ZYDIS_ISA_SET_AVX2GATHER, Feature::Avx2},
    {ZYDIS_ISA_SET_AVXAES, Feature::Avx},
    {ZYDIS_ISA_SET_BMI1, Feature::Bmi1},
    {ZYDIS_ISA_SET_BMI2, Feature::Bmi2},
    {ZYDIS_ISA_SET_CLFLUSHOPT, Feature::Clflushopt},
    {ZYDIS_ISA_SET_CLFSH, Feature::Clflush},
    {ZYDIS_ISA_SET_CMOV, Feature::Cmov},
    {ZYDIS_ISA_SET_F16C, Feature::F16c},
    {ZYDIS_ISA_SET_FCMOV, Feature::Cmov},
    {ZYDIS_ISA_SET_FMA, Feature::Fma},
    {ZYDIS_ISA_SET_CMPXCHG16B, Feature::Cx16},
    {ZYDIS_ISA_SET_FXSAVE, Feature::Fxsr},
    {ZYDIS_ISA_SET_FXSAVE64, Feature::Fxsr},
    {ZYDIS_ISA_SET_INVPCID, Feature::Invpcid},
    {ZYDIS_ISA_SET_LONGMODE, Feature::LongMode},
    {ZYDIS_ISA_SET_LZCNT, Feature::Lzcnt},
    {ZYDIS_ISA_SET_MOVBE, Feature::Movbe},
    {ZYDIS_ISA_SET_PCLMULQDQ, Feature::Pclmulqdq},
    {ZYDIS_ISA_SET_PENTIUMMMX, Feature::Mmx},
    {ZYDIS_ISA_SET_POPCNT, Feature::Popcnt},
    {ZYDIS_ISA_SET_RDPID, Feature::Rdpid},
    {ZYDIS_ISA_SET_RDRAND, Feature::Rdrand},
    {ZYDIS_ISA_SET_RDSEED, Feature::Rdseed},
    {ZYDIS_ISA_SET_RDTSCP, Feature::Rdtscp},
    {ZYDIS_ISA_SET_RDWRFSGS, Feature::Fsgsbase},
    {ZYDIS_ISA_SET_SMAP, Feature::Smap},
    {ZYDIS_ISA_SET_SSE, Feature::Sse},
    {ZYDIS_ISA_SET_SSE2, Feature::Sse2},
    {ZYDIS_ISA_SET_SSE2MMX, Feature::Sse2},
    {ZYDIS_ISA_SET_SSE3, Feature::Sse3},
    {ZYDIS_ISA_SET_SSE3X87, Feature::Sse3},
    {ZYDIS_ISA_SET_SSE4, Feature::Sse41},
    {ZYDIS_ISA_SET_SSE42, Feature::Sse42},
    {ZYDIS_ISA_SET_SSEMXCSR, Feature::Sse},
    {ZYDIS_ISA_SET_SSE_PREFETCH, Feature::Sse},
    {ZYDIS_ISA_SET_SSSE3, Feature::Ssse3},
    {ZYDIS_ISA_SET_SSSE3MMX, Feature::Ssse3},
    {ZYDIS_ISA_SET_X87, Feature::Fpu},
    {ZYDIS_ISA_SET_XSAVE, Feature::Xsave},
    {ZYDIS_ISA_SET_XSAVEOPT, Feature::Xsaveopt},
};
constexpr ZydisISASet kAlways[] = {
    ZYDIS_ISA_SET_I86,  ZYDIS_ISA_SET_I186,  ZYDIS_ISA_SET_I286PROTECTED, ZYDIS_ISA_SET_I286REAL,
    ZYDIS_ISA_SET_I386, ZYDIS_ISA_SET_I486,  ZYDIS_ISA_SET_I486REAL,      ZYDIS_ISA_SET_PENTIUMREAL,
    ZYDIS_ISA_SET_PPRO, ZYDIS_ISA_SET_PAUSE, ZYDIS_ISA_SET_FAT_NOP,       ZYDIS_ISA_SET_PREFETCH_NOP,
    ZYDIS_ISA_SET_LAHF, ZYDIS_ISA_SET_RDPMC, ZYDIS_ISA_SET_AMD,
};

struct SetInfo {
  bool known = false;
  std::optional<Feature> feature;
};
constexpr auto kSets = [] {
  std::array<SetInfo, ZYDIS_ISA_SET_MAX_VALUE + 1> sets{};
  for (const auto set : kAlways)
    sets[set] = {true, std::nullopt};
  for (const auto& extension : kExtensions)
    sets[extension.set] = {true, extension.feature};
  return sets;
}();

// A decoder each for 16-bit unprotected, 16-bit, 32-bit and 64-bit code; TZCNT and LZCNT are BSF and BSR to processors
// that do not have them.
class Decoders {
 public:
  Decoders() {
    for (unsigned i = 0; i < decoders_.size(); ++i)
      set_up(decoders_[i], static_cast<Code>(i >> 2), (i & 1) != 0, (i & 2) != 0);
  }
  const ZydisDecoder& choose(std::uint8_t mode, const CpuFeatures& features) const {
    return decoders_[static_cast<unsigned>(code_of(mode)) << 2 | (features.has(Feature::Lzcnt) ? 1u : 0u) |
                     (features.has(Feature::Bmi1) ? 2u : 0u)];
  }

 private:
  enum class Code : std::uint8_t { Real16, Protected16, Protected32, Long64, Count };

  static Code code_of(std::uint8_t mode) {
    switch (mode & Mode::kCodeMask) {
      case Mode::kCode64: return Code::Long64;
      case Mode::kCode32: return Code::Protected32;
      default: return (mode & Mode::kUnprotected) != 0 ? Code::Real16 : Code::Protected16;
    }
  }

  static void set_up(ZydisDecoder& decoder, Code code, bool has_lzcnt, bool has_tzcnt) {
    static constexpr struct {
      ZydisMachineMode machine;
      ZydisStackWidth stack;
    } kKinds[] = {{ZYDIS_MACHINE_MODE_REAL_16, ZYDIS_STACK_WIDTH_16},
                  {ZYDIS_MACHINE_MODE_LEGACY_16, ZYDIS_STACK_WIDTH_16},
                  {ZYDIS_MACHINE_MODE_LEGACY_32, ZYDIS_STACK_WIDTH_32},
                  {ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_STACK_WIDTH_64}};
    const auto& kind = kKinds[static_cast<unsigned>(code)];
    ZydisDecoderInit(&decoder, kind.machine, kind.stack);
    // What these added are no-operations without them.
    for (const auto absent : {ZYDIS_DECODER_MODE_MPX, ZYDIS_DECODER_MODE_CET, ZYDIS_DECODER_MODE_CLDEMOTE})
      ZydisDecoderEnableMode(&decoder, absent, ZYAN_FALSE);
    ZydisDecoderEnableMode(&decoder, ZYDIS_DECODER_MODE_LZCNT, has_lzcnt ? ZYAN_TRUE : ZYAN_FALSE);
    ZydisDecoderEnableMode(&decoder, ZYDIS_DECODER_MODE_TZCNT, has_tzcnt ? ZYAN_TRUE : ZYAN_FALSE);
  }

  std::array<ZydisDecoder, static_cast<std::size_t>(Code::Count) * 4> decoders_;
};

const Decoders& decoders() {
  static const Decoders all;
  return all;
}

Flow undefined(Cpu& cpu, const Op&) {
  return cpu.raise(Vector::InvalidOpcode);
}
// [SDM 2A 2.3.11] more than 15 bytes
Flow too_long(Cpu& cpu, const Op&) {
  return cpu.raise(Vector::GeneralProtection, 0);
}

std::uint8_t segment_index(ZydisRegister segment) {
  switch (segment) {
    case ZYDIS_REGISTER_ES: return kEs;
    case ZYDIS_REGISTER_CS: return kCs;
    case ZYDIS_REGISTER_SS: return kSs;
    case ZYDIS_REGISTER_FS: return kFs;
    case ZYDIS_REGISTER_GS: return kGs;
    default: return kDs;
  }
}

void take_memory(const ZydisDecodedOperandMem& memory, Op& op) {
  op.flags |= kHasMemory;
  if (memory.base == ZYDIS_REGISTER_RIP || memory.base == ZYDIS_REGISTER_EIP) {
    op.base = Cpu::kRip;
  } else if (memory.base != ZYDIS_REGISTER_NONE) {
    op.base = register_offset(memory.base);
  }
  if (memory.index != ZYDIS_REGISTER_NONE) {
    op.index = register_offset(memory.index);
    op.scale = static_cast<std::uint8_t>(std::countr_zero(std::max<unsigned>(memory.scale, 1)));
  }
  op.displacement = memory.disp.value + (op.base == Cpu::kRip ? op.length : 0);
  op.segment = segment_index(memory.segment);
}

// What every instruction's op has, whatever its family does with it.
void take_common(const Instruction& instruction, Op& op) {
  const auto& decoded = instruction.decoded;
  op.base = op.index = Cpu::kZero;
  op.length = decoded.length;
  op.after = decoded.length;
  const std::uint32_t modrm =
      std::uint32_t{decoded.raw.modrm.mod} << 6 | std::uint32_t{decoded.raw.modrm.reg} << 3 | decoded.raw.modrm.rm;
  op.opcode =
      (static_cast<std::uint32_t>(decoded.opcode_map) << 16 | std::uint32_t{decoded.opcode} << 8 | modrm) & 0xffffff;
  bool has_immediate = false;
  for (const auto& operand : instruction.operands) {
    if (operand.type == ZYDIS_OPERAND_TYPE_MEMORY && (op.flags & kHasMemory) == 0) {
      take_memory(operand.mem, op);
    } else if (operand.type == ZYDIS_OPERAND_TYPE_IMMEDIATE) {
      if (has_immediate) {
        op.extra = static_cast<std::uint32_t>(operand.imm.value.u);
      } else {
        op.immediate = operand.imm.value.u;
      }
      has_immediate = true;
    } else if (operand.type == ZYDIS_OPERAND_TYPE_POINTER) {
      op.immediate = operand.ptr.offset;
      op.extra = operand.ptr.segment;
    }
  }
  op.flags |= address_flags(instruction, op.segment);
  if ((decoded.attributes & ZYDIS_ATTRIB_HAS_LOCK) != 0) op.flags |= kLocked;
  if ((decoded.attributes & (ZYDIS_ATTRIB_HAS_REP | ZYDIS_ATTRIB_HAS_REPE)) != 0) op.flags |= kRepeat;
  if ((decoded.attributes & ZYDIS_ATTRIB_HAS_REPNE) != 0) op.flags |= kRepeatNot;
}

// Nothing after these is reached by going straight on, or not in the same state of the machine.
bool ends_block_after(const ZydisDecodedInstruction& decoded) {
  switch (decoded.meta.category) {
    case ZYDIS_CATEGORY_UNCOND_BR:
    case ZYDIS_CATEGORY_CALL:
    case ZYDIS_CATEGORY_RET:
    case ZYDIS_CATEGORY_INTERRUPT:
    case ZYDIS_CATEGORY_SYSCALL:
    case ZYDIS_CATEGORY_SYSRET:
    case ZYDIS_CATEGORY_SYSTEM:
    case ZYDIS_CATEGORY_IO:
    case ZYDIS_CATEGORY_IOSTRINGOP: return true;
    default: return decoded.mnemonic == ZYDIS_MNEMONIC_HLT;
  }
}

// Instructions that only change registers and flags, if they have no operand in memory, and cannot fail.
struct FlagUse {
  bool known = false;
  std::uint32_t reads = 0, writes = 0;
};
constexpr auto kFlagUses = [] {
  std::array<FlagUse, ZYDIS_MNEMONIC_MAX_VALUE + 1> uses{};
  for (const auto mnemonic : {ZYDIS_MNEMONIC_MOV, ZYDIS_MNEMONIC_MOVZX, ZYDIS_MNEMONIC_MOVSX, ZYDIS_MNEMONIC_MOVSXD,
                              ZYDIS_MNEMONIC_LEA, ZYDIS_MNEMONIC_BSWAP, ZYDIS_MNEMONIC_NOT})
    uses[mnemonic] = {true, 0, 0};
  for (const auto mnemonic : {ZYDIS_MNEMONIC_ADD, ZYDIS_MNEMONIC_SUB, ZYDIS_MNEMONIC_CMP, ZYDIS_MNEMONIC_NEG,
                              ZYDIS_MNEMONIC_AND, ZYDIS_MNEMONIC_OR, ZYDIS_MNEMONIC_XOR, ZYDIS_MNEMONIC_TEST,
                              ZYDIS_MNEMONIC_SHL, ZYDIS_MNEMONIC_SHR, ZYDIS_MNEMONIC_SAR})
    uses[mnemonic] = {true, 0, kArithmeticFlags};
  for (const auto mnemonic : {ZYDIS_MNEMONIC_ADC, ZYDIS_MNEMONIC_SBB})
    uses[mnemonic] = {true, kCf, kArithmeticFlags};
  for (const auto mnemonic : {ZYDIS_MNEMONIC_INC, ZYDIS_MNEMONIC_DEC})
    uses[mnemonic] = {true, 0, kArithmeticFlags & ~kCf};
  for (const auto mnemonic : {ZYDIS_MNEMONIC_ROL, ZYDIS_MNEMONIC_ROR})
    uses[mnemonic] = {true, 0, kCf | kOf};
  return uses;
}();

bool is_shift(ZydisMnemonic mnemonic) {
  switch (mnemonic) {
    case ZYDIS_MNEMONIC_SHL:
    case ZYDIS_MNEMONIC_SHR:
    case ZYDIS_MNEMONIC_SAR:
    case ZYDIS_MNEMONIC_ROL:
    case ZYDIS_MNEMONIC_ROR: return true;
    default: return false;
  }
}

// `op` is as its family has it.
void note_flags(const Instruction& instruction, const Op& op, DecodeNotes& notes) {
  const FlagUse& use = kFlagUses[instruction.decoded.mnemonic];
  if (!use.known) return;
  notes.writes = use.writes;
  // A count of zero changes none.
  if (is_shift(instruction.decoded.mnemonic) && (!is_immediate(instruction, 1) || op.immediate == 0)) notes.writes = 0;
  bool is_plain = true;
  for (unsigned i = 0; i < instruction.operands.size(); ++i) {
    const bool computes_only = instruction.decoded.mnemonic == ZYDIS_MNEMONIC_LEA && i == 1;
    is_plain = is_plain && (is_general(instruction, i) || is_immediate(instruction, i) || computes_only);
  }
  if (is_plain) notes.reads = use.reads;
}

Flow call_handler(Cpu& cpu, const Op& op, std::uint64_t) {
  cpu.settle(op);
  return op.handler(cpu, op);
}

// Families complete the op.
StepChoice choose_step(const Instruction& instruction, Op& op) {
  for (const StepFamily family : kStepFamilies) {
    const Op common = op;
    if (const StepChoice choice = family(instruction, op); choice.run != nullptr) return choice;
    op = common;
  }
  return {};
}
Handler choose_handler(const Instruction& instruction, Op& op) {
  for (const Family family : kFamilies) {
    const Op common = op;
    if (const Handler handler = family(instruction, op); handler != nullptr) return handler;
    op = common;
  }
  return nullptr;
}

void decode_invalid(ZyanStatus status, Op& op, bool& ends_block) {
  op.run = call_handler;
  op.handler = status == ZYDIS_STATUS_INSTRUCTION_TOO_LONG ? too_long : undefined;
  op.length = 0;
  op.base = op.index = Cpu::kZero;
  ends_block = true;
}

bool decode_undefined(Op& op, DecodeNotes& notes) {
  op.run = call_handler;
  op.handler = undefined;
  notes.ends_block = true;
  return true;
}

}  // namespace

bool has_extension(const CpuFeatures& features, const ZydisDecodedInstruction& decoded) {
  const SetInfo& set = kSets[decoded.meta.isa_set];
  return set.known && (!set.feature || features.has(*set.feature));
}

std::uint8_t address_flags(const Instruction& instruction, std::uint8_t segment) {
  const unsigned width = instruction.decoded.address_width;
  const bool has_base = segment == kFs || segment == kGs;
  if ((instruction.mode & Mode::kCodeMask) == Mode::kCode64)
    return static_cast<std::uint8_t>((has_base ? 0 : kFlat) | (width == 32 ? kAddress32 : 0));
  if (width == 16) return kAddress16;
  const bool is_flat = (instruction.mode & Mode::kFlat32) != 0 && !has_base && segment != kCs;
  return is_flat ? kFlat32 | kAddress32 : kAddress32;
}

bool decode(std::span<const std::uint8_t> bytes, std::uint8_t mode, const CpuFeatures& features, Op& op,
            DecodeNotes& notes, std::uint8_t last) {
  op = {};
  notes = {};
  ZydisDecodedInstruction decoded;
  std::array<ZydisDecodedOperand, ZYDIS_MAX_OPERAND_COUNT> operands;
  const ZyanStatus status =
      ZydisDecoderDecodeFull(&decoders().choose(mode, features), bytes.data(), bytes.size(), &decoded, operands.data());
  if (status == ZYDIS_STATUS_NO_MORE_DATA) return false;
  if (!ZYAN_SUCCESS(status)) {
    decode_invalid(status, op, notes.ends_block);
    return true;
  }
  Instruction instruction{decoded, std::span(operands).first(decoded.operand_count_visible), mode, last};
  take_common(instruction, op);
  notes.ends_block = ends_block_after(decoded);
  if (!has_extension(features, decoded)) return decode_undefined(op, notes);
  const Op common = op;
  const StepChoice choice = choose_step(instruction, op);
  if (choice.run == nullptr) {
    op.run = call_handler;
    op.handler = choose_handler(instruction, op);
    return op.handler != nullptr || decode_undefined(op, notes);
  }
  op.run = choice.run;
  notes.gives = choice.gives;
  note_flags(instruction, op, notes);
  if (notes.writes != 0) {
    Op quiet = common;
    instruction.is_quiet = true;
    notes.quiet = choose_step(instruction, quiet).run;
    if (notes.quiet == op.run) notes.quiet = nullptr;
  }
  return true;
}

}  // namespace vmm::cpu::soft
