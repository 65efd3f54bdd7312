// One software CPU with its local APIC, as the machine sees it and as the runner runs it.
//
// Threads: the runner's, and the control loop while that one is paused.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "vmm/cpu/accelerator.h"
#include "vmm/cpu/cpu_state.h"
#include "vmm/cpu/soft/cpu.h"
#include "vmm/cpu/soft/features.h"
#include "vmm/cpu/soft/local_apic.h"
#include "vmm/cpu/soft/platform.h"

namespace vmm::cpu::soft {

// vcpu_state.cpp: a CPU with its local APIC as it is saved. Loading checks what the CPU could not live with; on an
// error it is to be reset. The MMU is the caller's business.
CpuState save_cpu(Cpu& cpu);
core::Result<> load_cpu(Cpu& cpu, const CpuState& state);

class SoftVcpu final : public Vcpu {
 public:
  // What the runner does for its CPUs.
  class Owner : public Platform, public LocalApicBus {
   public:
    // Everything that was told before is with the CPUs. Control loop, runner paused.
    virtual void settle() = 0;
    virtual core::ExtIntSource& ext_int_source() = 0;
  };

  SoftVcpu(unsigned index, Owner& owner, const CpuFeatures& features, std::vector<CpuidEntry> cpuid);

  unsigned index() const override { return cpu_->index; }
  void reset() override;
  std::string describe() override;
  std::string_view state_name() const override { return name_; }
  unsigned state_version() const override { return 1; }
  void visit_state(core::StateVisitor& visitor) override;
  core::Result<> state_loaded() override;

  Cpu& cpu() { return *cpu_; }
  LocalApic& apic() { return apic_; }

  // The 8259's output is up, or may be.
  void look_at_ext_int() { ext_int_wanted_ = true; }
  // After a load: what depends on memory, which is loaded by now too.
  void prepare();
  // INIT and SIPI. [SDM 3A 8.4.2]
  void take_processor_events();
  // NMI and interrupts, if the CPU can take them now. False: delivery ended in a shutdown.
  bool take_interrupts();
  bool runs() const { return cpu_->activity == Activity::Running; }
  // What a report of a CPU that cannot go on says.
  std::string report(std::string_view what);

 private:
  void restore_power_on();
  void initialize();
  void start_at(std::uint8_t vector);
  core::Result<> apply(const CpuState& state);
  bool deliver_carried();
  bool deliver(std::uint8_t vector);
  std::string code_bytes();

  std::unique_ptr<Cpu> cpu_;  // large
  LocalApic apic_;
  Owner& owner_;
  std::string name_;
  std::vector<CpuidEntry> cpuid_;
  CpuState power_on_;  // captured at creation
  CpuState state_;     // what visit_state() shows; valid only there
  bool ext_int_wanted_ = false;
  bool is_fresh_ = true;  // prepare() is due
  // Of a state that another accelerator saved: events between their cause and their handler.
  PendingEvents carried_;
};

}  // namespace vmm::cpu::soft
