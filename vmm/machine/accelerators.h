// Which CPU runs the guest: --accel and --cpu.
#pragma once

#include <memory>
#include <string>

#include "core/base/result.h"
#include "core/event/virtual_clock.h"
#include "vmm/config/machine_config.h"
#include "vmm/cpu/accelerator.h"

namespace vmm::machine {

struct ChosenAccelerator {
  std::unique_ptr<cpu::Accelerator> accelerator;
  std::string reason;  // what was chosen and why, in one line; empty where there was no choice
};

// `counted_clock` is there with config.icount.
core::Result<ChosenAccelerator> create_accelerator(const config::MachineConfig& config,
                                                   const cpu::AcceleratorWiring& wiring,
                                                   core::VirtualClock* counted_clock);

// --cpu help.
constexpr std::string_view kListCpuModels = "help";
std::string cpu_models_text();

}  // namespace vmm::machine
