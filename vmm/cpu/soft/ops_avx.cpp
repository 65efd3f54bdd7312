// AVX, AVX2, FMA and F16C: whose an instruction is, its registers, and those that have no operands. [SDM 1 14]
#include <algorithm>

#include "vmm/cpu/soft/avx.h"
#include "vmm/cpu/soft/forms.h"
#include "vmm/cpu/soft/sse_float.h"

namespace vmm::cpu::soft {

bool refuse_avx(Cpu& cpu) {
  constexpr std::uint64_t kBoth = kXstateSse | kXstateAvx;
  const bool unavailable = (cpu.cr4 & kCr4Osxsave) == 0 || (cpu.xcr0 & kBoth) != kBoth;
  cpu.raise(unavailable ? Vector::InvalidOpcode : Vector::DeviceNotAvailable);
  return false;
}

bool avx_address(Cpu& cpu, const Op& op, unsigned size, bool aligned, Access access, std::uint64_t& linear) {
  if (!linear_address(cpu, op, effective_address(cpu, op), size, access, linear)) return false;
  if (!aligned || linear % size == 0) [[likely]]
    return true;
  cpu.raise(Vector::GeneralProtection);
  return false;
}

namespace {

unsigned register_count(const Cpu& cpu) {
  return cpu.code64() ? 16 : 8;
}
Flow zero_upper(Cpu& cpu, const Op&) {
  if (!begin_avx(cpu)) return Flow::Fault;
  std::fill_n(cpu.ymm_high.begin(), register_count(cpu), Xmm{});
  return Flow::Next;
}
Flow zero_all(Cpu& cpu, const Op&) {
  if (!begin_avx(cpu)) return Flow::Fault;
  std::fill_n(cpu.xmm.begin(), register_count(cpu), Xmm{});
  std::fill_n(cpu.ymm_high.begin(), register_count(cpu), Xmm{});
  return Flow::Next;
}

Flow load_mxcsr(Cpu& cpu, const Op& op) {
  std::uint32_t value = 0;
  if (!begin_avx(cpu) || !load(cpu, op, value)) return Flow::Fault;
  if ((value & ~kMxcsrAll) != 0) return cpu.raise(Vector::GeneralProtection);
  cpu.mxcsr = value;
  return Flow::Next;
}
Flow store_mxcsr(Cpu& cpu, const Op& op) {
  return begin_avx(cpu) && store(cpu, op, cpu.mxcsr) ? Flow::Next : Flow::Fault;
}

bool is_avx(const Instruction& instruction) {
  switch (instruction.decoded.meta.isa_set) {
    case ZYDIS_ISA_SET_AVX:
    case ZYDIS_ISA_SET_AVX2:
    case ZYDIS_ISA_SET_AVX2GATHER:
    case ZYDIS_ISA_SET_AVXAES:
    case ZYDIS_ISA_SET_F16C:
    case ZYDIS_ISA_SET_FMA: return instruction.decoded.encoding == ZYDIS_INSTRUCTION_ENCODING_VEX;
    default: return false;
  }
}

void name_registers(const Instruction& instruction, Op& op, AvxExtra& extra) {
  for (const ZydisDecodedOperand& operand : instruction.operands) {
    if (operand.type != ZYDIS_OPERAND_TYPE_REGISTER) continue;
    const std::uint8_t general = register_offset(operand.reg.value);
    const auto number =
        general != kNotGeneral ? general : static_cast<std::uint8_t>(ZydisRegisterGetId(operand.reg.value) & 15);
    switch (operand.encoding) {
      case ZYDIS_OPERAND_ENCODING_MODRM_REG: op.reg = number; break;
      case ZYDIS_OPERAND_ENCODING_MODRM_RM: op.rm = number; break;
      case ZYDIS_OPERAND_ENCODING_NDSNDD: extra.vvvv = number; break;
      case ZYDIS_OPERAND_ENCODING_IS4: extra.is4 = number; break;
      default: break;
    }
  }
}

}  // namespace

Handler avx_family(const Instruction& instruction, Op& op) {
  if (!is_avx(instruction)) return nullptr;
  switch (instruction.decoded.mnemonic) {
    case ZYDIS_MNEMONIC_VZEROUPPER: return zero_upper;
    case ZYDIS_MNEMONIC_VZEROALL: return zero_all;
    case ZYDIS_MNEMONIC_VLDMXCSR: return load_mxcsr;
    case ZYDIS_MNEMONIC_VSTMXCSR: return store_mxcsr;
    default: break;
  }
  AvxExtra extra;
  name_registers(instruction, op, extra);
  Handler found = avx_memory_form(instruction, op, extra);
  if (found == nullptr) found = avx_operation_form(instruction, op, extra);
  op.extra = extra.packed();
  return found;
}

}  // namespace vmm::cpu::soft
