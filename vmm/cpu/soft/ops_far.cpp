// Far CALL, JMP, RET; INT n, INT3, INTO, INT1; IRET; SYSCALL, SYSRET, SYSENTER, SYSEXIT. [SDM 2]
#include "vmm/cpu/soft/decoder.h"
#include "vmm/cpu/soft/descriptors.h"
#include "vmm/cpu/soft/event_delivery.h"
#include "vmm/cpu/soft/far_transfer.h"
#include "vmm/cpu/soft/features.h"
#include "vmm/cpu/soft/forms.h"
#include "vmm/cpu/soft/segments.h"
#include "vmm/cpu/soft/system_flags.h"

namespace vmm::cpu::soft {
namespace {

constexpr std::uint8_t kRsp = 4 * 8, kR11 = 11 * 8;
// Flat segments of SYSCALL and SYSENTER. [SDM 3A 5.8.7, 5.8.8]
constexpr std::uint32_t kFlatCode64 = 0xa09b, kFlatCode32 = 0xc09b, kFlatData = 0xc093, kRing3 = 0x60;

Flow done(bool success) {
  return success ? Flow::Leave : Flow::Fault;
}

using Transfer = bool (*)(Cpu&, std::uint16_t, std::uint64_t, unsigned);

template <Transfer kTransfer, unsigned kWidth>
Flow transfer_direct(Cpu& cpu, const Op& op) {
  return done(kTransfer(cpu, static_cast<std::uint16_t>(op.extra), op.immediate, kWidth));
}

// The pointer is an offset with a selector above it.
template <Transfer kTransfer, unsigned kWidth>
Flow transfer_indirect(Cpu& cpu, const Op& op) {
  std::uint64_t linear = 0;
  std::array<std::uint8_t, kWidth + 2> bytes{};
  if (!linear_address(cpu, op, effective_address(cpu, op), kWidth + 2, Access::Read, linear) ||
      !cpu.mmu.read_bytes(linear, bytes.data(), kWidth + 2))
    return Flow::Fault;
  std::uint64_t offset = 0;
  std::uint16_t selector = 0;
  std::memcpy(&offset, bytes.data(), kWidth);
  std::memcpy(&selector, bytes.data() + kWidth, sizeof selector);
  return done(kTransfer(cpu, selector, offset, kWidth));
}

template <unsigned kWidth>
Flow far_ret(Cpu& cpu, const Op& op) {
  return done(far_return(cpu, kWidth, static_cast<std::uint16_t>(op.immediate)));
}

template <unsigned kWidth>
Flow iret(Cpu& cpu, const Op&) {
  return done(interrupt_return(cpu, kWidth));
}

Flow int_n(Cpu& cpu, const Op& op) {
  const auto vector = static_cast<std::uint8_t>(op.immediate);
  if (cpu.virtual_8086()) return done(interrupt_virtual_8086(cpu, vector, cpu.next_rip()));
  return done(inject(cpu, {EventKind::Software, vector, false, 0}, cpu.next_rip()));
}

template <EventKind kKind, Vector kVector>
Flow int_fixed(Cpu& cpu, const Op&) {
  return done(inject(cpu, {kKind, static_cast<std::uint8_t>(kVector), false, 0}, cpu.next_rip()));
}

Flow into(Cpu& cpu, const Op& op) {
  if (!cpu.flags.of()) return Flow::Next;
  return int_fixed<EventKind::Into, Vector::Overflow>(cpu, op);
}

void enter_flat(Cpu& cpu, std::uint16_t cs, std::uint32_t code, std::uint16_t ss, std::uint8_t cpl) {
  const std::uint32_t ring = cpl == 3 ? kRing3 : 0;
  set_flat_segment(cpu, kCs, cs, code | ring);
  set_flat_segment(cpu, kSs, ss, kFlatData | ring);
  set_cpl(cpu, cpl);
}

// [SDM 2B SYSCALL] Only from 64-bit mode, as Intel has it.
Flow syscall(Cpu& cpu, const Op&) {
  if ((cpu.efer & kEferSce) == 0 || !cpu.code64()) return cpu.raise(Vector::InvalidOpcode);
  const std::uint32_t flags = cpu.rflags() & ~kRf;
  cpu.set_reg(kRcx, cpu.next_rip());
  cpu.set_reg(kR11, std::uint64_t{flags});
  const auto selector = static_cast<std::uint16_t>(cpu.star >> 32 & 0xfffc);
  enter_flat(cpu, selector, kFlatCode64, static_cast<std::uint16_t>(selector + 8), 0);
  load_flags(cpu, 0, static_cast<std::uint32_t>(cpu.sfmask) | kRf);
  cpu.set_next_rip(cpu.lstar);
  return Flow::Leave;
}

template <bool kTo64>
Flow sysret(Cpu& cpu, const Op&) {
  if ((cpu.efer & kEferSce) == 0 || !cpu.code64()) return cpu.raise(Vector::InvalidOpcode);
  auto rip = cpu.reg<std::uint64_t>(kRcx);
  if (cpu.cpl != 0 || (kTo64 && !cpu.mmu.is_canonical(rip))) return cpu.raise(Vector::GeneralProtection);
  if (!kTo64) rip &= 0xffffffff;
  const auto base = static_cast<std::uint16_t>(cpu.star >> 48);
  const auto cs = static_cast<std::uint16_t>((kTo64 ? base + 16 : base) | 3);
  enter_flat(cpu, cs, kTo64 ? kFlatCode64 : kFlatCode32, static_cast<std::uint16_t>((base + 8) | 3), 3);
  load_flags(cpu, cpu.reg<std::uint32_t>(kR11), kFlagsThatExist & ~(kRf | kVm));
  load_flags(cpu, 0, kRf);
  cpu.set_next_rip(rip);
  return Flow::Leave;
}

Flow sysenter(Cpu& cpu, const Op&) {
  if (!cpu.protected_mode() || (cpu.sysenter_cs & 0xfffc) == 0) return cpu.raise(Vector::GeneralProtection);
  const bool wide = cpu.long_mode();
  const auto selector = static_cast<std::uint16_t>(cpu.sysenter_cs & 0xfffc);
  load_flags(cpu, 0, kVm | kIf | kRf);
  enter_flat(cpu, selector, wide ? kFlatCode64 : kFlatCode32, static_cast<std::uint16_t>(selector + 8), 0);
  cpu.set_reg(kRsp, wide ? cpu.sysenter_esp : cpu.sysenter_esp & 0xffffffff);
  cpu.set_next_rip(wide ? cpu.sysenter_eip : cpu.sysenter_eip & 0xffffffff);
  return Flow::Leave;
}

template <bool kTo64>
Flow sysexit(Cpu& cpu, const Op&) {
  if (!cpu.protected_mode() || cpu.cpl != 0 || (cpu.sysenter_cs & 0xfffc) == 0)
    return cpu.raise(Vector::GeneralProtection);
  auto rsp = cpu.reg<std::uint64_t>(kRcx);
  auto rip = cpu.reg<std::uint64_t>(kRdx);
  if (!kTo64) {
    rsp &= 0xffffffff;
    rip &= 0xffffffff;
  } else if (!cpu.mmu.is_canonical(rsp) || !cpu.mmu.is_canonical(rip)) {
    return cpu.raise(Vector::GeneralProtection);
  }
  const auto cs = static_cast<std::uint16_t>((cpu.sysenter_cs + (kTo64 ? 32 : 16)) | 3);
  enter_flat(cpu, cs, kTo64 ? kFlatCode64 : kFlatCode32, static_cast<std::uint16_t>(cs + 8), 3);
  cpu.set_reg(kRsp, rsp);
  cpu.set_next_rip(rip);
  return Flow::Leave;
}

template <Transfer kTransfer>
Handler select_transfer(const Instruction& instruction, Op& op) {
  if (instruction.decoded.meta.branch_type != ZYDIS_BRANCH_TYPE_FAR) return nullptr;
  if (instruction.operand_is_memory(0)) {
    // Offset and selector: 16:16, 16:32, 16:64.
    switch (instruction.bits(0)) {
      case 32: return transfer_indirect<kTransfer, 2>;
      case 48: return transfer_indirect<kTransfer, 4>;
      case 80: return transfer_indirect<kTransfer, 8>;
      default: return nullptr;
    }
  }
  if (instruction.operands.empty() || instruction.operands[0].type != ZYDIS_OPERAND_TYPE_POINTER) return nullptr;
  op.immediate = instruction.operands[0].ptr.offset;
  op.extra = instruction.operands[0].ptr.segment;
  return instruction.decoded.operand_width == 16 ? transfer_direct<kTransfer, 2> : transfer_direct<kTransfer, 4>;
}

Handler select_return(const Instruction& instruction, Op& op) {
  if (instruction.decoded.meta.branch_type != ZYDIS_BRANCH_TYPE_FAR) return nullptr;
  op.immediate = is_immediate(instruction, 0) ? instruction.operands[0].imm.value.u & 0xffff : 0;
  switch (instruction.decoded.operand_width) {
    case 16: return far_ret<2>;
    case 64: return far_ret<8>;
    default: return far_ret<4>;
  }
}

Handler select_int(const Instruction& instruction, Op& op) {
  op.immediate = instruction.operands[0].imm.value.u & 0xff;
  return int_n;
}

template <Handler kHandler>
Handler select_plain(const Instruction&, Op&) {
  return kHandler;
}

template <Handler kNarrow, Handler kWide>
Handler select_by_rex_w(const Instruction& instruction, Op&) {
  return (instruction.decoded.attributes & ZYDIS_ATTRIB_HAS_REX) != 0 && instruction.decoded.raw.rex.W != 0 ? kWide
                                                                                                            : kNarrow;
}

constexpr SelectorTable kSelectors{
    {ZYDIS_MNEMONIC_CALL, select_transfer<far_call>},
    {ZYDIS_MNEMONIC_JMP, select_transfer<far_jump>},
    {ZYDIS_MNEMONIC_RET, select_return},
    {ZYDIS_MNEMONIC_INT, select_int},
    {ZYDIS_MNEMONIC_INT1, select_plain<int_fixed<EventKind::Icebp, Vector::Debug>>},
    {ZYDIS_MNEMONIC_INT3, select_plain<int_fixed<EventKind::Int3, Vector::Breakpoint>>},
    {ZYDIS_MNEMONIC_INTO, select_plain<into>},
    {ZYDIS_MNEMONIC_IRET, select_plain<iret<2>>},
    {ZYDIS_MNEMONIC_IRETD, select_plain<iret<4>>},
    {ZYDIS_MNEMONIC_IRETQ, select_plain<iret<8>>},
    {ZYDIS_MNEMONIC_SYSCALL, select_plain<syscall>},
    {ZYDIS_MNEMONIC_SYSRET, select_by_rex_w<sysret<false>, sysret<true>>},
    {ZYDIS_MNEMONIC_SYSENTER, select_plain<sysenter>},
    {ZYDIS_MNEMONIC_SYSEXIT, select_by_rex_w<sysexit<false>, sysexit<true>>},
};

}  // namespace

Handler far_family(const Instruction& instruction, Op& op) {
  return kSelectors(instruction, op);
}

}  // namespace vmm::cpu::soft
