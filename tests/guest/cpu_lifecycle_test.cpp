// Pausing, resetting and ending guests on the real accelerator, and what it says of guests that cannot go on.
#include "tests/guest/cpu_rig.h"

namespace {

using vmm::cpu::ExitReason;

// The exit of a guest that is expected to end in one.
vmm::cpu::RunExit run_to_exit(rig::Machine& machine) {
  machine.start();
  std::unique_lock lock(machine.mutex);
  machine.changed.wait_for(lock, rig::kPatience, [&] { return machine.run_exit.has_value(); });
  return machine.run_exit.value_or(vmm::cpu::RunExit{});
}

TEST(CpuLifecycle, computation_survives_a_storm_of_pauses) {
  RIG_REQUIRES_CPUS();
  std::optional<std::uint64_t> results[2];
  for (auto& result : results) {
    rig::Machine machine;
    machine.load_guest("compute");
    machine.port_probe.on_write = [&](std::uint64_t offset, unsigned, std::uint64_t value) {
      if (offset == 4) result = value;
    };
    machine.start();
    for (int i = 0; &result == &results[1] && i < 300; ++i) {
      machine.threads->pause();
      machine.threads->resume();
    }
    EXPECT_EQ(machine.wait_exit(), 0u);
    ASSERT_TRUE(result);
  }
  EXPECT_EQ(results[0], results[1]);
}

TEST(CpuLifecycle, reset_starts_all_processors_over) {
  RIG_REQUIRES_CPUS();
  rig::Machine machine(3);
  for (int round = 0; round < 2; ++round) {
    machine.load_guest("processors");
    machine.run_to_success();
    EXPECT_EQ(machine.console_text(), "cpu 1\ncpu 2\n");
    machine.forget_exit();
    machine.threads->reset();
  }
}

TEST(CpuLifecycle, triple_fault_asks_for_a_reset) {
  RIG_REQUIRES_CPUS();
  rig::Machine machine;
  machine.load_guest("triple_fault");
  const auto exit = run_to_exit(machine);
  EXPECT_EQ(exit.reason, ExitReason::Reset);
  EXPECT_NE(exit.detail.find("triple fault"), std::string::npos) << exit.detail;
  EXPECT_NE(exit.detail.find("rip="), std::string::npos) << exit.detail;
  EXPECT_FALSE(machine.exit_code);
}

TEST(CpuLifecycle, guest_in_a_loop_can_be_stopped) {
  RIG_REQUIRES_CPUS();
  rig::Machine machine(2);
  const std::uint8_t forever[] = {0xeb, 0xfe};
  machine.load(0x8000, forever);
  machine.start();
  machine.threads->stop();
}

TEST(CpuLifecycle, too_many_processors_are_refused) {
  RIG_REQUIRES_CPUS();
  core::RamMap map;
  core::AddressSpace io{"io", 0x10000};
  core::AddressSpace mmio{"mmio", 0};
  rig::FakePic pic;
  const vmm::cpu::AcceleratorWiring wiring{map, io, mmio, pic, [](std::uint8_t) {}};
  EXPECT_FALSE(rig::make_accelerator({.count = 0}, wiring));
  EXPECT_FALSE(rig::make_accelerator({.count = 256}, wiring));
}

}  // namespace
