#include "vmm/cpu/soft/cpu_time.h"

namespace vmm::cpu::soft {

namespace {

using HostClock = std::chrono::steady_clock;

constexpr std::uint64_t kHour_ns = std::uint64_t{3600} * 1'000'000'000;  // to look early does no harm

HostClock::time_point host_after(std::uint64_t ns) {
  return HostClock::now() + std::chrono::nanoseconds(std::min(ns, kHour_ns));
}

std::uint64_t ns_between(HostClock::time_point earlier, HostClock::time_point later) {
  if (later <= earlier) return 0;
  return static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::nanoseconds>(later - earlier).count());
}

core::GuestTime guest_time(std::uint64_t ns) {
  return core::GuestTime(static_cast<core::GuestTime::rep>(ns));
}

}  // namespace

// --- of the host -----------------------------------------------------------------------------------------------------

void RealCpuTime::start() {
  started_ = HostClock::now();
  runs_ = true;
}

void RealCpuTime::stop() {
  before_ = now();
  runs_ = false;
}

std::uint64_t RealCpuTime::now() const {
  return runs_ ? before_ + ns_between(started_, HostClock::now()) : before_;
}

std::uint64_t RealCpuTime::budget(std::uint64_t deadline) const {
  constexpr std::uint64_t kShortest = 1'000, kLongest = 20'000;
  constexpr std::uint64_t kAssumed_ns = 20;  // an instruction takes about that, or less
  const std::uint64_t present = now();
  return deadline <= present ? kShortest : std::clamp((deadline - present) / kAssumed_ns, kShortest, kLongest);
}

void RealCpuTime::idle(Mail& mail, std::uint64_t deadline) {
  if (deadline == kNever) return mail.sleep(std::nullopt);
  const std::uint64_t present = now();
  mail.sleep(host_after(deadline > present ? deadline - present : 0));
}

// --- of instructions -------------------------------------------------------------------------------------------------

InstructionTime::InstructionTime(const Config& config, Mail& mail) : config_(config) {
  config_.clock.on_earlier([&mail] { mail.ring(); });
}

InstructionTime::~InstructionTime() {
  config_.clock.on_earlier(nullptr);
}

void InstructionTime::start() {
  base_ = static_cast<std::uint64_t>(config_.clock.now().count());
  wait_.reset();
}

std::uint64_t InstructionTime::now() const {
  return running_ == nullptr ? base_ : base_ + ((running_->retired_by_now() - retired_before_) << config_.shift);
}

void InstructionTime::slice_begins(const Cpu& cpu) {
  running_ = &cpu;
  retired_before_ = cpu.retired;
  wait_.reset();
}

void InstructionTime::slice_ends() {
  const std::uint64_t present = now();
  running_ = nullptr;
  go_to(present);
}

void InstructionTime::reaches_device() {
  config_.clock.move_to(guest_time(now()));
}

std::uint64_t InstructionTime::fire_due(std::uint64_t deadline) {
  config_.clock.fire_due();
  const core::GuestTime next = config_.clock.deadline();
  return next == core::VirtualClock::kNever ? deadline : std::min(deadline, static_cast<std::uint64_t>(next.count()));
}

std::uint64_t InstructionTime::budget(std::uint64_t deadline) const {
  if (deadline == kNever) return kNever;
  const std::uint64_t instruction = std::uint64_t{1} << config_.shift;
  return deadline <= base_ ? 1 : (deadline - base_ + instruction - 1) >> config_.shift;
}

void InstructionTime::idle(Mail& mail, std::uint64_t deadline) {
  if (deadline == kNever) return mail.sleep(std::nullopt);
  if (!config_.sleeps) return go_to(std::max(base_, deadline));
  if (!wait_ || wait_->deadline != deadline)
    wait_ = Wait{deadline, host_after(deadline > base_ ? deadline - base_ : 0)};
  mail.sleep(wait_->until);
  const std::uint64_t left = ns_between(HostClock::now(), wait_->until);
  // Only what comes from outside of the machine may come at the host's time.
  if (left != 0 && !mail.has_interrupts()) return;
  go_to(std::max(base_, deadline - std::min(deadline, left)));
}

void InstructionTime::go_to(std::uint64_t now) {
  base_ = now;
  config_.clock.move_to(guest_time(now));
}

}  // namespace vmm::cpu::soft
