// A vCPU's state in and out of the kernel.
#include <algorithm>

#include "core/base/log.h"
#include "vmm/cpu/kvm/ioctl.h"
#include "vmm/cpu/kvm/kvm_abi.h"
#include "vmm/cpu/kvm/vcpu.h"

namespace vmm::cpu::kvm {

namespace {

constexpr std::uint32_t kMsrTscDeadline = 0x6e0;  // counts only once the local APIC is in its mode

Segment from_kvm(const kvm_segment& s) {
  Segment out;
  out.base = s.base;
  out.limit = s.limit;
  out.selector = s.selector;
  out.attributes = static_cast<std::uint32_t>(s.type | s.s << 4 | s.dpl << 5 | s.present << 7 | s.avl << 12 |
                                              s.l << 13 | s.db << 14 | s.g << 15) |
                   (s.unusable != 0 ? Segment::kUnusable : 0);
  return out;
}

kvm_segment to_kvm(const Segment& s) {
  const auto field = [&s](unsigned low, unsigned count) {
    return static_cast<std::uint8_t>(core::bits(s.attributes, low, count));
  };
  kvm_segment out{};
  out.base = s.base;
  out.limit = s.limit;
  out.selector = s.selector;
  out.type = field(0, 4);
  out.s = field(4, 1);
  out.dpl = field(5, 2);
  out.present = field(7, 1);
  out.avl = field(12, 1);
  out.l = field(13, 1);
  out.db = field(14, 1);
  out.g = field(15, 1);
  out.unusable = field(16, 1);
  return out;
}

// KVM's order of general registers against ours (encoding order).
struct GeneralRegister {
  __u64 kvm_regs::* field;
  unsigned index;
};
constexpr GeneralRegister kGeneral[] = {
    {&kvm_regs::rax, 0},  {&kvm_regs::rcx, 1},  {&kvm_regs::rdx, 2},  {&kvm_regs::rbx, 3},
    {&kvm_regs::rsp, 4},  {&kvm_regs::rbp, 5},  {&kvm_regs::rsi, 6},  {&kvm_regs::rdi, 7},
    {&kvm_regs::r8, 8},   {&kvm_regs::r9, 9},   {&kvm_regs::r10, 10}, {&kvm_regs::r11, 11},
    {&kvm_regs::r12, 12}, {&kvm_regs::r13, 13}, {&kvm_regs::r14, 14}, {&kvm_regs::r15, 15},
};

struct SegmentPair {
  kvm_segment kvm_sregs::* kvm;
  Segment CpuState::* state;
};
constexpr SegmentPair kSegments[] = {
    {&kvm_sregs::es, &CpuState::es},   {&kvm_sregs::cs, &CpuState::cs}, {&kvm_sregs::ss, &CpuState::ss},
    {&kvm_sregs::ds, &CpuState::ds},   {&kvm_sregs::fs, &CpuState::fs}, {&kvm_sregs::gs, &CpuState::gs},
    {&kvm_sregs::ldt, &CpuState::ldt}, {&kvm_sregs::tr, &CpuState::tr},
};

struct ActivityPair {
  std::uint32_t kvm;
  Activity state;
};
constexpr ActivityPair kActivities[] = {
    {KVM_MP_STATE_RUNNABLE, Activity::Running},           {KVM_MP_STATE_UNINITIALIZED, Activity::WaitForInit},
    {KVM_MP_STATE_INIT_RECEIVED, Activity::InitReceived}, {KVM_MP_STATE_HALTED, Activity::Halted},
    {KVM_MP_STATE_SIPI_RECEIVED, Activity::SipiReceived},
};

}  // namespace

void KvmVcpu::visit_state(core::StateVisitor& visitor) {
  if (const auto fetched = fetch(state_); !fetched) {
    core::log(core::LogLevel::Error, "kvm", "{}: {}", name_, fetched.error().message);
  }
  state_.visit(visitor);
}

core::Result<> KvmVcpu::state_loaded() {
  return apply(state_);
}

void KvmVcpu::reset() {
  if (const auto applied = apply(power_on_); !applied) {
    core::log(core::LogLevel::Error, "kvm", "{}: {}", name_, applied.error().message);
  }
}

core::Result<> KvmVcpu::fetch(CpuState& state) {
  state = {};
  kvm_regs regs{};
  if (auto done = checked_ioctl(fd_.get(), KVM_GET_REGS, &regs, "KVM_GET_REGS"); !done) return done;
  for (const auto& [field, index] : kGeneral)
    state.general[index] = regs.*field;
  state.rip = regs.rip;
  state.rflags = regs.rflags;
  fetch_tables(state);
  fetch_msrs(state);

  kvm_debugregs debug{};
  if (kvm_ioctl(fd_.get(), KVM_GET_DEBUGREGS, &debug) >= 0) {
    std::copy(std::begin(debug.db), std::end(debug.db), state.debug_address.begin());
    state.dr6 = debug.dr6;
    state.dr7 = debug.dr7;
  }
  state.xsave.assign(common_.xsave_bytes, 0);
  const auto get_xsave = common_.has_xsave2 ? kGetXsave2 : kGetXsave;
  if (auto done = checked_ioctl(fd_.get(), get_xsave, state.xsave.data(), "KVM_GET_XSAVE"); !done) return done;
  kvm_xcrs xcrs{};
  if (common_.has_xcrs && kvm_ioctl(fd_.get(), KVM_GET_XCRS, &xcrs) >= 0 && xcrs.nr_xcrs > 0) {
    state.xcr0 = xcrs.xcrs[0].value;
  }
  kvm_lapic_state apic{};
  if (auto done = checked_ioctl(fd_.get(), KVM_GET_LAPIC, &apic, "KVM_GET_LAPIC"); !done) return done;
  std::memcpy(state.local_apic.data(), apic.regs, sizeof apic.regs);
  fetch_events(state);
  return {};
}

void KvmVcpu::fetch_tables(CpuState& state) const {
  kvm_sregs sregs{};
  kvm_ioctl(fd_.get(), KVM_GET_SREGS, &sregs);
  for (const auto& [kvm, ours] : kSegments)
    state.*ours = from_kvm(sregs.*kvm);
  state.gdt = {sregs.gdt.base, sregs.gdt.limit};
  state.idt = {sregs.idt.base, sregs.idt.limit};
  state.cr0 = sregs.cr0;
  state.cr2 = sregs.cr2;
  state.cr3 = sregs.cr3;
  state.cr4 = sregs.cr4;
  state.cr8 = sregs.cr8;
  state.efer = sregs.efer;
  state.apic_base = sregs.apic_base;
}

// One call for all; where it stops, that MSR is not readable here and is left out.
void KvmVcpu::fetch_msrs(CpuState& state) const {
  std::span<const std::uint32_t> rest(common_.msr_indices);
  while (!rest.empty()) {
    MsrList list(rest.size());
    for (std::size_t i = 0; i < rest.size(); ++i)
      list.elements()[i].index = rest[i];
    const int answer = kvm_ioctl(fd_.get(), kGetMsrs, list.head());
    if (answer < 0) return;
    const auto read = std::min(static_cast<std::size_t>(answer), rest.size());
    for (const auto& entry : list.elements().first(read))
      state.msrs.push_back({entry.index, entry.data});
    rest = rest.subspan(std::min(read + 1, rest.size()));
  }
}

void KvmVcpu::fetch_events(CpuState& state) const {
  kvm_mp_state activity{};
  kvm_ioctl(fd_.get(), KVM_GET_MP_STATE, &activity);
  const auto* known = std::ranges::find(kActivities, activity.mp_state, &ActivityPair::kvm);
  if (known != std::end(kActivities)) state.activity = known->state;

  kvm_vcpu_events events{};
  kvm_ioctl(fd_.get(), KVM_GET_VCPU_EVENTS, &events);
  auto& out = state.events;
  out.exception_injected = events.exception.injected != 0;
  out.exception_pending = events.exception.pending != 0;
  out.exception_has_error_code = events.exception.has_error_code != 0;
  out.exception_vector = events.exception.nr;
  out.exception_error_code = events.exception.error_code;
  out.interrupt_injected = events.interrupt.injected != 0;
  out.interrupt_soft = events.interrupt.soft != 0;
  out.interrupt_vector = events.interrupt.nr;
  out.interrupt_shadow = events.interrupt.shadow;
  out.nmi_injected = events.nmi.injected != 0;
  out.nmi_pending = events.nmi.pending != 0;
  out.nmi_masked = events.nmi.masked != 0;
  out.sipi_vector = events.sipi_vector;
  if (ext_int_in_flight_ && !out.interrupt_injected && out.interrupt_shadow == 0) {
    out.ext_int_acknowledged = true;
    out.ext_int_vector = *ext_int_in_flight_;
  }
}

core::Result<> KvmVcpu::apply(const CpuState& state) {
  // What the last run said of interrupts was about another state.
  run_->ready_for_interrupt_injection = 0;
  run_->if_flag = 0;
  ext_int_in_flight_.reset();
  ext_int_wanted_ = true;
  if (auto done = apply_tables(state); !done) return done;
  kvm_xcrs xcrs{};
  xcrs.nr_xcrs = 1;
  xcrs.xcrs[0].value = state.xcr0;
  if (common_.has_xcrs) {
    if (auto done = checked_ioctl(fd_.get(), KVM_SET_XCRS, &xcrs, "KVM_SET_XCRS"); !done) return done;
  }
  if (auto done = apply_xsave(state); !done) return done;

  std::vector<Msr> early;
  std::vector<Msr> late;
  for (const auto& msr : state.msrs)
    (msr.index == kMsrTscDeadline ? late : early).push_back(msr);
  apply_msrs(early);
  if (auto done = apply_local_apic(state); !done) return done;
  apply_msrs(late);

  kvm_debugregs debug{};
  std::ranges::copy(state.debug_address, std::begin(debug.db));
  debug.dr6 = state.dr6;
  debug.dr7 = state.dr7;
  if (auto done = checked_ioctl(fd_.get(), KVM_SET_DEBUGREGS, &debug, "KVM_SET_DEBUGREGS"); !done) return done;
  kvm_regs regs{};
  for (const auto& [field, index] : kGeneral)
    regs.*field = state.general[index];
  regs.rip = state.rip;
  regs.rflags = state.rflags;
  if (auto done = checked_ioctl(fd_.get(), KVM_SET_REGS, &regs, "KVM_SET_REGS"); !done) return done;
  return apply_events(state);
}

core::Result<> KvmVcpu::apply_tables(const CpuState& state) const {
  kvm_sregs sregs{};
  for (const auto& [kvm, ours] : kSegments)
    sregs.*kvm = to_kvm(state.*ours);
  sregs.gdt.base = state.gdt.base;
  sregs.gdt.limit = state.gdt.limit;
  sregs.idt.base = state.idt.base;
  sregs.idt.limit = state.idt.limit;
  sregs.cr0 = state.cr0;
  sregs.cr2 = state.cr2;
  sregs.cr3 = state.cr3;
  sregs.cr4 = state.cr4;
  sregs.cr8 = state.cr8;
  sregs.efer = state.efer;
  sregs.apic_base = state.apic_base;
  return checked_ioctl(fd_.get(), KVM_SET_SREGS, &sregs, "KVM_SET_SREGS");
}

core::Result<> KvmVcpu::apply_xsave(const CpuState& state) const {
  if (state.xsave.size() > common_.xsave_bytes) {
    return core::fail("the saved vector registers need {} bytes, this host's KVM has {}", state.xsave.size(),
                      common_.xsave_bytes);
  }
  auto image = state.xsave;
  image.resize(common_.xsave_bytes);
  return checked_ioctl(fd_.get(), kSetXsave, image.data(), "KVM_SET_XSAVE");
}

core::Result<> KvmVcpu::apply_local_apic(const CpuState& state) const {
  kvm_lapic_state apic{};
  std::memcpy(apic.regs, state.local_apic.data(), sizeof apic.regs);
  return checked_ioctl(fd_.get(), KVM_SET_LAPIC, &apic, "KVM_SET_LAPIC");
}

// One that this host refuses is left as it is: hosts differ, and a guest that depends on it would not have run here.
void KvmVcpu::apply_msrs(std::span<const Msr> msrs) const {
  while (!msrs.empty()) {
    MsrList list(msrs.size());
    for (std::size_t i = 0; i < msrs.size(); ++i) {
      list.elements()[i].index = msrs[i].index;
      list.elements()[i].data = msrs[i].value;
    }
    const int answer = kvm_ioctl(fd_.get(), kSetMsrs, list.head());
    if (answer < 0) return;
    const auto written = static_cast<std::size_t>(answer);
    if (written >= msrs.size()) return;
    core::log(core::LogLevel::Debug, "kvm", "{}: MSR {:#x} not set", name_, msrs[written].index);
    msrs = msrs.subspan(written + 1);
  }
}

core::Result<> KvmVcpu::apply_events(const CpuState& state) {
  const auto* known = std::ranges::find(kActivities, state.activity, &ActivityPair::state);
  if (known == std::end(kActivities)) return core::fail("the saved activity state is unknown");
  kvm_mp_state activity{known->kvm};
  if (auto done = checked_ioctl(fd_.get(), KVM_SET_MP_STATE, &activity, "KVM_SET_MP_STATE"); !done) return done;

  const auto& in = state.events;
  kvm_vcpu_events events{};
  events.flags = KVM_VCPUEVENT_VALID_NMI_PENDING | KVM_VCPUEVENT_VALID_SIPI_VECTOR | KVM_VCPUEVENT_VALID_SHADOW;
  events.exception.injected = in.exception_injected || in.exception_pending;
  events.exception.has_error_code = in.exception_has_error_code;
  events.exception.nr = in.exception_vector;
  events.exception.error_code = in.exception_error_code;
  events.interrupt.injected = in.interrupt_injected;
  events.interrupt.soft = in.interrupt_soft;
  events.interrupt.nr = in.interrupt_vector;
  events.interrupt.shadow = in.interrupt_shadow;
  events.nmi.injected = in.nmi_injected;
  events.nmi.pending = in.nmi_pending;
  events.nmi.masked = in.nmi_masked;
  events.sipi_vector = in.sipi_vector;
  if (auto done = checked_ioctl(fd_.get(), KVM_SET_VCPU_EVENTS, &events, "KVM_SET_VCPU_EVENTS"); !done) return done;

  if (in.ext_int_acknowledged) {
    kvm_interrupt interrupt{in.ext_int_vector};
    // Already there if this is the CPU it was saved from.
    if (kvm_ioctl(fd_.get(), KVM_INTERRUPT, &interrupt) < 0 && errno != EEXIST) {
      return core::fail("KVM refused KVM_INTERRUPT: {}", core::errno_text());
    }
    ext_int_in_flight_ = in.ext_int_vector;
  }
  return {};
}

}  // namespace vmm::cpu::kvm
