#include "vmm/machine/machine_parts.h"

#include <fmt/format.h>

#include "vmm/cpu/accelerator.h"

namespace vmm::machine {

namespace {

// Guest time, which everything else is told by: it comes first.
class ClockState final : public core::Stateful {
 public:
  explicit ClockState(core::MachineClock& clock) : clock_(clock) {}
  std::string_view state_name() const override { return "clock"; }
  unsigned state_version() const override { return 1; }
  void visit_state(core::StateVisitor& visitor) override {
    now_ns_ = clock_.now().count();
    visitor.field("now_ns", now_ns_);
  }
  core::Result<> state_loaded() override {
    constexpr std::int64_t kMostYears_ns = std::int64_t{100} * 366 * 24 * 3600 * 1'000'000'000;
    if (now_ns_ < 0 || now_ns_ > kMostYears_ns) return core::fail("guest time is {} ns", now_ns_);
    clock_.set_now(core::GuestTime(now_ns_));
    return {};
  }

 private:
  core::MachineClock& clock_;
  std::int64_t now_ns_ = 0;
};

// A device, with its lock.
class LockedDevice final : public core::Stateful {
 public:
  explicit LockedDevice(core::Device& device) : device_(device) {}
  std::string_view state_name() const override { return device_.state_name(); }
  unsigned state_version() const override { return device_.state_version(); }
  void visit_state(core::StateVisitor& visitor) override {
    const std::scoped_lock guard(device_.lock());
    device_.visit_state(visitor);
  }
  core::Result<> state_loaded() override {
    const std::scoped_lock guard(device_.lock());
    return device_.state_loaded();
  }

 private:
  core::Device& device_;
};

}  // namespace

MachineParts::MachineParts(const config::MachineConfig& config, Board& board, core::MachineClock& clock,
                           std::span<const std::pair<std::string, core::BlockBackend*>> disks) {
  parts_.traits = {{"CPUs", std::to_string(config.cpus)},
                   {"time", config.icount ? fmt::format("counted, 2^{} ns an instruction", config.icount->shift)
                                          : std::string("real")}};
  for (const auto& [name, disk] : disks) {
    auto* contents = disk->volatile_contents();
    parts_.traits.push_back(
        {name, fmt::format("{} KiB{}", disk->size_bytes() >> 10, contents != nullptr ? ", snapshot=on" : "")});
    if (contents != nullptr) parts_.disks.emplace_back(name, contents);
  }
  parts_.memory = board.memory();
  wrappers_.push_back(std::make_unique<ClockState>(clock));
  for (auto* device : board.devices())
    wrappers_.push_back(std::make_unique<LockedDevice>(*device));
  for (const auto& wrapper : wrappers_)
    parts_.objects.push_back(wrapper.get());
  parts_.objects.push_back(&board.accelerator());
  for (auto* vcpu : board.accelerator().vcpus())
    parts_.objects.push_back(vcpu);
}

MachineParts::~MachineParts() = default;

}  // namespace vmm::machine
