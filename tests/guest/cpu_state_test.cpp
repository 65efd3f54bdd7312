// A CPU's state leaves one virtual machine and lives on in the next.
#include "tests/guest/cpu_rig.h"

namespace {

constexpr unsigned kNoHop = ~0u;
// How far the guest may get beyond the step of a hop until it is paused; less than there is between two hops.
constexpr unsigned kRunOn = 3;

std::vector<core::Stateful*> stateful(rig::Machine& machine) {
  std::vector<core::Stateful*> objects{machine.accelerator.get()};
  for (auto* vcpu : machine.accelerator->vcpus())
    objects.push_back(vcpu);
  return objects;
}

// Runs the guest and moves it to a new machine after each of the given steps. The result it computed.
std::optional<std::uint64_t> compute(std::vector<unsigned> hops) {
  hops.push_back(kNoHop);
  std::optional<std::uint64_t> result;
  std::vector<std::uint8_t> memory(rig::Machine::kRamBytes);
  std::vector<std::uint8_t> state;
  for (const auto hop : hops) {
    rig::Machine machine;
    if (state.empty()) {
      machine.load_guest("compute");
    } else {
      machine.load(0, memory);
      const auto loaded = core::load_state(state, stateful(machine));
      EXPECT_TRUE(loaded) << loaded.error().message;
    }
    bool reached = false;
    machine.port_probe.on_read = [hop](std::uint64_t, unsigned) { return hop == kNoHop ? kNoHop : hop + kRunOn; };
    machine.port_probe.on_write = [&](std::uint64_t offset, unsigned, std::uint64_t value) {
      const std::scoped_lock lock(machine.mutex);
      if (offset == 4) result = value;
      if (offset == 0 && value >= hop) reached = true;
      machine.changed.notify_all();
    };
    machine.start();
    if (hop == kNoHop) {
      EXPECT_EQ(machine.wait_exit(), 0u);
      return result;
    }
    {
      std::unique_lock lock(machine.mutex);
      machine.changed.wait_for(lock, rig::kPatience, [&] { return reached || machine.run_exit; });
    }
    machine.threads->pause();
    EXPECT_TRUE(reached);
    state = core::save_state(stateful(machine));
    EXPECT_TRUE(machine.ram->read(core::Gpa(0), memory));
  }
  return result;
}

TEST(CpuState, computation_goes_on_in_another_machine) {
  RIG_REQUIRES_CPUS();
  const auto undisturbed = compute({});
  ASSERT_TRUE(undisturbed);
  EXPECT_EQ(compute({3, 8, 13}), undisturbed);
}

TEST(CpuState, save_and_load_keep_the_registers) {
  RIG_REQUIRES_CPUS();
  rig::Machine machine;
  auto* vcpu = machine.accelerator->vcpus()[0];
  machine.threads->pause();
  const auto before = vcpu->describe();
  const auto state = core::save_state(stateful(machine));
  rig::Machine other;
  ASSERT_TRUE(core::load_state(state, stateful(other)));
  EXPECT_EQ(other.accelerator->vcpus()[0]->describe(), before);
}

TEST(CpuState, damaged_state_is_refused) {
  RIG_REQUIRES_CPUS();
  rig::Machine machine;
  auto state = core::save_state(stateful(machine));
  state.resize(state.size() - 1);
  EXPECT_FALSE(core::load_state(state, stateful(machine)));
}

}  // namespace
