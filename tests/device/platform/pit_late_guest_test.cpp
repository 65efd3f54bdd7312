#include <gtest/gtest.h>

#include "devices/platform/pic.h"
#include "devices/platform/pit.h"
#include "tests/device/fake_clock.h"
#include "tests/device/fake_wiring.h"

namespace {

using namespace std::chrono_literals;

// The 8259 pair behind it and a guest that takes its interrupts when it likes.
struct LateGuest {
  tests::FakeBus io;
  tests::FakeClock clock;
  tests::RecordingIrqSink intr;
  devices::platform::Pic pic{{intr}};
  devices::platform::Pit pit;
  unsigned taken = 0;

  explicit LateGuest(bool makes_up = true)
      : pit({.makes_up = makes_up}, {.isa = pic, .clock = clock, .waits = [this] { return pic.waits(0); }}) {
    EXPECT_TRUE(pic.attach(io.space));
    EXPECT_TRUE(pit.attach(io.space));
    for (const unsigned word : {0x11U, 0x20U, 0x04U, 0x01U, 0xfeU})
      io.out8(word == 0x11 ? 0x20 : 0x21, word);
    io.out8(0x43, 0x34);
    io.out8(0x40, 1193 & 0xff);
    io.out8(0x40, 1193 >> 8);
    take();
    taken = 0;
  }
  void take() {
    if (!pic.pending()) return;
    EXPECT_EQ(pic.acknowledge(), 0x20);
    io.out8(0x20, 0x20);
    ++taken;
  }
  // Looks every 100 us.
  void attend(std::chrono::milliseconds time) {
    for (const auto end = clock.now() + time; clock.now() < end;) {
      clock.advance(100us);
      take();
    }
  }
};

TEST(PitOfALateGuest, ticks_that_found_it_busy_are_made_up_for) {
  LateGuest guest;
  guest.attend(10ms);
  EXPECT_EQ(guest.taken, 10u);
  guest.clock.advance(20ms);
  guest.attend(20ms);
  EXPECT_EQ(guest.taken, 50u);
  guest.attend(10ms);
  EXPECT_EQ(guest.taken, 60u);
}

TEST(PitOfALateGuest, what_it_is_owed_has_a_limit) {
  LateGuest guest;
  guest.clock.advance(1s);
  guest.attend(100ms);
  EXPECT_LE(guest.taken, 100u + 64u + 1u);
  EXPECT_GE(guest.taken, 100u + 64u - 1u);
}

TEST(PitOfALateGuest, masked_ticks_are_nobodys) {
  LateGuest guest;
  guest.io.out8(0x21, 0xff);
  guest.clock.advance(20ms);
  guest.io.out8(0x21, 0xfe);
  guest.attend(10ms);
  EXPECT_EQ(guest.taken, 11u) << "the one that was latched, and those of 10 ms";
}

TEST(PitOfALateGuest, who_never_takes_them_costs_no_more_than_before) {
  LateGuest guest;
  tests::RecordingIrqSink& intr = guest.intr;
  intr.clear();
  guest.clock.advance(100ms);
  EXPECT_EQ(intr.rises(), 1u);
  guest.io.out8(0x43, 0x30);  // no rate any more
  EXPECT_EQ(guest.clock.armed_timers(), 0u);
}

TEST(PitOfALateGuest, lost_ticks_may_stay_lost) {
  LateGuest guest(false);
  guest.clock.advance(20ms);
  guest.attend(10ms);
  EXPECT_EQ(guest.taken, 11u);
}

}  // namespace
