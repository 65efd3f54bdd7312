// Pausing, resetting and ending guests on the real accelerator, and what it says of guests that cannot go on.
#include "tests/guest/kvm_rig.h"
#include "vmm/cpu/kvm/accelerator.h"

namespace {

using vmm::cpu::ExitReason;

// The exit of a guest that is expected to end in one.
vmm::cpu::RunExit run_to_exit(rig::Machine& machine) {
  machine.start();
  std::unique_lock lock(machine.mutex);
  machine.changed.wait_for(lock, std::chrono::seconds(60), [&] { return machine.run_exit.has_value(); });
  return machine.run_exit.value_or(vmm::cpu::RunExit{});
}

TEST(KvmLifecycle, computation_survives_a_storm_of_pauses) {
  RIG_REQUIRES_KVM();
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

TEST(KvmLifecycle, reset_starts_all_processors_over) {
  RIG_REQUIRES_KVM();
  rig::Machine machine(3);
  for (int round = 0; round < 2; ++round) {
    machine.load_guest("processors");
    machine.run_to_success();
    EXPECT_EQ(machine.console_text(), "cpu 1\ncpu 2\n");
    machine.forget_exit();
    machine.threads->reset();
  }
}

TEST(KvmLifecycle, triple_fault_asks_for_a_reset) {
  RIG_REQUIRES_KVM();
  rig::Machine machine;
  machine.load_guest("triple_fault");
  const auto exit = run_to_exit(machine);
  EXPECT_EQ(exit.reason, ExitReason::Reset);
  EXPECT_NE(exit.detail.find("triple fault"), std::string::npos) << exit.detail;
  EXPECT_NE(exit.detail.find("rip="), std::string::npos) << exit.detail;
  EXPECT_FALSE(machine.exit_code);
}

TEST(KvmLifecycle, code_outside_memory_fails_with_registers) {
  RIG_REQUIRES_KVM();
  rig::Machine machine;
  machine.load_guest("nowhere");
  const auto exit = run_to_exit(machine);
  EXPECT_EQ(exit.reason, ExitReason::Failed);
  EXPECT_NE(exit.detail.find("real mode"), std::string::npos) << exit.detail;
  EXPECT_NE(exit.detail.find("rbx=0000000000001234"), std::string::npos) << exit.detail;
  // The thread paused itself and can be told to go on: it fails again, and says so again.
  machine.forget_exit();
  EXPECT_EQ(run_to_exit(machine).reason, ExitReason::Failed);
}

TEST(KvmLifecycle, guest_in_a_loop_can_be_stopped) {
  RIG_REQUIRES_KVM();
  rig::Machine machine(2);
  const std::uint8_t forever[] = {0xeb, 0xfe};
  machine.load(0x8000, forever);
  machine.start();
  machine.threads->stop();
}

TEST(KvmLifecycle, calibration_measures_something) {
  RIG_REQUIRES_KVM();
  const auto speed = vmm::cpu::kvm::calibrate();
  ASSERT_TRUE(speed) << speed.error().message;
  EXPECT_GT(speed->kernel_mips, 0.001);
  RecordProperty("kernel_mips", std::to_string(speed->kernel_mips));
}

TEST(KvmLifecycle, too_many_processors_are_refused) {
  RIG_REQUIRES_KVM();
  core::RamMap map;
  core::AddressSpace io{"io", 0x10000};
  core::AddressSpace mmio{"mmio", 0};
  rig::FakePic pic;
  const vmm::cpu::AcceleratorWiring wiring{map, io, mmio, pic, [](std::uint8_t) {}};
  EXPECT_FALSE(vmm::cpu::kvm::create_accelerator({.count = 0}, wiring));
  EXPECT_FALSE(vmm::cpu::kvm::create_accelerator({.count = 256}, wiring));
}

}  // namespace
