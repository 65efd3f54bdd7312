#include "vmm/cpu/soft/vector.h"

#include <array>
#include <utility>

namespace vmm::cpu::soft {

bool refuse_sse(Cpu& cpu) {
  const bool unavailable = (cpu.cr0 & kCr0Em) != 0 || (cpu.cr4 & kCr4Osfxsr) == 0;
  cpu.raise(unavailable ? Vector::InvalidOpcode : Vector::DeviceNotAvailable);
  return false;
}

bool refuse_mmx(Cpu& cpu) {
  if ((cpu.cr0 & kCr0Em) != 0) {
    cpu.raise(Vector::InvalidOpcode);
    return false;
  }
  if ((cpu.cr0 & kCr0Ts) != 0) {
    cpu.raise(Vector::DeviceNotAvailable);
    return false;
  }
  return report_pending(cpu);
}

bool aligned_address(Cpu& cpu, const Op& op, Access access, std::uint64_t& linear) {
  if (!linear_address(cpu, op, effective_address(cpu, op), 16, access, linear)) return false;
  if ((linear & 15) == 0) [[likely]]
    return true;
  cpu.raise(Vector::GeneralProtection);
  return false;
}

void name_vector_operands(const Instruction& instruction, Op& op) {
  const auto number = [&](unsigned operand) -> std::uint8_t {
    const ZydisRegister name = instruction.operands[operand].reg.value;
    const auto id = static_cast<std::uint8_t>(ZydisRegisterGetId(name));
    switch (ZydisRegisterGetClass(name)) {
      case ZYDIS_REGCLASS_XMM: return id & 15;
      case ZYDIS_REGCLASS_MMX: return id & 7;
      default: return static_cast<std::uint8_t>((id & 15) * 8);
    }
  };
  bool first = true;
  for (unsigned operand = 0; operand < instruction.operands.size() && operand < 2; ++operand) {
    if (instruction.operands[operand].type != ZYDIS_OPERAND_TYPE_REGISTER) continue;
    (first ? op.reg : op.rm) = number(operand);
    first = false;
  }
}

void name_masked_destination(const Instruction& instruction, Op& op) {
  const ZydisInstructionAttributes attributes = instruction.decoded.attributes;
  constexpr std::uint8_t kRdi = 7 * 8;
  op.base = kRdi;
  op.index = Cpu::kZero;
  op.scale = 0;
  op.displacement = 0;
  op.segment = kDs;
  constexpr std::array kOverrides = {
      std::pair{ZYDIS_ATTRIB_HAS_SEGMENT_ES, kEs}, std::pair{ZYDIS_ATTRIB_HAS_SEGMENT_CS, kCs},
      std::pair{ZYDIS_ATTRIB_HAS_SEGMENT_SS, kSs}, std::pair{ZYDIS_ATTRIB_HAS_SEGMENT_FS, kFs},
      std::pair{ZYDIS_ATTRIB_HAS_SEGMENT_GS, kGs}};
  for (const auto& [attribute, segment] : kOverrides) {
    if ((attributes & attribute) != 0) op.segment = segment;
  }
  op.flags = static_cast<std::uint8_t>((op.flags & ~kAddressing) | address_flags(instruction, op.segment));
}

}  // namespace vmm::cpu::soft
