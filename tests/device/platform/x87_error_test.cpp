#include "devices/platform/x87_error.h"

#include <gtest/gtest.h>
#include <mutex>

#include "tests/device/fake_wiring.h"
#include "tests/state/state_law.h"

namespace {

using devices::platform::X87Error;

struct X87ErrorRig {
  tests::FakeBus io;
  tests::RecordingIrqSink irqs;
  X87Error device{{core::IrqLine(irqs, X87Error::kIrq)}};

  X87ErrorRig() { EXPECT_TRUE(device.attach(io.space)); }
  void fail() {
    const std::scoped_lock guard(device.lock());
    device.set();
  }
  void scribble() {
    io.out8(0xf0, 0);
    io.in8(0xf0);
    fail();
  }
};

TEST(X87Error, error_raises_irq13_until_port_f0_is_written) {
  X87ErrorRig rig;
  EXPECT_FALSE(rig.irqs.level(13));
  rig.fail();
  EXPECT_TRUE(rig.irqs.level(13));
  rig.fail();
  EXPECT_TRUE(rig.irqs.level(13));
  rig.io.out8(0xf0, 0x5a);
  EXPECT_FALSE(rig.irqs.level(13));
}

TEST(X87Error, obeys_the_state_law) {
  tests::check_state_law<X87ErrorRig>();
}

}  // namespace
