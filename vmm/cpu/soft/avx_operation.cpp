// AVX instructions that the host executes: operands go to the registers that host_vex.h has for them, and results come
// from there. What an instruction does, to upper halves as well, nobody says here.
#include <algorithm>
#include <type_traits>

#include "vmm/cpu/soft/avx.h"
#include "vmm/cpu/soft/forms.h"
#include "vmm/cpu/soft/sse_float.h"

namespace vmm::cpu::soft {
namespace {

constexpr unsigned kReg = 0, kVvvv = 1, kRm = 2, kIs4 = 3;  // of HostRegisters::ymm

// --- Where the operand that ModRM.rm names comes from. ---

struct FromVector {
  static constexpr bool kIsGeneral = false;
  static bool load(Cpu& cpu, const Op& op, HostRegisters& host) {
    host.ymm[kRm] = read_ymm(cpu, op.rm);
    return true;
  }
};
struct FromGeneral {
  static constexpr bool kIsGeneral = true;
  static bool load(Cpu& cpu, const Op& op, HostRegisters& host) {
    host.rdx = cpu.reg<std::uint64_t>(op.rm);
    return true;
  }
};
// Followed by zeros, in both kinds of register.
template <class T>
struct FromBytes {
  static constexpr bool kIsGeneral = sizeof(T) <= sizeof(std::uint64_t);
  static bool load(Cpu& cpu, const Op& op, HostRegisters& host) {
    T value{};
    if (!soft::load(cpu, op, value)) return false;
    std::memcpy(&host.ymm[kRm], &value, sizeof value);
    if constexpr (kIsGeneral) host.rdx = value;
    return true;
  }
};
struct FromNowhere {
  static constexpr bool kIsGeneral = false;
  static bool load(Cpu&, const Op&, HostRegisters&) { return true; }
};

// --- Where the result goes. ---

struct ToRegister {
  static constexpr bool kIsGeneral = false;
  static bool prepare(Cpu&, const Op&) { return true; }
};
template <unsigned kSlot>
struct ToVector : ToRegister {
  static constexpr unsigned kResult = kSlot;
  static bool write(Cpu& cpu, const Op& op, const HostRegisters& host) {
    const unsigned number = kSlot == kReg ? op.reg : kSlot == kRm ? op.rm : AvxExtra::of(op).vvvv;
    write_ymm(cpu, number, host.ymm[kSlot]);
    return true;
  }
};
struct ToGeneral : ToRegister {
  static constexpr bool kIsGeneral = true;
  static constexpr unsigned kResult = kReg;
  static bool write(Cpu& cpu, const Op& op, const HostRegisters& host) {
    cpu.set_reg(op.reg, host.rax);
    return true;
  }
};
struct ToGeneralRm : ToRegister {
  static constexpr bool kIsGeneral = true;
  static constexpr unsigned kResult = kRm;
  static bool write(Cpu& cpu, const Op& op, const HostRegisters& host) {
    cpu.set_reg(op.rm, host.rdx);
    return true;
  }
};
struct ToFlags : ToRegister {
  static constexpr bool kIsGeneral = true;
  static constexpr unsigned kResult = kRm;
  static bool write(Cpu& cpu, const Op&, const HostRegisters& host) {
    cpu.flags.assign(static_cast<std::uint32_t>(host.flags) & kArithmeticFlags);
    return true;
  }
};
// VPCMPESTRI, VPCMPISTRI
struct ToIndex : ToFlags {
  static bool write(Cpu& cpu, const Op& op, const HostRegisters& host) {
    cpu.set_reg(kRcx, host.rcx);
    return ToFlags::write(cpu, op, host);
  }
};
// VPCMPESTRM, VPCMPISTRM
struct ToMask : ToFlags {
  static bool write(Cpu& cpu, const Op& op, const HostRegisters& host) {
    write_ymm(cpu, 0, host.ymm[0]);
    return ToFlags::write(cpu, op, host);
  }
};
template <class T, bool kGeneral>
struct ToBytes {
  static constexpr bool kIsGeneral = kGeneral;
  static constexpr unsigned kResult = kRm;
  // It is found out before floating-point exceptions are.
  static bool prepare(Cpu& cpu, const Op& op) {
    std::uint64_t linear = 0;
    return linear_address(cpu, op, effective_address(cpu, op), sizeof(T), Access::Write, linear) &&
           cpu.mmu.probe(linear, sizeof(T), Access::Write);
  }
  static bool write(Cpu& cpu, const Op& op, const HostRegisters& host) {
    T value{};
    if constexpr (kGeneral) {
      value = static_cast<T>(host.rdx);
    } else {
      std::memcpy(&value, &host.ymm[kRm], sizeof value);
    }
    return store(cpu, op, value);
  }
};

bool has_denormal(const Ymm& value, Result kind) {
  if (soft::has_denormal(value.low.integer(), kind)) return true;
  return (kind == Result::Singles || kind == Result::Doubles) && soft::has_denormal(value.high.integer(), kind);
}

template <bool kGeneral>
void execute_on_host(const Op& op, HostRegisters& host) {
  const auto* instruction = std::bit_cast<HostInstruction>(op.immediate);
  if constexpr (kGeneral) {
    execute(instruction, host);
  } else {
    execute_vectors(instruction, host);
  }
}

template <class Source, class Destination, bool kFloat>
Flow operation(Cpu& cpu, const Op& op) {
  HostRegisters host{};
  if (!begin_avx(cpu) || !Source::load(cpu, op, host) || !Destination::prepare(cpu, op)) return Flow::Fault;
  const AvxExtra extra = AvxExtra::of(op);
  constexpr bool kGeneral = Source::kIsGeneral || Destination::kIsGeneral;
  if constexpr (!std::is_same_v<Destination, ToGeneral>) host.ymm[kReg] = read_ymm(cpu, op.reg);
  host.ymm[kVvvv] = read_ymm(cpu, extra.vvvv);
  host.ymm[kIs4] = read_ymm(cpu, extra.is4);
  if constexpr (kGeneral && !Source::kIsGeneral) {
    host.rax = cpu.reg<std::uint64_t>(kRax);  // lengths of strings
    host.rdx = cpu.reg<std::uint64_t>(kRdx);
  }
  if constexpr (kFloat) {
    HostMxcsr::begin(cpu.mxcsr);
    execute_on_host<kGeneral>(op, host);
    std::uint32_t raised = HostMxcsr::end();
    const auto kind = static_cast<Result>(extra.result);
    if ((cpu.mxcsr & kMxcsrUm) == 0 && has_denormal(host.ymm[Destination::kResult], kind)) raised |= kMxcsrUe;
    if (!accept_exceptions(cpu, raised)) return Flow::Fault;
  } else {
    execute_on_host<kGeneral>(op, host);
  }
  return Destination::write(cpu, op, host) ? Flow::Next : Flow::Fault;
}

// --- VDPPS and VDPPD: the products, sums of two, and for singles the sum of these. Unmasked exceptions end it at each;
// where there can be none the host does it in one. [SDM 2B DPPS] ---

struct DotSteps {
  HostInstruction multiply, add;
  Result result;
  bool is_single;
};
DotSteps dot_steps(bool is_single) {
  constexpr std::uint8_t k66 = 1, kF2 = 3;
  const std::uint8_t multiply = is_single ? 0 : k66, add = is_single ? kF2 : k66;
  return {host_instruction({.map = 1, .prefix = multiply, .opcode = 0x59, .l = true}),
          host_instruction({.map = 1, .prefix = add, .opcode = 0x7c, .l = true}),
          is_single ? Result::Singles : Result::Doubles, is_single};
}

bool dot_step(Cpu& cpu, HostInstruction instruction, Result kind, HostRegisters& host) {
  HostMxcsr::begin(cpu.mxcsr);
  execute_vectors(instruction, host);
  std::uint32_t raised = HostMxcsr::end();
  if ((cpu.mxcsr & kMxcsrUm) == 0 && has_denormal(host.ymm[kReg], kind)) raised |= kMxcsrUe;
  host.ymm[kVvvv] = host.ymm[kRm] = host.ymm[kReg];
  return accept_exceptions(cpu, raised);
}

// Zeros for elements whose bits are not set.
void select(Xmm& half, bool is_single, unsigned bits) {
  for (unsigned element = 0; element < (is_single ? 4u : 2u); ++element) {
    if ((bits >> element & 1) != 0) continue;
    is_single ? half.set(std::uint32_t{0}, element) : half.set(std::uint64_t{0}, element);
  }
}
void select(Ymm& value, bool is_single, unsigned bits) {
  select(value.low, is_single, bits);
  select(value.high, is_single, bits);
}

bool multiply_and_add(Cpu& cpu, const DotSteps& steps, unsigned immediate, HostRegisters& host) {
  select(host.ymm[kVvvv], steps.is_single, immediate >> 4);
  select(host.ymm[kRm], steps.is_single, immediate >> 4);
  if (!dot_step(cpu, steps.multiply, steps.result, host) || !dot_step(cpu, steps.add, steps.result, host)) return false;
  if (steps.is_single && !dot_step(cpu, steps.add, steps.result, host)) return false;
  select(host.ymm[kReg], steps.is_single, immediate);
  return true;
}

// AvxExtra::count is the immediate, `is4` the number of XMM registers in an operand.
template <class Source, bool kSingle>
Flow dot_product(Cpu& cpu, const Op& op) {
  if ((cpu.mxcsr & kMxcsrMasks) == kMxcsrMasks) return operation<Source, ToVector<kReg>, true>(cpu, op);
  static const DotSteps steps = dot_steps(kSingle);
  HostRegisters host{};
  if (!begin_avx(cpu) || !Source::load(cpu, op, host)) return Flow::Fault;
  const AvxExtra extra = AvxExtra::of(op);
  host.ymm[kVvvv] = read_ymm(cpu, extra.vvvv);
  if (extra.is4 == 1) host.ymm[kVvvv].high = host.ymm[kRm].high = {};
  if (!multiply_and_add(cpu, steps, extra.count, host)) return Flow::Fault;
  write_ymm(cpu, op.reg, host.ymm[kReg]);
  return Flow::Next;
}
template <bool kSingle>
Handler dot_product_form(const Instruction& instruction, AvxExtra& extra) {
  extra.count = static_cast<std::uint8_t>(instruction.operands[3].imm.value.u);
  extra.is4 = vector_bytes(instruction) == 32 ? 2 : 1;
  if (!instruction.operand_is_memory(2)) return dot_product<FromVector, kSingle>;
  return extra.is4 == 1 ? dot_product<FromBytes<Xmm>, kSingle> : dot_product<FromBytes<Ymm>, kSingle>;
}

// --- Choosing ---

const ZydisDecodedOperand* operand_of(const Instruction& instruction, ZydisOperandEncoding encoding) {
  for (const ZydisDecodedOperand& operand : instruction.operands)
    if (operand.encoding == encoding) return &operand;
  return nullptr;
}
bool is_general_register(const ZydisDecodedOperand& operand) {
  return operand.type == ZYDIS_OPERAND_TYPE_REGISTER && register_offset(operand.reg.value) != kNotGeneral;
}

// Exceptions of types 2, 3 and 11. [SDM 2A 2.4]
bool raises_exceptions(const Instruction& instruction) {
  switch (instruction.decoded.meta.exception_class) {
    case ZYDIS_EXCEPTION_CLASS_AVX2:
    case ZYDIS_EXCEPTION_CLASS_AVX3:
    case ZYDIS_EXCEPTION_CLASS_AVX11: return true;
    default: return false;
  }
}

template <class Destination, bool kFloat>
Handler with_source(const Instruction& instruction) {
  const ZydisDecodedOperand* source = operand_of(instruction, ZYDIS_OPERAND_ENCODING_MODRM_RM);
  if (source == nullptr) return nullptr;
  if (source->type != ZYDIS_OPERAND_TYPE_MEMORY) {
    return is_general_register(*source) ? operation<FromGeneral, Destination, kFloat>
                                        : operation<FromVector, Destination, kFloat>;
  }
  return for_bytes(source->size / 8, []<class T>() -> Handler { return operation<FromBytes<T>, Destination, kFloat>; });
}

template <bool kFloat>
Handler to_memory(const Instruction& instruction) {
  const unsigned bytes = instruction.bits(0) / 8;
  switch (instruction.decoded.mnemonic) {
    case ZYDIS_MNEMONIC_VPEXTRB: return operation<FromNowhere, ToBytes<std::uint8_t, true>, false>;
    case ZYDIS_MNEMONIC_VPEXTRW: return operation<FromNowhere, ToBytes<std::uint16_t, true>, false>;
    case ZYDIS_MNEMONIC_VEXTRACTPS:
    case ZYDIS_MNEMONIC_VPEXTRD: return operation<FromNowhere, ToBytes<std::uint32_t, true>, false>;
    case ZYDIS_MNEMONIC_VPEXTRQ: return operation<FromNowhere, ToBytes<std::uint64_t, true>, false>;
    default: break;
  }
  return for_bytes(bytes, []<class T>() -> Handler { return operation<FromNowhere, ToBytes<T, false>, kFloat>; });
}

Handler without_result(const Instruction& instruction) {
  switch (instruction.decoded.mnemonic) {
    case ZYDIS_MNEMONIC_VPCMPESTRI:
    case ZYDIS_MNEMONIC_VPCMPISTRI: return with_source<ToIndex, false>(instruction);
    case ZYDIS_MNEMONIC_VPCMPESTRM:
    case ZYDIS_MNEMONIC_VPCMPISTRM: return with_source<ToMask, false>(instruction);
    default: break;
  }
  return raises_exceptions(instruction) ? with_source<ToFlags, true>(instruction)
                                        : with_source<ToFlags, false>(instruction);
}

template <bool kFloat>
Handler choose(const Instruction& instruction) {
  const ZydisDecodedOperand& first = instruction.operands[0];
  if ((first.actions & ZYDIS_OPERAND_ACTION_MASK_WRITE) == 0) return without_result(instruction);
  if (first.type == ZYDIS_OPERAND_TYPE_MEMORY) return to_memory<kFloat>(instruction);
  const bool is_general = is_general_register(first);
  switch (first.encoding) {
    case ZYDIS_OPERAND_ENCODING_MODRM_REG:
      return is_general ? with_source<ToGeneral, kFloat>(instruction)
                        : with_source<ToVector<kReg>, kFloat>(instruction);
    case ZYDIS_OPERAND_ENCODING_NDSNDD: return with_source<ToVector<kVvvv>, false>(instruction);
    case ZYDIS_OPERAND_ENCODING_MODRM_RM:
      return is_general ? operation<FromNowhere, ToGeneralRm, false> : operation<FromVector, ToVector<kRm>, kFloat>;
    default: return nullptr;
  }
}

// Which results are denormal by themselves, and not by the instruction's choosing among operands.
bool computes(const ZydisDecodedInstruction& decoded) {
  if (decoded.meta.isa_set == ZYDIS_ISA_SET_FMA) return true;
  switch (decoded.opcode) {
    case 0x58:
    case 0x59:
    case 0x5c:
    case 0x5e:
    case 0x7c:
    case 0x7d:
    case 0xd0: return decoded.raw.vex.m_mmmm == 1;
    case 0x40:
    case 0x41: return decoded.raw.vex.m_mmmm == 3;
    default: return decoded.mnemonic == ZYDIS_MNEMONIC_VCVTPD2PS || decoded.mnemonic == ZYDIS_MNEMONIC_VCVTSD2SS;
  }
}
Result result_of(const Instruction& instruction) {
  const ZydisDecodedInstruction& decoded = instruction.decoded;
  if (decoded.mnemonic == ZYDIS_MNEMONIC_VCVTPS2PH) return Result::Halves;
  if (!raises_exceptions(instruction) || !computes(decoded)) return Result::Whatever;
  const bool is_scalar = decoded.meta.exception_class == ZYDIS_EXCEPTION_CLASS_AVX3;
  if (instruction.operands[0].element_type == ZYDIS_ELEMENT_TYPE_FLOAT32)
    return is_scalar ? Result::Single : Result::Singles;
  return is_scalar ? Result::Double : Result::Doubles;
}

// Elsewhere VEX.W would mean registers of 64 bits.
bool has_general_width(ZydisMnemonic mnemonic) {
  switch (mnemonic) {
    case ZYDIS_MNEMONIC_VMOVD:
    case ZYDIS_MNEMONIC_VPINSRD:
    case ZYDIS_MNEMONIC_VPEXTRD:
    case ZYDIS_MNEMONIC_VCVTSI2SS:
    case ZYDIS_MNEMONIC_VCVTSI2SD:
    case ZYDIS_MNEMONIC_VCVTSS2SI:
    case ZYDIS_MNEMONIC_VCVTSD2SI:
    case ZYDIS_MNEMONIC_VCVTTSS2SI:
    case ZYDIS_MNEMONIC_VCVTTSD2SI:
    case ZYDIS_MNEMONIC_VPCMPESTRI:
    case ZYDIS_MNEMONIC_VPCMPESTRM: return true;
    default: return false;
  }
}

bool is_wide(const ZydisDecodedOperand& operand) {
  if (operand.type == ZYDIS_OPERAND_TYPE_MEMORY) return operand.size == 8 * sizeof(Ymm);
  return operand.type == ZYDIS_OPERAND_TYPE_REGISTER && ZydisRegisterGetClass(operand.reg.value) == ZYDIS_REGCLASS_YMM;
}

VexEncoding encoding_of(const Instruction& instruction, const Op& op) {
  const ZydisDecodedInstruction& decoded = instruction.decoded;
  const bool in_64_bit_mode = (instruction.mode & Mode::kCodeMask) == Mode::kCode64;
  const auto has = [&](ZydisOperandEncoding encoding) { return operand_of(instruction, encoding) != nullptr; };
  VexEncoding encoding{.map = decoded.raw.vex.m_mmmm, .prefix = decoded.raw.vex.pp, .opcode = decoded.opcode};
  encoding.w = decoded.raw.vex.W != 0 && (in_64_bit_mode || !has_general_width(decoded.mnemonic));
  // Not where it means nothing: scalars may do anything then. [SDM 2A 2.3.11]
  encoding.l = std::ranges::any_of(instruction.operands, is_wide);
  encoding.has_vvvv = has(ZYDIS_OPERAND_ENCODING_NDSNDD);
  if (!has(ZYDIS_OPERAND_ENCODING_MODRM_REG)) encoding.digit = decoded.raw.modrm.reg;
  for (const ZydisDecodedOperand& operand : instruction.operands) {
    if (operand.type != ZYDIS_OPERAND_TYPE_IMMEDIATE) continue;
    encoding.has_immediate = true;
    encoding.immediate = static_cast<std::uint8_t>(operand.imm.value.u);
  }
  if (has(ZYDIS_OPERAND_ENCODING_IS4)) {
    encoding.has_immediate = true;
    encoding.immediate = kIs4 << 4;
  }
  // Memory holds the one single that an immediate would choose from a register. [SDM 2A INSERTPS]
  const bool is_single_in_memory = decoded.mnemonic == ZYDIS_MNEMONIC_VINSERTPS && (op.flags & kHasMemory) != 0;
  if (is_single_in_memory) encoding.immediate &= 0x3f;
  return encoding;
}

}  // namespace

Handler avx_operation_form(const Instruction& instruction, Op& op, AvxExtra& extra) {
  if (instruction.operands.empty()) return nullptr;
  const HostInstruction host = host_instruction(encoding_of(instruction, op));
  if (host == nullptr) return nullptr;
  op.immediate = std::bit_cast<std::uint64_t>(host);
  extra.result = static_cast<std::uint8_t>(result_of(instruction));
  if (instruction.decoded.mnemonic == ZYDIS_MNEMONIC_VDPPS) return dot_product_form<true>(instruction, extra);
  if (instruction.decoded.mnemonic == ZYDIS_MNEMONIC_VDPPD) return dot_product_form<false>(instruction, extra);
  return raises_exceptions(instruction) ? choose<true>(instruction) : choose<false>(instruction);
}

}  // namespace vmm::cpu::soft
