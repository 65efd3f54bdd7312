// A long computation with integer and SSE registers and a running timer, whose result tells whether it was disturbed.
// Each step is announced at port 600h, where the next one may be held up: reads give the last that may be taken. The
// sum goes to port 604h.
#include "tests/guest/bare/bare.h"

namespace {

constexpr std::uint8_t kTimer = 0x42;
constexpr unsigned kSteps = 20;
volatile unsigned ticks;

}  // namespace

void guest_main() {
  bare::on_interrupt(kTimer, [] { ticks = ticks + 1; });
  bare::start_timer(kTimer, 5000000);
  std::uint64_t x = 88172645463325252;
  double sum = 0;
  for (unsigned step = 1; step <= kSteps; ++step) {
    for (unsigned i = 0; i < 250000; ++i) {
      x ^= x << 13;
      x ^= x >> 7;
      x ^= x << 17;
      sum += static_cast<double>(x & 0xff) * 0.5;
    }
    bare::out32(0x600, step);
    while (bare::in32(0x600) <= step)
      bare::relax();
  }
  // The timer must have survived, too.
  const auto seen = ticks;
  while (ticks < seen + 2)
    bare::relax();
  bare::out32(0x604, static_cast<std::uint32_t>(x ^ x >> 32 ^ static_cast<std::uint64_t>(sum)));
}
