// /dev/kvm: whether it can be used, and what it offers.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/base/fd.h"
#include "core/base/result.h"
#include "vmm/cpu/cpuid.h"

namespace vmm::cpu::kvm {

class System {
 public:
  // Refuses a KVM that lacks what the accelerator is built on, naming it.
  static core::Result<System> open(const std::string& path = "/dev/kvm");

  // KVM_CHECK_EXTENSION: 0 if absent.
  int capability(int number) const;
  core::Result<core::Fd> create_vm() const;
  core::Result<std::vector<CpuidEntry>> supported_cpuid() const;
  // The MSRs that make up a CPU's state.
  core::Result<std::vector<std::uint32_t>> msr_indices() const;
  core::Result<std::size_t> run_area_bytes() const;

 private:
  explicit System(core::Fd fd) : fd_(std::move(fd)) {}
  core::Result<> check() const;
  core::Fd fd_;
};

// One CPU's leaves.
core::Result<> set_cpuid(int vcpu_fd, const std::vector<CpuidEntry>& leaves);

}  // namespace vmm::cpu::kvm
