#include "vmm/cpu/soft/runner.h"

#include <algorithm>
#include <utility>

namespace vmm::cpu::soft {

namespace {

// What a CPU runs while others wait: short against what guests wait for each other, long against the change.
constexpr std::uint64_t kTurn = 20'000;

}  // namespace

Runner::Runner(const AcceleratorWiring& wiring, const std::optional<InstructionTime::Config>& time)
    : wiring_(wiring), physical_(wiring.mmio), follower_(wiring.ram_map, physical_, mail_) {
  if (time) {
    time_ = std::make_unique<InstructionTime>(*time, mail_);
    random_.emplace();
  } else {
    time_ = std::make_unique<RealCpuTime>();
  }
}

bool Runner::random(std::uint64_t& value) {
  if (!random_) return Platform::random(value);
  value = (*random_)();
  return true;
}

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

void Runner::hold() {
  is_held_ = true;
  mail_.ring();
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

// Answers when something is due next.
std::uint64_t Runner::advance_timers() {
  const std::uint64_t now = time_->now();
  std::uint64_t earliest = LocalApic::kNever;
  for (const auto& vcpu : vcpus_) {
    vcpu->apic().advance(now);
    earliest = std::min(earliest, vcpu->apic().deadline());
  }
  return time_->fire_due(earliest);
}

// A turn goes on, whoever had a look in between; it ends with its instructions, or when its CPU waits.
Runner::Choice Runner::choose() {
  const std::size_t present = turn_;
  for (std::size_t i = 0; i <= vcpus_.size(); ++i) {
    if (turn_left_ != 0) {
      SoftVcpu& vcpu = *vcpus_[turn_];
      if (!vcpu.take_interrupts()) return Choice::Shutdown;
      if (vcpu.runs()) return Choice::Runs;
    }
    turn_ = (turn_ + 1) % vcpus_.size();
    turn_left_ = kTurn;
  }
  turn_ = present;  // however often somebody looks while all wait
  turn_left_ = 0;
  return Choice::NoneRuns;
}

Stop Runner::run_slice(SoftVcpu& vcpu, std::uint64_t deadline) {
  Cpu& cpu = vcpu.cpu();
  const std::uint64_t retired = cpu.retired;
  time_->slice_begins(cpu);
  const Stop stop = execute(cpu, blocks_, std::min(turn_left_, time_->budget(deadline)));
  time_->slice_ends();
  turn_left_ = stop == Stop::Yield ? 0 : turn_left_ - (cpu.retired - retired);
  return stop;
}

RunExit Runner::run() {
  settle();
  for (const auto& vcpu : vcpus_)
    vcpu->prepare();
  while (true) {
    mail_.attend();
    settle();
    if (std::exchange(is_held_, false)) return {ExitReason::Held, {}};
    if (mail_.take_kick()) return {};
    const std::uint64_t deadline = advance_timers();
    settle();
    Stop stop = Stop::Shutdown;
    switch (choose()) {
      case Choice::NoneRuns: time_->idle(mail_, deadline); continue;
      case Choice::Runs: stop = run_slice(*vcpus_[turn_], deadline); break;
      case Choice::Shutdown: break;
    }
    if (stop == Stop::Shutdown) return {ExitReason::Reset, vcpus_[turn_]->report("triple fault")};
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
