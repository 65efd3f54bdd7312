#include "vmm/cpu/kvm/system.h"

#include <gtest/gtest.h>

namespace {

TEST(KvmSystem, missing_device_names_the_modules_and_the_way_out) {
  const auto system = vmm::cpu::kvm::System::open("/nonexistent/kvm");
  ASSERT_FALSE(system);
  EXPECT_EQ(system.error().message,
            "/nonexistent/kvm does not exist: load the kvm_intel or kvm_amd module, or use --accel soft");
}

TEST(KvmSystem, something_else_is_not_taken_for_kvm) {
  const auto system = vmm::cpu::kvm::System::open("/dev/null");
  ASSERT_FALSE(system);
  EXPECT_NE(system.error().message.find("/dev/null: this is not KVM"), std::string::npos) << system.error().message;
}

}  // namespace
