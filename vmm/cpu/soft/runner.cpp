#include "vmm/cpu/soft/runner.h"

#include <algorithm>
#include <utility>

#include "vmm/cpu/soft/executor.h"

namespace vmm::cpu::soft {

Runner::Runner(const AcceleratorWiring& wiring)
    : wiring_(wiring), physical_(wiring.mmio), follower_(wiring.ram_map, physical_, mail_) {}

void Runner::add_cpu(const CpuFeatures& features, std::vector<CpuidEntry> cpuid) {
  const auto index = static_cast<unsigned>(vcpus_.size());
  vcpus_.push_back(std::make_unique<SoftVcpu>(index, *this, features, std::move(cpuid)));
  mail_.add_cpu(vcpus_.back()->cpu());
}

void Runner::set_a20(bool open) {
  physical_.set_a20(open);
  for (const auto& vcpu : vcpus_)
    vcpu->cpu().mmu.flush_all();
}

void Runner::drop_writes(const std::uint8_t* host_page) {
  for (const auto& vcpu : vcpus_)
    vcpu->cpu().mmu.drop_writes(host_page);
}

// Blocks are by host page and stay: a page that comes back has them still.
void Runner::follow_map() {
  if (!physical_.stale()) return;
  physical_.refresh();
  for (const auto& vcpu : vcpus_)
    vcpu->cpu().mmu.flush_all();
}

void Runner::settle() {
  follow_map();
  if (mail_.take_drop_writes()) {
    for (const auto& vcpu : vcpus_)
      vcpu->cpu().mmu.drop_all_writes();
  }
  mail_.take_messages(messages_);
  for (const core::MsiMessage& message : messages_)
    route(decode_msi(message.address, message.data));
  if (mail_.take_ext_int() && !vcpus_.empty()) vcpus_.front()->look_at_ext_int();
  for (const auto& vcpu : vcpus_)
    vcpu->take_processor_events();
}

std::uint64_t Runner::advance_timers(std::uint64_t now) {
  std::uint64_t earliest = LocalApic::kNever;
  for (const auto& vcpu : vcpus_) {
    vcpu->apic().advance(now);
    earliest = std::min(earliest, vcpu->apic().deadline());
  }
  return earliest;
}

RunExit Runner::run() {
  settle();
  for (const auto& vcpu : vcpus_)
    vcpu->prepare();
  while (true) {
    mail_.attend();
    settle();
    if (mail_.take_kick()) return {};
    const std::uint64_t now = time_.now();
    const std::uint64_t deadline = advance_timers(now);
    SoftVcpu* next = nullptr;
    for (std::size_t i = 0; i < vcpus_.size() && next == nullptr; ++i) {
      SoftVcpu& candidate = *vcpus_[turn_];
      turn_ = (turn_ + 1) % vcpus_.size();
      if (!candidate.take_interrupts()) return {ExitReason::Reset, candidate.report("triple fault")};
      if (candidate.runs()) next = &candidate;
    }
    if (next == nullptr) {
      if (deadline == LocalApic::kNever) {
        mail_.sleep(std::nullopt);
      } else {
        mail_.sleep(time_.host_time(deadline));
      }
      continue;
    }
    if (execute(next->cpu(), blocks_, CpuTime::budget(now, deadline)) == Stop::Shutdown)
      return {ExitReason::Reset, next->report("triple fault")};
  }
}

// --- Interrupts between CPUs, and from devices. [SDM 3A 11.6, 11.11] ---

void Runner::send(const ApicMessage& message, unsigned from) {
  switch (message.shorthand) {
    case Shorthand::None: return route(message);
    case Shorthand::Self: return vcpus_[from]->apic().receive(message);
    case Shorthand::All:
    case Shorthand::Others:
      for (const auto& vcpu : vcpus_) {
        if (vcpu->index() != from || message.shorthand == Shorthand::All) vcpu->apic().receive(message);
      }
  }
}

void Runner::route(const ApicMessage& message) {
  if (message.mode == DeliveryMode::LowestPriority) return deliver_lowest_priority(message);
  for (const auto& vcpu : vcpus_) {
    if (vcpu->apic().is_enabled() && vcpu->apic().is_destination(message)) vcpu->apic().receive(message);
  }
}

// [SDM 3A 11.6.2.4] Among equals they take turns.
void Runner::deliver_lowest_priority(const ApicMessage& message) {
  SoftVcpu* best = nullptr;
  for (std::size_t i = 1; i <= vcpus_.size(); ++i) {
    SoftVcpu& vcpu = *vcpus_[(chosen_ + i) % vcpus_.size()];
    if (!vcpu.apic().takes_fixed() || !vcpu.apic().is_destination(message)) continue;
    if (best == nullptr || vcpu.apic().priority() < best->apic().priority()) best = &vcpu;
  }
  if (best == nullptr) return;
  chosen_ = best->index();
  best->apic().receive(message);
}

}  // namespace vmm::cpu::soft
