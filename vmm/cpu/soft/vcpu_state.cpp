// A CPU as it is saved, and back. What a saved state says is checked as if a guest had written it.
#include <algorithm>

#include "core/base/log.h"
#include "vmm/cpu/soft/control_registers.h"
#include "vmm/cpu/soft/descriptors.h"
#include "vmm/cpu/soft/local_apic_abi.h"
#include "vmm/cpu/soft/msrs.h"
#include "vmm/cpu/soft/system_flags.h"
#include "vmm/cpu/soft/vcpu.h"
#include "vmm/cpu/soft/xsave_image.h"

namespace vmm::cpu::soft {

namespace {

constexpr std::uint32_t kMsrEfer = 0xc000'0080;
constexpr std::uint64_t kCr0Bits =
    kCr0Pe | kCr0Mp | kCr0Em | kCr0Ts | kCr0Et | kCr0Ne | kCr0Wp | kCr0Am | kCr0Nw | kCr0Cd | kCr0Pg;

struct SegmentPair {
  SegmentIndex index;
  Segment CpuState::* state;
};
constexpr SegmentPair kSegments[] = {{kEs, &CpuState::es}, {kCs, &CpuState::cs}, {kSs, &CpuState::ss},
                                     {kDs, &CpuState::ds}, {kFs, &CpuState::fs}, {kGs, &CpuState::gs}};

void load_segment(SegmentRegister& segment, const Segment& saved, bool protection) {
  static_cast<Segment&>(segment) = saved;
  segment.derive(protection);
}

// Control registers, as far as they go together. [SDM 3A 2.5, 4.1.1]
core::Result<> load_modes(Cpu& cpu, const CpuState& state) {
  cpu.cr0 = cpu.cr4 = cpu.cr3 = cpu.efer = 0;
  cpu.page_directory_pointers = {};  // until memory is there to load them from; none if they are not valid
  if ((state.cr0 & ~kCr0Bits) != 0 || ((state.cr0 & kCr0Pg) != 0 && (state.cr0 & kCr0Pe) == 0))
    return core::fail("the saved CR0 {:#x} is none that a CPU can have", state.cr0);
  if (!write_msr(cpu, kMsrEfer, state.efer & ~kEferLma))
    return core::fail("the saved EFER {:#x} has bits that this CPU model has not", state.efer);
  const bool long_mode = (state.cr0 & kCr0Pg) != 0 && (state.efer & kEferLme) != 0;
  if (long_mode != ((state.efer & kEferLma) != 0) || (long_mode && (state.cr4 & kCr4Pae) == 0))
    return core::fail("the saved CR0 {:#x}, CR4 {:#x} and EFER {:#x} do not go together", state.cr0, state.cr4,
                      state.efer);
  // [SDM 3C 27.3.1.4]
  if ((state.rflags & kVm) != 0 && (long_mode || (state.cr0 & kCr0Pe) == 0))
    return core::fail("the saved RFLAGS {:#x} ask for virtual-8086 mode where there is none", state.rflags);
  if (long_mode) cpu.efer |= kEferLma;  // before CR4, whose process identifiers need it
  if (!write_cr4(cpu, state.cr4))
    return core::fail("the saved CR4 {:#x} has bits that this CPU model has not", state.cr4);
  cpu.cr0 = state.cr0 | kCr0Et;
  cpu.cr2 = state.cr2;
  cpu.cr3 = state.cr3;
  if (!write_xcr0(cpu, state.xcr0))
    return core::fail("the saved XCR0 {:#x} has registers that this CPU model has not", state.xcr0);
  return {};
}

void set_stack_privilege(Segment& stack, std::uint8_t cpl) {
  stack.attributes = (stack.attributes & ~Segment::kPrivilege) | std::uint32_t{cpl} << kAttributeDplShift;
}

void load_segments(Cpu& cpu, const CpuState& state) {
  const bool virtual_8086 = (state.rflags & kVm) != 0;
  const bool protection = cpu.protected_mode() && !virtual_8086;
  for (const auto& [index, saved] : kSegments)
    load_segment(cpu.segments[index], state.*saved, protection);
  load_segment(cpu.ldt, state.ldt, protection);
  load_segment(cpu.tr, state.tr, protection);
  cpu.gdt = state.gdt;
  cpu.idt = state.idt;
  // [SDM 3C 27.3.1.2] In real mode it is 0, and what a guest finds when it leaves that mode.
  if (!cpu.protected_mode()) set_stack_privilege(cpu.segments[kSs], 0);
  // The stack segment knows the privilege, but for a null selector in 64-bit mode, where the code segment's does.
  const Segment& stack = state.ss;
  const bool stack_tells = (stack.attributes & Segment::kUnusable) == 0;
  cpu.cpl = virtual_8086  ? 3
            : !protection ? 0
                          : static_cast<std::uint8_t>(stack_tells ? stack.attributes >> 5 & 3 : state.cs.selector & 3);
  // [SDM 3C 27.3.1.2] The DPL of SS is the CPL even then.
  if (protection && !stack_tells) set_stack_privilege(cpu.segments[kSs], cpu.cpl);
}

void load_events(Cpu& cpu, const CpuState& state) {
  const PendingEvents& events = state.events;
  cpu.fault = {};
  cpu.debug_hits = 0;
  cpu.init_pending = false;
  cpu.interrupt_waits = false;
  cpu.shadow = events.interrupt_shadow & (kShadowMovSs | kShadowSti);
  cpu.nmi_pending = events.nmi_pending;
  cpu.nmi_masked = events.nmi_masked;
  cpu.activity = state.activity;
}

std::uint64_t saved_tsc_deadline(const CpuState& state) {
  const auto found = std::ranges::find(state.msrs, apic::kMsrTscDeadline, &Msr::index);
  return found == state.msrs.end() ? 0 : found->value;
}

}  // namespace

CpuState save_cpu(Cpu& cpu) {
  CpuState state;
  std::ranges::copy_n(cpu.general.begin(), static_cast<std::ptrdiff_t>(state.general.size()), state.general.begin());
  state.rip = cpu.rip;
  state.rflags = cpu.rflags();
  for (const auto& [index, saved] : kSegments)
    state.*saved = cpu.segments[index];
  state.ldt = cpu.ldt;
  state.tr = cpu.tr;
  state.gdt = cpu.gdt;
  state.idt = cpu.idt;
  state.cr0 = cpu.cr0;
  state.cr2 = cpu.cr2;
  state.cr3 = cpu.cr3;
  state.cr4 = cpu.cr4;
  state.cr8 = cpu.apic->tpr() >> 4;
  state.efer = cpu.efer;
  state.apic_base = cpu.apic->base();
  state.xcr0 = cpu.xcr0;
  state.debug_address = cpu.debug_address;
  state.dr6 = cpu.dr6;
  state.dr7 = cpu.dr7;
  state.activity = cpu.activity;
  state.events.interrupt_shadow = cpu.shadow;
  state.events.nmi_pending = cpu.nmi_pending;
  state.events.nmi_masked = cpu.nmi_masked;
  cpu.apic->save_page(state.local_apic);
  state.xsave = save_xsave_image(cpu);
  for (const std::uint32_t index : saved_msrs()) {
    Msr msr{index, 0};
    if (read_msr(cpu, index, msr.value)) state.msrs.push_back(msr);
  }
  state.msrs.push_back({apic::kMsrTscDeadline, cpu.apic->tsc_deadline()});
  return state;
}

core::Result<> load_cpu(Cpu& cpu, const CpuState& state) {
  if (state.activity > Activity::SipiReceived) return core::fail("the saved activity state is unknown");
  if (auto loaded = load_modes(cpu, state); !loaded) return loaded;
  std::ranges::copy(state.general, cpu.general.begin());
  cpu.rip = state.rip;
  cpu.set_rflags(static_cast<std::uint32_t>(state.rflags) & kFlagsThatExist);
  load_events(cpu, state);
  load_segments(cpu, state);
  cpu.debug_address = state.debug_address;
  write_dr6(cpu, state.dr6);
  write_dr7(cpu, state.dr7);
  cpu.derive_mode();
  cpu.mmu.privilege_changed();
  cpu.mmu.flush_all();
  if (auto loaded = load_xsave_image(cpu, state.xsave); !loaded) return loaded;
  // One that this CPU has not is left out: the same as KVM does with another host's.
  for (const Msr& msr : state.msrs) {
    if (msr.index == apic::kMsrTscDeadline || load_msr(cpu, msr.index, msr.value)) continue;
    core::log(core::LogLevel::Debug, "cpu", "cpu{}: MSR {:#x} not set", cpu.index, msr.index);
  }
  return cpu.apic->load(state.apic_base, state.local_apic, saved_tsc_deadline(state));
}

}  // namespace vmm::cpu::soft
