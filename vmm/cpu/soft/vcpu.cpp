#include "vmm/cpu/soft/vcpu.h"

#include <fmt/format.h>
#include <utility>

#include "core/base/log.h"
#include "vmm/cpu/soft/exceptions.h"

namespace vmm::cpu::soft {

namespace {

constexpr std::uint32_t kMsrTsc = 0x10;
constexpr std::uint64_t kCacheControls = kCr0Cd | kCr0Nw;
constexpr std::size_t kLongestInstruction = 15;  // [SDM 2A 2.3.11]

bool has_carried(const PendingEvents& events) {
  return events.exception_injected || events.exception_pending || events.interrupt_injected || events.nmi_injected ||
         events.ext_int_acknowledged;
}

std::unique_ptr<Cpu> make_cpu(unsigned index) {
  auto cpu = std::make_unique<Cpu>();
  cpu->index = index;
  return cpu;
}

const char* mode_of(const Cpu& cpu) {
  if (!cpu.protected_mode()) return "real mode";
  if (cpu.virtual_8086()) return "virtual 8086 mode";
  if (cpu.long_mode()) return cpu.code64() ? "64-bit mode" : "compatibility mode";
  return (cpu.cr0 & kCr0Pg) != 0 ? "protected mode with paging" : "protected mode";
}

}  // namespace

SoftVcpu::SoftVcpu(unsigned index, Owner& owner, const CpuFeatures& features, std::vector<CpuidEntry> cpuid)
    : cpu_(make_cpu(index)),
      apic_(*cpu_, owner),
      owner_(owner),
      name_(fmt::format("cpu{}", index)),
      cpuid_(std::move(cpuid)) {
  cpu_->apic = &apic_;
  cpu_->features = &features;
  cpu_->cpuid = &cpuid_;
  cpu_->platform = &owner;
  power_on_ = save_cpu(*cpu_);
  // [SDM 3A table 9-1]
  for (Segment* segment : {&power_on_.es, &power_on_.ss, &power_on_.ds, &power_on_.fs, &power_on_.gs})
    *segment = {0, 0xffff, 0, 0x93};
  power_on_.cs = {0xffff'0000, 0xffff, 0xf000, 0x9b};
  power_on_.ldt = {0, 0xffff, 0, 0x82};
  power_on_.tr = {0, 0xffff, 0, 0x8b};
  power_on_.gdt = power_on_.idt = {0, 0xffff};
  for (const CpuidEntry& leaf : cpuid_) {
    if (leaf.function == 1) power_on_.general[2] = leaf.eax;
  }
  if (index != 0) power_on_.activity = Activity::WaitForInit;
  for (Msr& msr : power_on_.msrs) {
    if (msr.index == kMsrTsc) msr.value = 0;
  }
  restore_power_on();
}

void SoftVcpu::reset() {
  owner_.settle();
  restore_power_on();
}

void SoftVcpu::restore_power_on() {
  if (const auto applied = apply(power_on_); !applied)
    core::log(core::LogLevel::Error, "cpu", "{}: {}", name_, applied.error().message);
}

core::Result<> SoftVcpu::apply(const CpuState& state) {
  is_fresh_ = true;
  carried_ = {};
  ext_int_wanted_ = index() == 0;
  auto loaded = load_cpu(*cpu_, state);
  if (!loaded) return loaded;
  if (has_carried(state.events)) carried_ = state.events;
  if (state.activity == Activity::SipiReceived) start_at(static_cast<std::uint8_t>(state.events.sipi_vector));
  return {};
}

void SoftVcpu::visit_state(core::StateVisitor& visitor) {
  owner_.settle();
  state_ = save_cpu(*cpu_);
  if (has_carried(carried_)) {
    const PendingEvents now = std::exchange(state_.events, carried_);
    state_.events.nmi_pending = now.nmi_pending;
  }
  state_.visit(visitor);
}

core::Result<> SoftVcpu::state_loaded() {
  return apply(state_);
}

std::string SoftVcpu::describe() {
  return save_cpu(*cpu_).describe();
}

void SoftVcpu::prepare() {
  if (!std::exchange(is_fresh_, false)) return;
  cpu_->mmu.flush_all();
  const bool pae = (cpu_->cr0 & kCr0Pg) != 0 && (cpu_->cr4 & kCr4Pae) != 0 && !cpu_->long_mode();
  if (pae && !cpu_->mmu.load_page_directory_pointers(cpu_->cr3))
    core::log(core::LogLevel::Warn, "cpu", "{}: the loaded page directory pointers are not valid", name_);
}

void SoftVcpu::take_processor_events() {
  const auto start_up = apic_.take_start_up();  // later than an INIT that is pending too, which forgets earlier ones
  if (std::exchange(cpu_->init_pending, false)) initialize();
  if (start_up && cpu_->activity == Activity::InitReceived) start_at(*start_up);
}

// [SDM 3A table 9-1, INIT] FPU, MSRs and time stamp counter stay.
void SoftVcpu::initialize() {
  const CpuState before = save_cpu(*cpu_);
  apic_.initialize();
  CpuState after = power_on_;
  after.cr0 = (after.cr0 & ~kCacheControls) | (before.cr0 & kCacheControls);
  after.xsave = before.xsave;
  after.xcr0 = before.xcr0;
  after.msrs.clear();
  after.apic_base = apic_.base();
  apic_.save_page(after.local_apic);
  after.activity = index() == 0 ? Activity::Running : Activity::InitReceived;
  if (const auto applied = apply(after); !applied)
    core::log(core::LogLevel::Error, "cpu", "{}: {}", name_, applied.error().message);
  prepare();
}

void SoftVcpu::start_at(std::uint8_t vector) {
  SegmentRegister& code = cpu_->segments[kCs];
  code.selector = static_cast<std::uint16_t>(vector << 8);
  code.base = std::uint64_t{vector} << 12;
  cpu_->rip = 0;
  cpu_->activity = Activity::Running;
}

bool SoftVcpu::deliver(std::uint8_t vector) {
  return deliver_event(*cpu_, {EventKind::External, vector}, cpu_->rip);
}

bool SoftVcpu::deliver_carried() {
  const PendingEvents events = std::exchange(carried_, {});
  if (events.exception_injected || events.exception_pending) {
    return deliver_event(
        *cpu_,
        {EventKind::Exception, events.exception_vector, events.exception_has_error_code, events.exception_error_code},
        cpu_->rip);
  }
  if (events.nmi_injected)
    return deliver_event(*cpu_, {EventKind::Nmi, static_cast<std::uint8_t>(Vector::Nmi)}, cpu_->rip);
  if (events.interrupt_injected) {
    const auto kind = events.interrupt_soft ? EventKind::Software : EventKind::External;
    return deliver_event(*cpu_, {kind, events.interrupt_vector}, cpu_->rip);
  }
  return deliver(events.ext_int_vector);
}

// [SDM 3A table 6-2] NMI goes before interrupts.
bool SoftVcpu::take_interrupts() {
  Cpu& cpu = *cpu_;
  if (cpu.activity != Activity::Running && cpu.activity != Activity::Halted) return true;
  if (has_carried(carried_)) return deliver_carried();
  cpu.interrupt_waits = false;
  if (ext_int_wanted_ && !owner_.ext_int_source().pending()) ext_int_wanted_ = false;
  const bool ext_int = ext_int_wanted_ && apic_.passes_ext_int();
  const bool nmi = cpu.nmi_pending && !cpu.nmi_masked;
  if (!nmi && !ext_int && !apic_.has_interrupt()) return true;
  if (cpu.shadow != 0) {
    cpu.attention.store(1, std::memory_order_relaxed);  // after the next instruction
    return true;
  }
  if (nmi) {
    cpu.nmi_pending = false;
    // What else waits is looked at before the handler's first instruction.
    cpu.attention.store(1, std::memory_order_relaxed);
    return deliver_event(cpu, {EventKind::Nmi, static_cast<std::uint8_t>(Vector::Nmi)}, cpu.rip);
  }
  if ((cpu.other_flags & kIf) == 0) {
    cpu.interrupt_waits = true;
    return true;
  }
  if (ext_int) return deliver(owner_.ext_int_source().acknowledge());
  const auto vector = apic_.take();
  return !vector || deliver(*vector);
}

std::string SoftVcpu::code_bytes() {
  const Fault fault = cpu_->fault;
  const std::uint64_t linear = cpu_->segments[kCs].base + cpu_->rip;
  std::uint64_t page = 0;
  const bool mapped = cpu_->mmu.fetch_page(linear, page);
  cpu_->fault = fault;
  if (!mapped) return " (not mapped)";
  const HostPage host = owner_.physical().find(page);
  if (host.bytes == nullptr) return fmt::format(" (at {:#x}, which is no memory)", page);
  std::string text;
  for (std::size_t at = linear % core::kPageSize, i = 0; at < core::kPageSize && i < kLongestInstruction; ++at, ++i)
    text += fmt::format(" {:02x}", host.bytes[at]);
  return text;
}

std::string SoftVcpu::report(std::string_view what) {
  return fmt::format("CPU {} stopped in {}: {}\ncode at rip:{}\n{}", index(), mode_of(*cpu_), what, code_bytes(),
                     describe());
}

}  // namespace vmm::cpu::soft
