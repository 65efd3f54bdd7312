#include "devices/platform/piix3.h"

#include <gtest/gtest.h>

#include "tests/device/fake_wiring.h"
#include "tests/state/state_law.h"

namespace {

struct Piix3Rig {
  tests::RecordingIrqSink isa;
  devices::platform::Piix3 device{{isa}};

  std::uint32_t read(std::uint32_t offset, unsigned width) {
    const std::scoped_lock guard(device.lock());
    return device.config_read(offset, width);
  }
  void write(std::uint32_t offset, unsigned width, std::uint32_t value) {
    const std::scoped_lock guard(device.lock());
    device.config_write(offset, width, value);
  }
  void scribble() {
    write(0x60, 4, 0x0b0a'0b05);
    write(0x4e, 2, 0x00ff);
    device.set_input(1, true);
  }
  void release_inputs() { device.set_input(1, false); }
};

class Piix3 : public testing::Test, protected Piix3Rig {};

TEST_F(Piix3, identifies_itself) {
  EXPECT_EQ(read(0x00, 4), 0x70008086u);
  EXPECT_EQ(read(0x08, 4), 0x06010000u);
  EXPECT_EQ(read(0x0e, 1), 0x80u);
}

TEST_F(Piix3, pirqs_are_disconnected_after_reset) {
  EXPECT_EQ(read(0x60, 4), 0x8080'8080u);
  for (unsigned pirq = 0; pirq < 4; ++pirq)
    device.set_input(pirq, true);
  EXPECT_TRUE(isa.changes.empty());
}

TEST_F(Piix3, pirq_reaches_its_irq) {
  write(0x62, 1, 11);
  device.set_input(2, true);
  EXPECT_TRUE(isa.level(11));
  device.set_input(2, false);
  EXPECT_FALSE(isa.level(11));
}

TEST_F(Piix3, two_pirqs_on_one_irq_are_joined) {
  write(0x60, 2, 0x0a0a);
  device.set_input(0, true);
  device.set_input(1, true);
  device.set_input(0, false);
  EXPECT_TRUE(isa.level(10));
  device.set_input(1, false);
  EXPECT_FALSE(isa.level(10));
  EXPECT_EQ(isa.rises(10), 1u);
}

TEST_F(Piix3, new_route_moves_a_level) {
  write(0x60, 1, 10);
  device.set_input(0, true);
  write(0x60, 1, 11);
  EXPECT_FALSE(isa.level(10));
  EXPECT_TRUE(isa.level(11));
  write(0x60, 1, 0x8b);
  EXPECT_FALSE(isa.level(11));
}

TEST_F(Piix3, reserved_irqs_are_not_reachable) {
  for (const unsigned irq : {0u, 1u, 2u, 8u, 13u}) {
    write(0x60, 1, irq);
    device.set_input(0, true);
    device.set_input(0, false);
  }
  EXPECT_TRUE(isa.changes.empty());
}

TEST_F(Piix3, reset_disconnects_and_keeps_the_inputs_levels) {
  write(0x60, 1, 10);
  device.set_input(0, true);
  tests::reset_rig(static_cast<Piix3Rig&>(*this));
  EXPECT_FALSE(isa.level(10));
  write(0x60, 1, 10);
  EXPECT_TRUE(isa.level(10));
}

TEST_F(Piix3, load_brings_the_irqs_in_step) {
  Piix3Rig copy;
  copy.device.set_input(0, true);
  write(0x60, 1, 5);
  ASSERT_TRUE(tests::load_rig(copy, tests::save_rig(static_cast<Piix3Rig&>(*this))));
  EXPECT_TRUE(copy.isa.level(5));
}

TEST(Piix3State, obeys_the_state_law) {
  tests::check_state_law<Piix3Rig>();
}

}  // namespace
