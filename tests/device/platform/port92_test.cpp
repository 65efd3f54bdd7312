#include "devices/platform/port92.h"

#include <gtest/gtest.h>

#include "tests/device/fake_wiring.h"
#include "tests/state/state_law.h"

namespace {

struct Port92Rig {
  tests::FakeBus io;
  std::vector<bool> a20;
  unsigned resets = 0;
  devices::platform::Port92 device{
      {.a20 = [this](bool enabled) { a20.push_back(enabled); }, .reset = [this] { ++resets; }}};

  Port92Rig() { EXPECT_TRUE(device.attach(io.space)); }
  void scribble() {
    io.out8(0x92, 0x03);
    io.in8(0x92);
  }
};

class Port92 : public testing::Test, protected Port92Rig {};

TEST_F(Port92, a20_bit_is_told_on_change_only) {
  io.out8(0x92, 0x02);
  io.out8(0x92, 0x02);
  io.out8(0x92, 0x00);
  EXPECT_EQ(a20, (std::vector<bool>{true, false}));
  EXPECT_EQ(resets, 0u);
}

TEST_F(Port92, rising_reset_bit_resets_once) {
  io.out8(0x92, 0x01);
  io.out8(0x92, 0x01);
  EXPECT_EQ(resets, 1u);
  io.out8(0x92, 0x00);
  io.out8(0x92, 0x01);
  EXPECT_EQ(resets, 2u);
}

TEST_F(Port92, reads_back_what_was_written) {
  io.out8(0x92, 0xc2);
  EXPECT_EQ(io.in8(0x92), 0xc2);
}

TEST_F(Port92, second_attach_is_refused) {
  devices::platform::Port92 other{{}};
  EXPECT_FALSE(other.attach(io.space));
}

TEST_F(Port92, load_tells_the_gate) {
  io.out8(0x92, 0x02);
  Port92Rig copy;
  ASSERT_TRUE(tests::load_rig(copy, tests::save_rig(static_cast<Port92Rig&>(*this))));
  EXPECT_EQ(copy.a20, (std::vector<bool>{true}));
}

TEST_F(Port92, obeys_the_state_law) {
  tests::check_state_law<Port92Rig>();
}

}  // namespace
