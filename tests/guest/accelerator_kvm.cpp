#include <unistd.h>

#include "tests/guest/cpu_rig.h"
#include "vmm/cpu/kvm/accelerator.h"

namespace rig {

std::optional<std::string> why_no_cpus() {
  if (::access("/dev/kvm", R_OK | W_OK) == 0) return std::nullopt;
  return "this host has no usable /dev/kvm: " + core::errno_text();
}

core::Result<std::unique_ptr<vmm::cpu::Accelerator>> make_accelerator(const vmm::cpu::CpuConfig& config,
                                                                      const vmm::cpu::AcceleratorWiring& wiring) {
  return vmm::cpu::kvm::create_accelerator(config, wiring);
}

bool always_batches_strings() {
  return true;
}

bool has_exact_dirty_log() {
  return true;
}

}  // namespace rig
