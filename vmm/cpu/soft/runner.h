// The thread of all software CPUs: they run in turn, a slice of instructions each; timers, interrupts and what other
// threads tell are looked at in between. When no CPU has anything to do it sleeps.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "vmm/cpu/soft/block_cache.h"
#include "vmm/cpu/soft/cpu_time.h"
#include "vmm/cpu/soft/mail.h"
#include "vmm/cpu/soft/memory_follower.h"
#include "vmm/cpu/soft/vcpu.h"

namespace vmm::cpu::soft {

class Runner final : public CpuRunner, public SoftVcpu::Owner {
 public:
  explicit Runner(const AcceleratorWiring& wiring);

  // Before it runs.
  void add_cpu(const CpuFeatures& features, std::vector<CpuidEntry> cpuid);
  std::span<const std::unique_ptr<SoftVcpu>> vcpus() const { return vcpus_; }
  Mail& mail() { return mail_; }
  CpuTime& cpu_time() { return time_; }  // control loop, runner paused
  // From a port access of one of the CPUs, or with the runner paused.
  void set_a20(bool open);

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
  std::uint64_t time_stamp() override { return time_.now(); }
  void drop_writes(const std::uint8_t* host_page) override;
  // LocalApicBus
  void send(const ApicMessage& message, unsigned from) override;
  void end_level_interrupt(std::uint8_t vector) override { wiring_.on_ioapic_eoi(vector); }
  std::uint64_t now() override { return time_.now(); }

 private:
  void follow_map();
  std::uint64_t advance_timers(std::uint64_t now);
  void route(const ApicMessage& message);
  void deliver_lowest_priority(const ApicMessage& message);

  AcceleratorWiring wiring_;
  Mail mail_;
  CpuTime time_;
  PhysicalMap physical_;
  BlockCache blocks_;
  std::vector<std::unique_ptr<SoftVcpu>> vcpus_;
  std::vector<core::MsiMessage> messages_;
  std::size_t turn_ = 0;    // whose slice comes next
  std::size_t chosen_ = 0;  // by the last interrupt that any of several could have taken
  MemoryFollower follower_;
};

}  // namespace vmm::cpu::soft
