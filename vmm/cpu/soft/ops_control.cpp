// Control and debug registers, model specific registers, CPUID, HLT, translations, time, interrupts' flag, and the
// bases of FS and GS. [SDM 2]
#include "vmm/cpu/soft/control_registers.h"
#include "vmm/cpu/soft/cpuid_leaf.h"
#include "vmm/cpu/soft/decoder.h"
#include "vmm/cpu/soft/descriptors.h"
#include "vmm/cpu/soft/forms.h"
#include "vmm/cpu/soft/local_apic_access.h"
#include "vmm/cpu/soft/msrs.h"
#include "vmm/cpu/soft/segments.h"
#include "vmm/cpu/soft/system_flags.h"

namespace vmm::cpu::soft {
namespace {

constexpr std::uint64_t kDr7GeneralDetect = 1u << 13;
constexpr std::uint64_t kDr6GeneralDetect = 1u << 13;

Flow privileged(Cpu& cpu) {
  return cpu.raise(Vector::GeneralProtection, 0);
}

Flow left(bool success) {
  return success ? Flow::Leave : Flow::Fault;
}

// --- Control and debug registers. T is 32 or 64 bits by mode. ---

template <class T, unsigned kNumber>
Flow mov_from_cr(Cpu& cpu, const Op& op) {
  if (cpu.cpl != 0) return privileged(cpu);
  const std::uint64_t value = kNumber == 0   ? cpu.cr0
                              : kNumber == 2 ? cpu.cr2
                              : kNumber == 3 ? cpu.cr3
                              : kNumber == 4 ? cpu.cr4
                                             : read_cr8(cpu);
  cpu.set_reg<T>(op.rm, static_cast<T>(value));
  return Flow::Next;
}

template <class T, unsigned kNumber>
Flow mov_to_cr(Cpu& cpu, const Op& op) {
  if (cpu.cpl != 0) return privileged(cpu);
  const std::uint64_t value = cpu.reg<T>(op.rm);
  if constexpr (kNumber == 0) return left(write_cr0(cpu, value));
  if constexpr (kNumber == 3) return left(write_cr3(cpu, value));
  if constexpr (kNumber == 4) return left(write_cr4(cpu, value));
  if constexpr (kNumber == 2) cpu.cr2 = value;
  if constexpr (kNumber == 8) {
    if (value > 15) return privileged(cpu);
    write_cr8(cpu, value);
  }
  return Flow::Leave;
}

// What comes before any access to a debug register. [SDM 3B 17.2]
bool may_touch_debug_registers(Cpu& cpu, unsigned number) {
  if ((number == 4 || number == 5) && (cpu.cr4 & kCr4De) != 0) return refuse(cpu, Vector::InvalidOpcode, 0);
  if (cpu.cpl != 0) return refuse(cpu, Vector::GeneralProtection, 0);
  if ((cpu.dr7 & kDr7GeneralDetect) == 0) return true;
  cpu.raise(Vector::Debug, 0, kDr6GeneralDetect);
  return false;
}

template <class T>
Flow mov_from_dr(Cpu& cpu, const Op& op) {
  const unsigned number = op.extra;
  if (!may_touch_debug_registers(cpu, number)) return Flow::Fault;
  const std::uint64_t value = number < 4 ? cpu.debug_address[number] : number % 2 == 0 ? cpu.dr6 : cpu.dr7;
  cpu.set_reg<T>(op.rm, static_cast<T>(value));
  return Flow::Next;
}

template <class T>
Flow mov_to_dr(Cpu& cpu, const Op& op) {
  const unsigned number = op.extra;
  const std::uint64_t value = cpu.reg<T>(op.rm);
  if (!may_touch_debug_registers(cpu, number)) return Flow::Fault;
  if (number >= 4 && (value >> 32) != 0) return privileged(cpu);
  if (number < 4) {
    cpu.debug_address[number] = value;
  } else if (number % 2 == 0) {
    write_dr6(cpu, value);
  } else {
    write_dr7(cpu, value);
  }
  return Flow::Leave;
}

template <bool kMemory>
Flow lmsw(Cpu& cpu, const Op& op) {
  std::uint16_t value = 0;
  if (cpu.cpl != 0) return privileged(cpu);
  if constexpr (kMemory) {
    if (!load(cpu, op, value)) return Flow::Fault;
  } else {
    value = cpu.reg<std::uint16_t>(op.rm);
  }
  // It sets PE, but never clears it.
  constexpr std::uint64_t kBits = kCr0Mp | kCr0Em | kCr0Ts;
  return left(write_cr0(cpu, (cpu.cr0 & ~kBits) | (value & (kBits | kCr0Pe))));
}

// T is void for memory.
template <class T>
Flow smsw(Cpu& cpu, const Op& op) {
  if (cpu.cpl != 0 && (cpu.cr4 & kCr4Umip) != 0) return privileged(cpu);
  if constexpr (std::is_void_v<T>) {
    return store(cpu, op, static_cast<std::uint16_t>(cpu.cr0)) ? Flow::Next : Flow::Fault;
  } else {
    cpu.set_reg<T>(op.rm, static_cast<T>(cpu.cr0));
    return Flow::Next;
  }
}

Flow clts(Cpu& cpu, const Op&) {
  if (cpu.cpl != 0) return privileged(cpu);
  cpu.cr0 &= ~kCr0Ts;
  return Flow::Next;
}

// --- MSRs, time, identification. ---

void set_edx_eax(Cpu& cpu, std::uint64_t value) {
  cpu.set_reg(kRax, static_cast<std::uint32_t>(value));
  cpu.set_reg(kRdx, static_cast<std::uint32_t>(value >> 32));
}
std::uint64_t edx_eax(const Cpu& cpu) {
  return cpu.reg<std::uint32_t>(kRax) | std::uint64_t{cpu.reg<std::uint32_t>(kRdx)} << 32;
}

Flow rdmsr(Cpu& cpu, const Op&) {
  std::uint64_t value = 0;
  if (cpu.cpl != 0 || !read_msr(cpu, cpu.reg<std::uint32_t>(kRcx), value)) return privileged(cpu);
  set_edx_eax(cpu, value);
  return Flow::Next;
}
Flow wrmsr(Cpu& cpu, const Op&) {
  if (cpu.cpl != 0 || !write_msr(cpu, cpu.reg<std::uint32_t>(kRcx), edx_eax(cpu))) return privileged(cpu);
  return Flow::Leave;
}

bool may_read_time(const Cpu& cpu) {
  return cpu.cpl == 0 || (cpu.cr4 & kCr4Tsd) == 0;
}
Flow rdtsc(Cpu& cpu, const Op&) {
  if (!may_read_time(cpu)) return privileged(cpu);
  set_edx_eax(cpu, time_stamp(cpu));
  return Flow::Next;
}
Flow rdtscp(Cpu& cpu, const Op& op) {
  if (!may_read_time(cpu)) return privileged(cpu);
  cpu.set_reg(kRcx, static_cast<std::uint32_t>(cpu.tsc_aux));
  return rdtsc(cpu, op);
}
template <class T>
Flow rdpid(Cpu& cpu, const Op& op) {
  cpu.set_reg<T>(op.rm, static_cast<T>(cpu.tsc_aux));
  return Flow::Next;
}
// There are no performance counters. [SDM 2B RDPMC]
Flow rdpmc(Cpu& cpu, const Op&) {
  return privileged(cpu);
}

Flow cpuid(Cpu& cpu, const Op&) {
  const CpuidEntry leaf = cpuid_leaf(cpu, cpu.reg<std::uint32_t>(kRax), cpu.reg<std::uint32_t>(kRcx));
  cpu.set_reg(kRax, leaf.eax);
  cpu.set_reg(kRbx, leaf.ebx);
  cpu.set_reg(kRcx, leaf.ecx);
  cpu.set_reg(kRdx, leaf.edx);
  return Flow::Next;
}

Flow xgetbv(Cpu& cpu, const Op&) {
  if ((cpu.cr4 & kCr4Osxsave) == 0) return cpu.raise(Vector::InvalidOpcode);
  if (cpu.reg<std::uint32_t>(kRcx) != 0) return privileged(cpu);
  set_edx_eax(cpu, cpu.xcr0);
  return Flow::Next;
}
Flow xsetbv(Cpu& cpu, const Op&) {
  if ((cpu.cr4 & kCr4Osxsave) == 0) return cpu.raise(Vector::InvalidOpcode);
  if (cpu.cpl != 0 || cpu.reg<std::uint32_t>(kRcx) != 0) return privileged(cpu);
  return left(write_xcr0(cpu, edx_eax(cpu)));
}

// --- Halting, caches, translations. ---

Flow hlt(Cpu& cpu, const Op&) {
  if (cpu.cpl != 0) return privileged(cpu);
  cpu.activity = Activity::Halted;
  return Flow::Leave;
}

// WBINVD, INVD: there is no cache.
Flow invalidate_caches(Cpu& cpu, const Op&) {
  return cpu.cpl == 0 ? Flow::Next : privileged(cpu);
}

// The address is not accessed, so that neither limits nor canonicality matter. [SDM 2A INVLPG]
Flow invlpg(Cpu& cpu, const Op& op) {
  if (cpu.cpl != 0) return privileged(cpu);
  std::uint64_t linear = effective_address(cpu, op);
  if (!cpu.code64() || op.segment == kFs || op.segment == kGs) linear += cpu.segments[op.segment].base;
  cpu.mmu.flush_page(linear);
  return Flow::Leave;
}

// [SDM 2A INVPCID]
template <class T>
Flow invpcid(Cpu& cpu, const Op& op) {
  const std::uint64_t type = cpu.reg<T>(op.reg);
  std::uint64_t linear = 0;
  std::array<std::uint64_t, 2> descriptor{};
  if (cpu.cpl != 0) return privileged(cpu);
  if (!linear_address(cpu, op, effective_address(cpu, op), sizeof descriptor, Access::Read, linear) ||
      !cpu.mmu.read_bytes(linear, descriptor.data(), sizeof descriptor))
    return Flow::Fault;
  const bool names_context = type < 2;
  const bool has_contexts = (cpu.cr4 & kCr4Pcide) != 0;
  if (type > 3 || descriptor[0] >> 12 != 0) return privileged(cpu);
  if (names_context && descriptor[0] != 0 && !has_contexts) return privileged(cpu);
  if (type == 0 && !cpu.mmu.is_canonical(descriptor[1])) return privileged(cpu);
  switch (type) {
    case 0: cpu.mmu.flush_page(descriptor[1]); break;
    case 2: cpu.mmu.flush_all(); break;
    default: cpu.mmu.flush_non_global(); break;
  }
  return Flow::Leave;
}

// --- Flags and segment bases. ---

// Who may touch what stands for the interrupt flag. [SDM 2A CLI, 2B STI]
enum class InterruptFlag : std::uint8_t { Real, Virtual, None };
InterruptFlag interrupt_flag(const Cpu& cpu) {
  if (cpu.cpl <= cpu.iopl()) return InterruptFlag::Real;
  const std::uint64_t extension = cpu.virtual_8086() ? kCr4Vme : kCr4Pvi;
  return cpu.cpl == 3 && (cpu.cr4 & extension) != 0 ? InterruptFlag::Virtual : InterruptFlag::None;
}

Flow cli(Cpu& cpu, const Op&) {
  switch (interrupt_flag(cpu)) {
    case InterruptFlag::Real: cpu.other_flags &= ~kIf; return Flow::Next;
    case InterruptFlag::Virtual: cpu.other_flags &= ~kVif; return Flow::Next;
    default: return privileged(cpu);
  }
}

Flow sti(Cpu& cpu, const Op&) {
  switch (interrupt_flag(cpu)) {
    case InterruptFlag::Real: break;
    case InterruptFlag::Virtual:
      if ((cpu.other_flags & kVip) != 0) return privileged(cpu);
      cpu.other_flags |= kVif;
      return Flow::Next;
    default: return privileged(cpu);
  }
  if ((cpu.other_flags & kIf) != 0) return Flow::Next;
  cpu.other_flags |= kIf;
  cpu.shadow |= kShadowSti;
  cpu.derive_mode();
  cpu.interrupts_may_pass();
  return Flow::Leave;
}

template <bool kSet>
Flow access_flag(Cpu& cpu, const Op&) {
  if (cpu.cpl != 0) return cpu.raise(Vector::InvalidOpcode);
  load_flags(cpu, kSet ? kAc : 0, kAc);
  return Flow::Next;
}

Flow swapgs(Cpu& cpu, const Op&) {
  if (cpu.cpl != 0) return privileged(cpu);
  std::swap(cpu.segments[kGs].base, cpu.kernel_gs_base);
  return Flow::Next;
}

template <class T, SegmentIndex kSegment>
Flow read_segment_base(Cpu& cpu, const Op& op) {
  if ((cpu.cr4 & kCr4Fsgsbase) == 0) return cpu.raise(Vector::InvalidOpcode);
  cpu.set_reg<T>(op.rm, static_cast<T>(cpu.segments[kSegment].base));
  return Flow::Next;
}
template <class T, SegmentIndex kSegment>
Flow write_segment_base(Cpu& cpu, const Op& op) {
  if ((cpu.cr4 & kCr4Fsgsbase) == 0) return cpu.raise(Vector::InvalidOpcode);
  const std::uint64_t base = cpu.reg<T>(op.rm);
  if (!cpu.mmu.is_canonical(base)) return privileged(cpu);
  cpu.segments[kSegment].base = base;
  return Flow::Next;
}

// --- Which function. ---

template <template <class, unsigned> class Function, class T>
Handler by_number(unsigned number) {
  switch (number) {
    case 0: return Function<T, 0>::kHandler;
    case 2: return Function<T, 2>::kHandler;
    case 3: return Function<T, 3>::kHandler;
    case 4: return Function<T, 4>::kHandler;
    case 8: return Function<T, 8>::kHandler;
    default: return nullptr;
  }
}
template <class T, unsigned kNumber>
struct FromControl {
  static constexpr Handler kHandler = mov_from_cr<T, kNumber>;
};
template <class T, unsigned kNumber>
struct ToControl {
  static constexpr Handler kHandler = mov_to_cr<T, kNumber>;
};

// The number of operand n if it is one of the registers that begin with `zero`.
bool register_number(const Instruction& instruction, unsigned n, ZydisRegister zero, unsigned& number) {
  if (n >= instruction.operands.size() || instruction.operands[n].type != ZYDIS_OPERAND_TYPE_REGISTER) return false;
  number = static_cast<unsigned>(instruction.operands[n].reg.value) - static_cast<unsigned>(zero);
  return number < 16;
}

Handler select_mov(const Instruction& instruction, Op& op) {
  unsigned number = 0;
  const bool to_control = register_number(instruction, 0, ZYDIS_REGISTER_CR0, number);
  if (to_control || register_number(instruction, 1, ZYDIS_REGISTER_CR0, number)) {
    take_operands(instruction, op);
    const bool wide = instruction.bits(0) == 64;
    if (to_control)
      return wide ? by_number<ToControl, std::uint64_t>(number) : by_number<ToControl, std::uint32_t>(number);
    return wide ? by_number<FromControl, std::uint64_t>(number) : by_number<FromControl, std::uint32_t>(number);
  }
  const bool to_debug = register_number(instruction, 0, ZYDIS_REGISTER_DR0, number);
  if (!to_debug && !register_number(instruction, 1, ZYDIS_REGISTER_DR0, number)) return nullptr;
  if (number > 7) return nullptr;
  take_operands(instruction, op);
  op.extra = number;
  const bool wide = instruction.bits(0) == 64;
  if (to_debug) return wide ? mov_to_dr<std::uint64_t> : mov_to_dr<std::uint32_t>;
  return wide ? mov_from_dr<std::uint64_t> : mov_from_dr<std::uint32_t>;
}

Handler select_lmsw(const Instruction& instruction, Op& op) {
  take_operands(instruction, op);
  return instruction.operand_is_memory(0) ? lmsw<true> : lmsw<false>;
}

Handler select_smsw(const Instruction& instruction, Op& op) {
  take_operands(instruction, op);
  if (instruction.operand_is_memory(0)) return smsw<void>;
  return for_wide_size(instruction.bits(0), []<class T>() -> Handler { return smsw<T>; });
}

Handler select_invpcid(const Instruction& instruction, Op& op) {
  take_operands(instruction, op);
  return instruction.bits(0) == 64 ? invpcid<std::uint64_t> : invpcid<std::uint32_t>;
}

Handler select_rdpid(const Instruction& instruction, Op& op) {
  take_operands(instruction, op);
  return instruction.bits(0) == 64 ? rdpid<std::uint64_t> : rdpid<std::uint32_t>;
}

template <bool kWrite, SegmentIndex kSegment>
Handler select_base(const Instruction& instruction, Op& op) {
  take_operands(instruction, op);
  return for_wide_size(instruction.bits(0), []<class T>() -> Handler {
    if constexpr (kWrite) return write_segment_base<T, kSegment>;
    return read_segment_base<T, kSegment>;
  });
}

template <Handler kHandler>
Handler select_plain(const Instruction&, Op&) {
  return kHandler;
}

constexpr SelectorTable kSelectors{
    {ZYDIS_MNEMONIC_MOV, select_mov},
    {ZYDIS_MNEMONIC_LMSW, select_lmsw},
    {ZYDIS_MNEMONIC_SMSW, select_smsw},
    {ZYDIS_MNEMONIC_CLTS, select_plain<clts>},
    {ZYDIS_MNEMONIC_RDMSR, select_plain<rdmsr>},
    {ZYDIS_MNEMONIC_WRMSR, select_plain<wrmsr>},
    {ZYDIS_MNEMONIC_RDTSC, select_plain<rdtsc>},
    {ZYDIS_MNEMONIC_RDTSCP, select_plain<rdtscp>},
    {ZYDIS_MNEMONIC_RDPID, select_rdpid},
    {ZYDIS_MNEMONIC_RDPMC, select_plain<rdpmc>},
    {ZYDIS_MNEMONIC_CPUID, select_plain<cpuid>},
    {ZYDIS_MNEMONIC_XGETBV, select_plain<xgetbv>},
    {ZYDIS_MNEMONIC_XSETBV, select_plain<xsetbv>},
    {ZYDIS_MNEMONIC_HLT, select_plain<hlt>},
    {ZYDIS_MNEMONIC_INVD, select_plain<invalidate_caches>},
    {ZYDIS_MNEMONIC_WBINVD, select_plain<invalidate_caches>},
    {ZYDIS_MNEMONIC_INVLPG, select_plain<invlpg>},
    {ZYDIS_MNEMONIC_INVPCID, select_invpcid},
    {ZYDIS_MNEMONIC_CLI, select_plain<cli>},
    {ZYDIS_MNEMONIC_STI, select_plain<sti>},
    {ZYDIS_MNEMONIC_STAC, select_plain<access_flag<true>>},
    {ZYDIS_MNEMONIC_CLAC, select_plain<access_flag<false>>},
    {ZYDIS_MNEMONIC_SWAPGS, select_plain<swapgs>},
    {ZYDIS_MNEMONIC_RDFSBASE, select_base<false, kFs>},
    {ZYDIS_MNEMONIC_RDGSBASE, select_base<false, kGs>},
    {ZYDIS_MNEMONIC_WRFSBASE, select_base<true, kFs>},
    {ZYDIS_MNEMONIC_WRGSBASE, select_base<true, kGs>},
};

}  // namespace

Handler control_family(const Instruction& instruction, Op& op) {
  return kSelectors(instruction, op);
}

}  // namespace vmm::cpu::soft
