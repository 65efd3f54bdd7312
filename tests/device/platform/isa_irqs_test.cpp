#include "devices/platform/isa_irqs.h"

#include <gtest/gtest.h>

#include "tests/device/fake_wiring.h"

namespace {

using Changes = std::vector<tests::RecordingIrqSink::Change>;

class IsaIrqs : public testing::Test {
 protected:
  tests::RecordingIrqSink pic;
  tests::RecordingIrqSink ioapic;
  devices::platform::IsaIrqs irqs{{.pic = pic, .ioapic = ioapic}};
};

TEST_F(IsaIrqs, line_reaches_both_controllers) {
  irqs.set_input(12, true);
  EXPECT_EQ(pic.changes, (Changes{{12, true}}));
  EXPECT_EQ(ioapic.changes, (Changes{{12, true}}));
}

TEST_F(IsaIrqs, timer_goes_to_pin_two) {
  irqs.set_input(0, true);
  EXPECT_EQ(pic.changes, (Changes{{0, true}}));
  EXPECT_EQ(ioapic.changes, (Changes{{2, true}}));
}

TEST_F(IsaIrqs, cascade_and_unknown_inputs_are_not_wires) {
  irqs.set_input(2, true);
  irqs.set_input(24, true);
  EXPECT_TRUE(pic.changes.empty());
  EXPECT_TRUE(ioapic.changes.empty());
}

TEST_F(IsaIrqs, upper_inputs_reach_the_ioapic_only) {
  irqs.set_input(17, true);
  EXPECT_TRUE(pic.changes.empty());
  EXPECT_EQ(ioapic.changes, (Changes{{17, true}}));
}

TEST_F(IsaIrqs, shared_wire_is_high_while_any_driver_is) {
  irqs.set_input(9, true);
  irqs.set_input(9, true);
  irqs.set_input(9, false);
  EXPECT_TRUE(pic.level(9));
  irqs.set_input(9, false);
  EXPECT_EQ(pic.changes, (Changes{{9, true}, {9, false}}));
  irqs.set_input(9, false);  // nobody held it
  irqs.set_input(9, true);
  EXPECT_TRUE(ioapic.level(9));
}

}  // namespace
