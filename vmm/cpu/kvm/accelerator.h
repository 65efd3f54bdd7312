// The KVM accelerator: the only way into this folder.
#pragma once

#include <memory>

#include "core/base/result.h"
#include "vmm/cpu/accelerator.h"

namespace vmm::cpu::kvm {

// A virtual machine over `wiring`, its vCPUs in power-on state. It follows wiring.ram_map from here on.
core::Result<std::unique_ptr<Accelerator>> create_accelerator(const CpuConfig& config, const AcceleratorWiring& wiring);

// Runs a little kernel-mode code and takes the time: some hosts' KVM emulates it. A few milliseconds.
core::Result<Speed> calibrate();

}  // namespace vmm::cpu::kvm
