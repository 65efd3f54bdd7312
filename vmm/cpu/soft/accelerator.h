// The software accelerator: the only way into this folder from outside.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "core/base/result.h"
#include "vmm/cpu/accelerator.h"

namespace vmm::cpu::soft {

struct SoftConfig {
  std::string model;  // a CPU model's name; empty: the default
};

// All CPUs in power-on state, on one runner. It follows wiring.ram_map from here on.
core::Result<std::unique_ptr<Accelerator>> create_accelerator(const CpuConfig& config, const SoftConfig& soft,
                                                              const AcceleratorWiring& wiring);

}  // namespace vmm::cpu::soft
