// A vCPU that sets modes, writes and moves banks while the display worker refreshes: for the thread sanitizer.
#include <thread>

#include "tests/device/qxl/qxl_rig.h"
#include "tests/device/qxl/vga_modes.h"

namespace {

using tests::QxlRig;

void draw(QxlRig& rig, unsigned round) {
  switch (round % 4) {
    case 0:
      tests::set_mode(rig, tests::kMode3);
      for (unsigned i = 0; i < 80; ++i)
        rig.poke(0xb8000 + 2 * i, i + round);
      break;
    case 1:
      tests::set_mode(rig, tests::kMode12);
      for (unsigned i = 0; i < 80; ++i)
        rig.poke(0xa0000 + 81 * i, round);
      break;
    case 2:
      rig.vbe_mode(640, 480, 32);
      for (unsigned i = 0; i < 80; ++i)
        rig.set_word(641 * i, round);
      break;
    default:
      rig.vbe(5, round);
      rig.poke(0xa0000, round);
      rig.vbe(4, 0);
      break;
  }
}

TEST(QxlThreads, worker_refreshes_while_the_guest_draws) {
  QxlRig rig;
  {
    const std::jthread worker([&rig](const std::stop_token& stop) {
      while (!stop.stop_requested())
        rig.device.source().refresh(rig.canvas, false);
    });
    for (unsigned round = 0; round < 40; ++round)
      draw(rig, round);
  }
  rig.vbe_mode(640, 480, 32);
  rig.set_word(7, 0x123456);
  rig.refresh();
  EXPECT_EQ(rig.canvas.at(7, 0), 0x123456u) << "the worker ends with what the guest drew last";
}

TEST(QxlThreads, reset_during_refresh_is_safe) {
  QxlRig rig;
  const std::jthread worker([&rig](const std::stop_token& stop) {
    while (!stop.stop_requested())
      rig.device.source().refresh(rig.canvas, true);
  });
  for (unsigned round = 0; round < 20; ++round) {
    draw(rig, round);
    const std::scoped_lock guard(rig.device.lock());
    rig.device.reset();
  }
}

}  // namespace
