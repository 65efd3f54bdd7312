// What only KVM has: its leaves of CPUID, its measurement, and code that it cannot go on with.
#include <cstring>

#include "tests/guest/cpu_rig.h"
#include "vmm/cpu/kvm/accelerator.h"

namespace {

TEST(Kvm, cpuid_is_ours) {
  RIG_REQUIRES_CPUS();
  rig::Machine machine(3);
  machine.load_guest("cpuid");
  std::vector<std::uint32_t> told;
  machine.port_probe.on_write = [&](std::uint64_t, unsigned, std::uint64_t value) {
    told.push_back(static_cast<std::uint32_t>(value));
  };
  machine.run_to_success();
  ASSERT_EQ(told.size(), 5u);
  EXPECT_EQ(told[0] >> 16, 3u) << "CPU 0 of 3";
  EXPECT_EQ(told[1] & 0x8000'0008, 0x8000'0000) << "a hypervisor, and no MONITOR";
  EXPECT_EQ(std::memcmp(&told[2], "KVMKVMKVM\0\0\0", 12), 0);
}

TEST(Kvm, paravirtual_clock_ticks_and_is_saved) {
  RIG_REQUIRES_CPUS();
  rig::Machine machine;
  machine.load_guest("kvm_clock");
  std::vector<std::uint32_t> told;
  machine.port_probe.on_write = [&](std::uint64_t, unsigned, std::uint64_t value) {
    told.push_back(static_cast<std::uint32_t>(value));
  };
  machine.run_to_success();
  ASSERT_EQ(told.size(), 2u);
  EXPECT_NE(told[0], 0u) << "a version";
  EXPECT_EQ(told[0] % 2, 0u) << "that says that nobody is writing";
  EXPECT_NE(told[1], 0u) << "ticks to nanoseconds";

  const auto state = core::dump_state(*machine.accelerator->vcpus()[0]);
  const auto clock = state.find("index = 0x4b564d01\n");
  ASSERT_NE(clock, std::string::npos);
  EXPECT_TRUE(std::string_view(state).substr(state.find("value = ", clock)).starts_with("value = 0x5001\n"));
}

TEST(Kvm, calibration_measures_something) {
  RIG_REQUIRES_CPUS();
  const auto speed = vmm::cpu::kvm::calibrate();
  ASSERT_TRUE(speed) << speed.error().message;
  EXPECT_GT(speed->kernel_mips, 0.001);
  RecordProperty("kernel_mips", std::to_string(speed->kernel_mips));
}

TEST(Kvm, code_outside_memory_fails_with_registers) {
  RIG_REQUIRES_CPUS();
  rig::Machine machine;
  machine.load_guest("nowhere");
  const auto run_to_exit = [&machine] {
    machine.start();
    std::unique_lock lock(machine.mutex);
    machine.changed.wait_for(lock, rig::kPatience, [&] { return machine.run_exit.has_value(); });
    return machine.run_exit.value_or(vmm::cpu::RunExit{});
  };
  const auto exit = run_to_exit();
  EXPECT_EQ(exit.reason, vmm::cpu::ExitReason::Failed);
  EXPECT_NE(exit.detail.find("real mode"), std::string::npos) << exit.detail;
  EXPECT_NE(exit.detail.find("rbx=0000000000001234"), std::string::npos) << exit.detail;
  // The thread paused itself and can be told to go on: it fails again, and says so again.
  machine.forget_exit();
  EXPECT_EQ(run_to_exit().reason, vmm::cpu::ExitReason::Failed);
}

}  // namespace
