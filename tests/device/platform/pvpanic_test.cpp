#include "devices/platform/pvpanic.h"

#include <gtest/gtest.h>

#include "tests/device/fake_wiring.h"
#include "tests/state/state_law.h"

namespace {

constexpr std::uint64_t kPort = 0x505;

struct PvpanicRig {
  tests::FakeBus io;
  unsigned panics = 0;
  unsigned crash_loads = 0;
  devices::platform::Pvpanic device{{.panicked = [this] { ++panics; }, .crash_loaded = [this] { ++crash_loads; }}};

  PvpanicRig() { EXPECT_TRUE(device.attach(io.space)); }
  void scribble() {
    io.out8(kPort, 1);
    io.in8(kPort);
    io.out32(kPort, 0xffff'ffff);
  }
};

TEST(Pvpanic, reads_the_events_it_knows) {
  PvpanicRig rig;
  EXPECT_EQ(rig.io.in8(kPort), 3);
}

TEST(Pvpanic, writes_are_events) {
  PvpanicRig rig;
  rig.io.out8(kPort, 1);
  EXPECT_EQ(rig.panics, 1u);
  EXPECT_EQ(rig.crash_loads, 0u);
  rig.io.out8(kPort, 2);
  EXPECT_EQ(rig.panics, 1u);
  EXPECT_EQ(rig.crash_loads, 1u);
}

TEST(Pvpanic, panic_counts_more_than_a_crash_kernel) {
  PvpanicRig rig;
  rig.io.out8(kPort, 3);
  EXPECT_EQ(rig.panics, 1u);
  EXPECT_EQ(rig.crash_loads, 0u);
}

TEST(Pvpanic, unknown_events_do_nothing) {
  PvpanicRig rig;
  rig.io.out8(kPort, 0xfc);
  rig.io.out8(kPort, 0);
  EXPECT_EQ(rig.panics + rig.crash_loads, 0u);
}

TEST(Pvpanic, obeys_the_state_law) {
  tests::check_state_law<PvpanicRig>();
}

}  // namespace
