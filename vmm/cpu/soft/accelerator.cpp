#include "vmm/cpu/soft/accelerator.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "vmm/cpu/soft/runner.h"

namespace vmm::cpu::soft {

namespace {

// [SDM 3A 11.11.1] Where messages go; the bits below say to whom.
constexpr std::uint64_t kMessageAddress = 0xfee0'0000;
constexpr std::uint64_t kMessageMask = 0xfff0'0000;

class SoftAccelerator final : public Accelerator {
 public:
  SoftAccelerator(const CpuConfig& config, CpuFeatures features, const std::optional<InstructionTime::Config>& time,
                  const AcceleratorWiring& wiring)
      : features_(features), runner_(wiring, time) {
    const CpuModel model{
        .count = config.count, .has_tsc_deadline = features_.has(Feature::TscDeadline), .has_portable_tsc = true};
    for (unsigned index = 0; index < config.count; ++index) {
      runner_.add_cpu(features_, compose_cpuid(features_.leaves(), model, index));
      vcpus_.push_back(runner_.vcpus().back().get());
    }
  }

  std::string_view name() const override { return "soft"; }
  std::span<Vcpu* const> vcpus() override { return vcpus_; }
  std::span<CpuRunner* const> runners() override { return runners_; }
  void kick_ext_int() override { runner_.mail().want_ext_int(); }
  void set_a20(bool open) override { runner_.set_a20(open); }
  void hold() override { runner_.hold(); }
  // The local APICs know by themselves which vectors are level-triggered: their messages said so.
  void set_ioapic_routes(const std::array<core::IoApicRoute, core::kIoApicPins>&) override {}
  void deliver(const core::MsiMessage& message) override {
    // A guest that programs another address has a device write to memory: nothing that interrupts.
    if ((message.address & kMessageMask) == kMessageAddress) runner_.mail().post(message);
  }

  void stop_clock() override {
    runner_.cpu_time().stop();
    clock_ns_ += runner_.cpu_time().now() - started_ns_;
  }
  void start_clock() override {
    started_ns_ = runner_.cpu_time().now();
    runner_.cpu_time().start();
  }
  // A name and a form for all accelerators.
  std::string_view state_name() const override { return "cpu-clock"; }
  unsigned state_version() const override { return 1; }
  void visit_state(core::StateVisitor& visitor) override { visitor.field("clock_ns", clock_ns_); }

 private:
  CpuFeatures features_;
  Runner runner_;
  std::vector<Vcpu*> vcpus_;
  std::array<CpuRunner*, 1> runners_{&runner_};
  std::uint64_t clock_ns_ = 0;  // how long the machine has run; other accelerators' guests read their time from it
  std::uint64_t started_ns_ = 0;
};

}  // namespace

std::span<const std::string_view> cpu_models() {
  return CpuFeatures::models();
}

core::Result<std::unique_ptr<Accelerator>> create_accelerator(const CpuConfig& config, const SoftConfig& soft,
                                                              const AcceleratorWiring& wiring) {
  if (config.count == 0 || config.count > kMaxCpus)
    return core::fail("{} CPUs cannot be had, only 1 to {}", config.count, kMaxCpus);
  auto features = CpuFeatures::named(soft.model.empty() ? CpuFeatures::models().front() : soft.model);
  if (!features) return std::unexpected(features.error());
  std::optional<InstructionTime::Config> time;
  if (soft.icount) time.emplace(soft.icount->clock, soft.icount->shift, soft.icount->sleeps);
  return std::make_unique<SoftAccelerator>(config, *features, time, wiring);
}

}  // namespace vmm::cpu::soft
