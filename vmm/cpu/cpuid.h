// The CPU that guests see: what the accelerator supports, less what our machine has not, plus its topology and the
// hypervisor leaves. A pure function of leaves to leaves. [SDM 2A CPUID] [APM 3 appendix E] [Linux Documentation/virt/
// kvm/x86/cpuid.rst]
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace vmm::cpu {

struct CpuidEntry {
  std::uint32_t function = 0;
  std::uint32_t index = 0;
  bool has_index = false;  // whether ECX selects among sub-leaves
  std::uint32_t eax = 0, ebx = 0, ecx = 0, edx = 0;
  bool operator==(const CpuidEntry&) const = default;
};

struct CpuModel {
  unsigned count = 1;             // CPUs: one package, a core each
  bool has_tsc_deadline = false;  // the local APIC's timer has the TSC deadline mode
  bool has_portable_tsc = false;  // the time stamp counter runs the same on every host: it may be said to be invariant
  bool has_kvm_hypercalls = false;  // the accelerator is KVM: announce its paravirtual interface
};

// The leaves of CPU `index`, in the order of `host`. Requires nothing of the host: a feature it lacks stays off.
std::vector<CpuidEntry> compose_cpuid(std::span<const CpuidEntry> host, const CpuModel& model, unsigned index);

}  // namespace vmm::cpu
