#include "vmm/machine/accelerators.h"

#include <fmt/format.h>

#include "vmm/cpu/kvm/accelerator.h"
#include "vmm/cpu/soft/accelerator.h"

namespace vmm::machine {

namespace {

using Created = core::Result<std::unique_ptr<cpu::Accelerator>>;

constexpr std::string_view kHostModel = "host";  // what KVM passes on

Created create_soft(const config::MachineConfig& config, const cpu::AcceleratorWiring& wiring,
                    core::VirtualClock* counted_clock) {
  if (config.cpu == kHostModel) {
    return core::fail("--cpu host is for KVM; the software CPU has {}", fmt::join(cpu::soft::cpu_models(), ", "));
  }
  cpu::soft::SoftConfig soft{.model = config.cpu, .icount = {}};
  if (counted_clock != nullptr && config.icount)
    soft.icount.emplace(*counted_clock, config.icount->shift, config.icount->sleep);
  auto created = cpu::soft::create_accelerator({config.cpus}, soft, wiring);
  if (!created) return core::fail_with("--cpu", created);
  return created;
}

Created create_kvm(const config::MachineConfig& config, const cpu::AcceleratorWiring& wiring) {
  if (!config.cpu.empty() && config.cpu != kHostModel) {
    return core::fail("--cpu {}: KVM has the host's CPU only; for another model use --accel soft", config.cpu);
  }
  return cpu::kvm::create_accelerator({config.cpus}, wiring);
}

core::Result<ChosenAccelerator> chosen(Created created, std::string reason = {}) {
  if (!created) return std::unexpected(created.error());
  return ChosenAccelerator{std::move(*created), std::move(reason)};
}

// Instructions make no time here: for that the software CPU must have been asked for.
core::Result<ChosenAccelerator> create_better(const config::MachineConfig& config,
                                              const cpu::AcceleratorWiring& wiring) {
  const auto speed = cpu::kvm::calibrate();
  if (!speed) {
    return chosen(create_soft(config, wiring, nullptr),
                  fmt::format("the software CPU runs the guest: {}", speed.error().message));
  }
  if (!speed->is_hardware()) {
    return chosen(
        create_soft(config, wiring, nullptr),
        fmt::format("the software CPU runs the guest: KVM here is an emulation ({:.1f} million instructions a "
                    "second)",
                    speed->kernel_mips));
  }
  return chosen(
      create_kvm(config, wiring),
      fmt::format("KVM runs the guest: it is hardware ({:.0f} million instructions a second)", speed->kernel_mips));
}

}  // namespace

core::Result<ChosenAccelerator> create_accelerator(const config::MachineConfig& config,
                                                   const cpu::AcceleratorWiring& wiring,
                                                   core::VirtualClock* counted_clock) {
  switch (config.accel) {
    case config::AccelChoice::Kvm: return chosen(create_kvm(config, wiring));
    case config::AccelChoice::Soft: return chosen(create_soft(config, wiring, counted_clock));
    case config::AccelChoice::Auto: return create_better(config, wiring);
  }
  return core::fail("--accel is unknown");
}

std::string cpu_models_text() {
  const auto models = cpu::soft::cpu_models();
  return fmt::format("--accel soft: {} (default {})\n--accel kvm: {}\n", fmt::join(models, ", "), models.front(),
                     kHostModel);
}

}  // namespace vmm::machine
