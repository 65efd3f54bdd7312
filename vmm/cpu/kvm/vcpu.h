// One KVM vCPU: its run loop, exits and state.
//
// Threads: run() on the vCPU's own; kick() and want_ext_int() on any; everything else on the control loop while the
// vCPU's thread is paused.
#pragma once

#include <atomic>
#include <cstdint>
#include <linux/kvm.h>
#include <memory>
#include <mutex>
#include <optional>
#include <pthread.h>
#include <span>
#include <string>
#include <vector>

#include "core/base/fd.h"
#include "vmm/cpu/accelerator.h"
#include "vmm/cpu/cpu_state.h"
#include "vmm/cpu/kvm/posted_writes.h"
#include "vmm/cpu/kvm/system.h"

namespace vmm::cpu::kvm {

// The area a vCPU shares with the kernel.
class RunArea {
 public:
  static core::Result<RunArea> map(int vcpu_fd, std::size_t bytes);
  RunArea(RunArea&& other) noexcept;
  RunArea& operator=(RunArea&&) = delete;
  RunArea(const RunArea&) = delete;
  RunArea& operator=(const RunArea&) = delete;
  ~RunArea();

  kvm_run* operator->() const { return run_; }
  std::uint8_t* bytes() const { return reinterpret_cast<std::uint8_t*>(run_); }
  std::size_t size() const { return bytes_; }

 private:
  RunArea(kvm_run* run, std::size_t bytes) : run_(run), bytes_(bytes) {}
  kvm_run* run_;
  std::size_t bytes_;
};

// What all vCPUs of a VM have in common.
struct VcpuCommon {
  AcceleratorWiring wiring;
  PostedWrites* posted_writes = nullptr;  // outlives the CPUs
  std::vector<std::uint32_t> msr_indices = {};
  std::size_t run_area_bytes = 0;
  std::size_t xsave_bytes = 0;
  bool has_xsave2 = false;
  bool has_xcrs = false;
};

class KvmVcpu final : public Vcpu, public CpuRunner {
 public:
  static core::Result<std::unique_ptr<KvmVcpu>> create(int vm_fd, unsigned index, const VcpuCommon& common,
                                                       const std::vector<CpuidEntry>& cpuid);

  // The 8259's INTR is up, or may be: look before the guest runs on.
  void want_ext_int();
  int descriptor() const { return fd_.get(); }
  // The machine is being paused.
  void note_pause() const;

  unsigned index() const override { return index_; }
  void reset() override;
  std::string describe() override;
  std::string_view state_name() const override { return name_; }
  unsigned state_version() const override { return 1; }
  void visit_state(core::StateVisitor& visitor) override;
  core::Result<> state_loaded() override;

  void thread_begins() override;
  void thread_ends() override;
  RunExit run() override;
  void kick() override;

 private:
  KvmVcpu(unsigned index, core::Fd fd, RunArea run, const VcpuCommon& common);

  // vcpu.cpp
  void offer_ext_int();
  void settle_ext_int();
  void end_kick();
  std::optional<RunExit> handle_exit();
  void handle_port();
  void handle_mmio();
  std::optional<RunExit> handle_system_event() const;

  // vcpu_state.cpp
  core::Result<> fetch(CpuState& state);
  core::Result<> apply(const CpuState& state);
  void fetch_tables(CpuState& state) const;
  void fetch_msrs(CpuState& state) const;
  void fetch_events(CpuState& state) const;
  core::Result<> apply_tables(const CpuState& state) const;
  core::Result<> apply_xsave(const CpuState& state) const;
  core::Result<> apply_local_apic(const CpuState& state) const;
  core::Result<> apply_events(const CpuState& state);
  void apply_msrs(std::span<const Msr> msrs) const;

  // vcpu_report.cpp
  RunExit failed(std::string_view what);
  RunExit triple_fault();
  RunExit internal_error();
  std::string code_bytes(const CpuState& state) const;

  unsigned index_;
  std::string name_;
  core::Fd fd_;
  RunArea run_;
  const VcpuCommon& common_;
  CpuState state_;     // what visit_state() shows; valid only there
  CpuState power_on_;  // captured at creation

  std::atomic<bool> ext_int_wanted_{false};
  // Handed to the kernel by KVM_INTERRUPT and perhaps not yet taken by the CPU. vCPU thread.
  std::optional<std::uint8_t> ext_int_in_flight_;
  std::mutex thread_mutex_;  // a leaf
  std::optional<pthread_t> thread_;
};

}  // namespace vmm::cpu::kvm
