// A PS/2 mouse in stream mode behind the keyboard controller, by interrupts. [IBM PS/2 Hardware Interface Technical
// Reference, Keyboard and Auxiliary Device Controller; Auxiliary Device]
#pragma once

#include <cstdint>

namespace bench::ps2_mouse {

struct Motion {
  std::int32_t right = 0;
  std::int32_t down = 0;
};

void open();
// Waits for the mouse's next packet.
Motion wait_motion();

}  // namespace bench::ps2_mouse
