// The thread of all software CPUs: they run in turn, a slice of instructions each; timers, interrupts and what other
// threads tell are looked at in between. When no CPU has anything to do it sleeps.
#pragma once

#include <memory>
#include <optional>
#include <random>
#include <span>
#include <vector>

#include "vmm/cpu/soft/block_cache.h"
#include "vmm/cpu/soft/cpu_time.h"
#include "vmm/cpu/soft/executor.h"
#include "vmm/cpu/soft/mail.h"
#include "vmm/cpu/soft/memory_follower.h"
#include "vmm/cpu/soft/vcpu.h"

namespace vmm::cpu::soft {

class Runner final : public CpuRunner, public SoftVcpu::Owner {
 public:
  // No `time`: the host's.
  Runner(const AcceleratorWiring& wiring, const std::optional<InstructionTime::Config>& time);

  // Before it runs.
  void add_cpu(const CpuFeatures& features, std::vector<CpuidEntry> cpuid);
  std::span<const std::unique_ptr<SoftVcpu>> vcpus() const { return vcpus_; }
  Mail& mail() { return mail_; }
  CpuTime& cpu_time() { return *time_; }  // control loop, runner paused
  // From a port access of one of the CPUs, or with the runner paused.
  void set_a20(bool open);
  void hold();  // from an access of one of the CPUs

  void thread_begins() override {}
  void thread_ends() override {}
  RunExit run() override;
  void kick() override { mail_.kick(); }

  // SoftVcpu::Owner
  void settle() override;
  core::ExtIntSource& ext_int_source() override { return wiring_.pic; }
  // Platform
  core::AddressSpace& io() override { return wiring_.io; }
  PhysicalMap& physical() override { return physical_; }
  BlockCache& blocks() override { return blocks_; }
  std::uint64_t time_stamp() override { return time_->now(); }
  void reaches_device() override { time_->reaches_device(); }
  bool random(std::uint64_t& value) override;
  void report_x87_error() override {
    if (wiring_.on_x87_error) wiring_.on_x87_error();
  }
  void drop_writes(const std::uint8_t* host_page) override;
  // LocalApicBus
  void send(const ApicMessage& message, unsigned from) override;
  void end_level_interrupt(std::uint8_t vector) override { wiring_.on_ioapic_eoi(vector); }
  std::uint64_t now() override { return time_->now(); }

 private:
  void follow_map();
  std::uint64_t advance_timers();
  enum class Choice : std::uint8_t { Runs, NoneRuns, Shutdown };
  Choice choose();
  Stop run_slice(SoftVcpu& vcpu, std::uint64_t deadline);
  void route(const ApicMessage& message);
  void deliver_lowest_priority(const ApicMessage& message);

  AcceleratorWiring wiring_;
  Mail mail_;
  std::unique_ptr<CpuTime> time_;
  PhysicalMap physical_;
  BlockCache blocks_;
  std::vector<std::unique_ptr<SoftVcpu>> vcpus_;
  std::vector<core::MsiMessage> messages_;
  bool is_held_ = false;
  std::size_t turn_ = 0;                   // whose it is
  std::uint64_t turn_left_ = 0;            // instructions
  std::optional<std::mt19937_64> random_;  // where all runs are to be alike
  std::size_t chosen_ = 0;                 // by the last interrupt that any of several could have taken
  MemoryFollower follower_;
};

}  // namespace vmm::cpu::soft
