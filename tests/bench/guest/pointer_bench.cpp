// A driver whose pointer follows the mouse, as it is where clients send motion (server mode): the host measures how
// long the pointer takes to come back to the client.
#include <algorithm>

#include "examples/qxl-rig/drawings.h"
#include "tests/bench/guest/ps2_mouse.h"
#include "tests/guest/bare/bare.h"

namespace {

constexpr std::int32_t kWidth = 1024;
constexpr std::int32_t kHeight = 768;

void move_pointer(qxl::Driver& driver, std::int32_t x, std::int32_t y) {
  auto& command = *reinterpret_cast<QXLCursorCmd*>(driver.take_slot());
  command.type = QXL_CURSOR_MOVE;
  command.u.position = {static_cast<std::int16_t>(x), static_cast<std::int16_t>(y)};
  driver.submit_cursor(&command);
}

}  // namespace

void guest_main() {
  static qxl::Driver driver;
  bare::expect(driver.find(), "a QXL function");
  driver.start(kWidth, kHeight);
  std::int32_t x = kWidth / 2;
  std::int32_t y = kHeight / 2;
  qxl::pointer(driver, static_cast<std::int16_t>(x), static_cast<std::int16_t>(y));
  bench::ps2_mouse::open();
  bare::print("bench: pointer\n");
  for (;;) {
    const auto motion = bench::ps2_mouse::wait_motion();
    x = std::clamp(x + motion.right, 0, kWidth - 1);
    y = std::clamp(y + motion.down, 0, kHeight - 1);
    move_pointer(driver, x, y);
  }
}
