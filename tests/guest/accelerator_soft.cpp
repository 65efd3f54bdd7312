#include "tests/guest/cpu_rig.h"
#include "vmm/cpu/soft/accelerator.h"

namespace rig {

std::optional<std::string> why_no_cpus() {
  return std::nullopt;
}

core::Result<std::unique_ptr<vmm::cpu::Accelerator>> make_accelerator(const vmm::cpu::CpuConfig& config,
                                                                      const vmm::cpu::AcceleratorWiring& wiring) {
  return vmm::cpu::soft::create_accelerator(config, {}, wiring);
}

bool always_batches_strings() {
  return false;
}

bool has_exact_dirty_log() {
  return false;
}

}  // namespace rig
