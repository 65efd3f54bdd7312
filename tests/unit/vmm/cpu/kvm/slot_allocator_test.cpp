#include "vmm/cpu/kvm/slot_allocator.h"

#include <gtest/gtest.h>

namespace {

TEST(SlotAllocator, counts_up_from_zero) {
  vmm::cpu::kvm::SlotAllocator slots(8);
  EXPECT_EQ(slots.take(), 0u);
  EXPECT_EQ(slots.take(), 1u);
  EXPECT_EQ(slots.take(), 2u);
}

TEST(SlotAllocator, returned_slot_is_taken_again_lowest_first) {
  vmm::cpu::kvm::SlotAllocator slots(8);
  for (int i = 0; i < 4; ++i)
    slots.take();
  slots.give_back(2);
  slots.give_back(0);
  EXPECT_EQ(slots.take(), 0u);
  EXPECT_EQ(slots.take(), 2u);
  EXPECT_EQ(slots.take(), 4u);
}

TEST(SlotAllocator, ends_at_its_limit) {
  vmm::cpu::kvm::SlotAllocator slots(2);
  slots.take();
  slots.take();
  EXPECT_EQ(slots.take(), std::nullopt);
  slots.give_back(1);
  EXPECT_EQ(slots.take(), 1u);
}

}  // namespace
