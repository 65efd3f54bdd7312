// Round trips between a device and an interrupt handler, by every way an interrupt can take.
#include "tests/guest/bare/bare.h"

namespace {

constexpr std::uintptr_t kProbe = 0xd0000000;
constexpr std::uint8_t kMessage = 0x41;
constexpr std::uint8_t kTimer = 0x42;
constexpr std::uint8_t kBell = 0x43;
constexpr std::uint8_t kLevel = 0x45;

volatile unsigned messages;
volatile unsigned ticks;
volatile unsigned bells;
volatile unsigned levels;

void wait_for(volatile unsigned& counter, unsigned count) {
  while (counter < count)
    bare::relax();
}

// The device holds its line until the handler asks it to let go.
void on_level() {
  levels = levels + 1;
  bare::at<std::uint32_t>(kProbe + 0x14) = levels;
}

}  // namespace

void guest_main() {
  bare::on_interrupt(kMessage, [] { messages = messages + 1; });
  bare::on_interrupt(kTimer, [] { ticks = ticks + 1; });
  bare::on_interrupt(kBell, [] { bells = bells + 1; });
  bare::on_interrupt(kLevel, on_level);

  for (unsigned i = 1; i <= 200; ++i) {
    bare::at<std::uint32_t>(kProbe) = i;  // the device answers with a message
    wait_for(messages, i);
  }
  bare::print("messages\n");
  for (unsigned i = 1; i <= 100; ++i) {
    bare::at<std::uint32_t>(kProbe + 0x8) = i;  // a doorbell; another thread answers through an eventfd
    wait_for(bells, i);
  }
  for (unsigned i = 101; i <= 200; ++i) {
    bare::out16(0x60c, 7);  // a port doorbell for this value only
    wait_for(bells, i);
  }
  bare::out16(0x60c, 8);
  bare::print("doorbells\n");
  for (unsigned i = 1; i <= 50; ++i) {
    bare::at<std::uint32_t>(kProbe + 0x10) = i;  // raises the level line
    wait_for(levels, i);
  }
  bare::print("levels\n");
  bare::start_timer(kTimer, 1000000);
  wait_for(ticks, 10);
  bare::print("timer\n");
}
