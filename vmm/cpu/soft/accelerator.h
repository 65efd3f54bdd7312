// The software accelerator: the only way into this folder from outside.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "core/base/result.h"
#include "core/event/virtual_clock.h"
#include "vmm/cpu/accelerator.h"

namespace vmm::cpu::soft {

// Names for SoftConfig; the first one is the default.
std::span<const std::string_view> cpu_models();

// Time made by instructions: each takes 2^shift ns, at most 2^10, of a clock that the CPUs move.
struct Icount {
  core::VirtualClock& clock;
  unsigned shift = 0;
  bool sleeps = true;  // idle CPUs wait in the host's time
};

struct SoftConfig {
  std::string model;             // a CPU model's name; empty: the default
  std::optional<Icount> icount;  // else the host's time
};

// All CPUs in power-on state, on one runner. It follows wiring.ram_map from here on.
core::Result<std::unique_ptr<Accelerator>> create_accelerator(const CpuConfig& config, const SoftConfig& soft,
                                                              const AcceleratorWiring& wiring);

}  // namespace vmm::cpu::soft
