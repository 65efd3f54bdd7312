// The CPUs' time, and how many instructions run before somebody looks at it. It is what time stamp counters and local
// APIC timers count, in ns: 1 GHz.
//
// Used on the CPUs' thread; started and stopped on the control loop with the runner paused.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <optional>

#include "core/event/virtual_clock.h"
#include "vmm/cpu/soft/cpu.h"
#include "vmm/cpu/soft/mail.h"

namespace vmm::cpu::soft {

class CpuTime {
 public:
  static constexpr std::uint64_t kNever = ~std::uint64_t{0};

  virtual ~CpuTime() = default;
  virtual void start() = 0;
  virtual void stop() = 0;
  virtual std::uint64_t now() const = 0;
  // A CPU runs in between. now() is exact to the instruction.
  virtual void slice_begins(const Cpu&) {}
  virtual void slice_ends() {}
  // A CPU is about to reach a device, which will ask the machine's clock.
  virtual void reaches_device() {}
  // Happens what is due now; answers when something is due next, `deadline` being the CPUs' own.
  virtual std::uint64_t fire_due(std::uint64_t deadline) { return deadline; }
  // Instructions until something is due, or enough of them.
  virtual std::uint64_t budget(std::uint64_t deadline) const = 0;
  // No CPU has anything to do before `deadline`, if there is no mail.
  virtual void idle(Mail& mail, std::uint64_t deadline) = 0;
};

// Time of the host; it runs while the machine runs.
class RealCpuTime final : public CpuTime {
 public:
  void start() override;
  void stop() override;
  std::uint64_t now() const override;
  std::uint64_t budget(std::uint64_t deadline) const override;
  void idle(Mail& mail, std::uint64_t deadline) override;

 private:
  std::chrono::steady_clock::time_point started_;
  std::uint64_t before_ = 0;
  bool runs_ = false;
};

// Time that instructions make, for all CPUs together: each takes 2^shift ns. It moves the machine's clock, so that a
// run depends on nothing but what comes from outside of the machine.
class InstructionTime final : public CpuTime {
 public:
  struct Config {
    core::VirtualClock& clock;
    unsigned shift = 0;
    // When all CPUs wait, time goes on as fast as the host's; else it is at once when something is due.
    bool sleeps = true;
  };

  // `mail` is rung when a device arms an earlier deadline.
  InstructionTime(const Config& config, Mail& mail);
  ~InstructionTime() override;
  InstructionTime(const InstructionTime&) = delete;
  InstructionTime& operator=(const InstructionTime&) = delete;

  void start() override;
  void stop() override {}
  std::uint64_t now() const override;
  void slice_begins(const Cpu& cpu) override;
  void slice_ends() override;
  void reaches_device() override;
  std::uint64_t fire_due(std::uint64_t deadline) override;
  std::uint64_t budget(std::uint64_t deadline) const override;
  void idle(Mail& mail, std::uint64_t deadline) override;

 private:
  // How long the host has to wait before time may go on to a deadline.
  struct Wait {
    std::uint64_t deadline = 0;
    std::chrono::steady_clock::time_point until;
  };

  void go_to(std::uint64_t now);

  Config config_;
  std::uint64_t base_ = 0;
  const Cpu* running_ = nullptr;
  std::uint64_t retired_before_ = 0;  // by running_, before its slice
  std::optional<Wait> wait_;
};

}  // namespace vmm::cpu::soft
