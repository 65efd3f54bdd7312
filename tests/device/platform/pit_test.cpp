#include "devices/platform/pit.h"

#include <gtest/gtest.h>

#include "tests/device/fake_clock.h"
#include "tests/device/fake_wiring.h"
#include "tests/state/state_law.h"

namespace {

using namespace std::chrono_literals;

struct PitRig {
  tests::FakeBus io;
  tests::FakeClock clock;
  tests::RecordingIrqSink isa;
  devices::platform::Pit device;

  bool is_heard = true;

  explicit PitRig(bool makes_up = true)
      : device({.makes_up = makes_up}, {.isa = isa, .clock = clock, .is_heard = [this] { return is_heard; }}) {
    EXPECT_TRUE(device.attach(io.space));
  }

  // To the moment when `count` ticks of 1193182 Hz have passed since power-on.
  void at(std::int64_t tick) { clock.advance_to(core::GuestTime((tick * 1'000'000'000 + 1'193'181) / 1'193'182)); }
  void program(unsigned counter, unsigned mode, unsigned count, bool bcd = false) {
    io.out8(0x43, counter << 6 | 0x30 | mode << 1 | (bcd ? 1 : 0));
    io.out8(0x40 + counter, count & 0xff);
    io.out8(0x40 + counter, count >> 8);
  }
  unsigned count(unsigned counter) {
    io.out8(0x43, counter << 6);
    const unsigned low = io.in8(0x40 + counter);
    return low | static_cast<unsigned>(io.in8(0x40 + counter)) << 8;
  }
  unsigned status(unsigned counter) {
    io.out8(0x43, 0xe0 | 2U << counter);
    return io.in8(0x40 + counter);
  }
  bool out2() { return (io.in8(0x61) & 0x20) != 0; }

  void scribble() {
    program(0, 2, 1000);
    clock.advance(1700us);
    io.out8(0x40, 0x34);
    io.out8(0x40, 0x12);
    program(2, 3, 0x4321, true);
    io.out8(0x61, 0x03);
    clock.advance(300us);
    io.out8(0x42, 0x17);
    io.out8(0x43, 0xc4);
    io.out8(0x61, 0x02);
    program(1, 5, 77);
    io.out8(0x43, 0x40);
  }
};

class Pit : public testing::Test, protected PitRig {};

// ---- mode 0, interrupt on terminal count

TEST_F(Pit, mode0_interrupts_once_at_the_count) {
  program(0, 0, 100);
  EXPECT_FALSE(isa.level());
  at(99);
  EXPECT_FALSE(isa.level());
  EXPECT_EQ(count(0), 1u);
  at(100);
  EXPECT_TRUE(isa.level());
  EXPECT_EQ(count(0), 0u);
  at(1'000'000);
  EXPECT_EQ(isa.rises(), 1u);
}

TEST_F(Pit, mode0_counts_on_below_zero) {
  program(2, 0, 10);
  io.out8(0x61, 1);
  at(15);
  EXPECT_EQ(count(2), 0xfffbu);
}

TEST_F(Pit, mode0_needs_no_timer_after_its_interrupt) {
  program(0, 0, 100);
  EXPECT_EQ(clock.armed_timers(), 1u);
  at(100);
  EXPECT_EQ(clock.armed_timers(), 0u);
}

TEST_F(Pit, mode0_control_word_takes_the_line_down) {
  program(0, 0, 100);
  at(200);
  io.out8(0x43, 0x30);
  EXPECT_FALSE(isa.level());
  EXPECT_EQ(clock.armed_timers(), 0u);
}

TEST_F(Pit, mode0_first_byte_of_a_new_count_stops_it) {
  program(0, 0, 100);
  at(50);
  io.out8(0x40, 0x20);
  at(150);
  EXPECT_EQ(isa.rises(), 0u);
  io.out8(0x40, 0x00);
  at(150 + 0x1f);
  EXPECT_EQ(isa.rises(), 0u);
  at(150 + 0x20);
  EXPECT_EQ(isa.rises(), 1u);
}

TEST_F(Pit, mode0_gate_pauses_the_count) {
  io.out8(0x61, 1);
  program(2, 0, 100);
  at(40);
  io.out8(0x61, 0);
  at(1000);
  EXPECT_EQ(count(2), 60u);
  EXPECT_FALSE(out2());
  io.out8(0x61, 1);
  at(1059);
  EXPECT_FALSE(out2());
  at(1060);
  EXPECT_TRUE(out2());
}

TEST_F(Pit, zero_counts_for_the_whole_range) {
  program(0, 0, 0);
  at(0xffff);
  EXPECT_FALSE(isa.level());
  at(0x10000);
  EXPECT_TRUE(isa.level());
}

// ---- mode 1 and 5, triggered by the gate

TEST_F(Pit, mode1_is_low_from_trigger_for_the_count) {
  program(2, 1, 50);
  EXPECT_TRUE(out2());
  at(10);
  io.out8(0x61, 1);
  EXPECT_FALSE(out2());
  at(59);
  EXPECT_FALSE(out2());
  at(60);
  EXPECT_TRUE(out2());
}

TEST_F(Pit, mode1_retrigger_starts_over) {
  program(2, 1, 50);
  io.out8(0x61, 1);
  at(30);
  io.out8(0x61, 0);
  io.out8(0x61, 1);
  at(70);
  EXPECT_FALSE(out2());
  at(80);
  EXPECT_TRUE(out2());
}

TEST_F(Pit, mode1_on_counter0_never_fires) {
  program(0, 1, 50);
  EXPECT_EQ(clock.armed_timers(), 0u);
}

TEST_F(Pit, mode5_strobes_one_tick_after_the_trigger) {
  program(2, 5, 20);
  EXPECT_TRUE(out2());
  at(100);
  io.out8(0x61, 1);
  at(119);
  EXPECT_TRUE(out2());
  at(120);
  EXPECT_FALSE(out2());
  at(121);
  EXPECT_TRUE(out2());
}

// ---- mode 2, rate generator

TEST_F(Pit, mode2_interrupts_every_period) {
  program(0, 2, 1000);
  isa.clear();
  at(999);
  EXPECT_EQ(isa.rises(), 0u);
  EXPECT_EQ(count(0), 1u);
  at(1000);
  EXPECT_EQ(isa.rises(), 1u);
  EXPECT_EQ(count(0), 1000u);
  at(5500);
  EXPECT_EQ(isa.rises(), 5u);
  EXPECT_EQ(count(0), 500u);
}

TEST_F(Pit, mode2_keeps_the_rate_exactly) {
  program(0, 2, 11932);  // the 100 Hz of old kernels: 100.0019 Hz
  isa.clear();
  clock.advance(1000s);
  EXPECT_EQ(isa.rises(), 1'193'182'000u / 11932);
}

TEST_F(Pit, mode2_output_is_low_for_the_last_tick) {
  io.out8(0x61, 1);
  program(2, 2, 10);
  at(8);
  EXPECT_TRUE(out2());
  at(9);
  EXPECT_FALSE(out2());
  at(10);
  EXPECT_TRUE(out2());
}

TEST_F(Pit, mode2_new_count_waits_for_the_period) {
  program(0, 2, 1000);
  isa.clear();
  at(1300);
  io.out8(0x40, 200);
  io.out8(0x40, 0);
  EXPECT_EQ(status(0) & 0x40, 0x40u);
  at(1999);
  EXPECT_EQ(isa.rises(), 1u);
  EXPECT_EQ(count(0), 1u);
  at(2000);
  EXPECT_EQ(isa.rises(), 2u);
  EXPECT_EQ(status(0) & 0x40, 0u);
  at(2199);
  EXPECT_EQ(isa.rises(), 2u);
  at(2200);
  EXPECT_EQ(isa.rises(), 3u);
}

TEST_F(Pit, mode2_gate_holds_output_high_and_restarts) {
  io.out8(0x61, 1);
  program(2, 2, 10);
  at(9);
  io.out8(0x61, 0);
  EXPECT_TRUE(out2());
  at(100);
  io.out8(0x61, 1);
  EXPECT_EQ(count(2), 10u);
  at(109);
  EXPECT_FALSE(out2());
}

TEST_F(Pit, count_of_one_in_a_rate_mode_never_interrupts) {
  program(0, 2, 1);
  isa.clear();
  clock.advance(1s);
  EXPECT_EQ(isa.rises(), 0u);
  EXPECT_EQ(clock.armed_timers(), 0u);
}

TEST_F(Pit, absurd_rate_is_bounded) {
  program(0, 2, 2);
  isa.clear();
  clock.advance(10ms);
  EXPECT_LE(isa.rises(), 1001u);
  EXPECT_GE(isa.rises(), 900u);
}

// ---- mode 3, square wave

TEST_F(Pit, mode3_even_count_is_half_high_half_low) {
  io.out8(0x61, 1);
  program(2, 3, 10);
  at(4);
  EXPECT_TRUE(out2());
  EXPECT_EQ(count(2), 2u);
  at(5);
  EXPECT_FALSE(out2());
  EXPECT_EQ(count(2), 10u);
  at(9);
  EXPECT_FALSE(out2());
  at(10);
  EXPECT_TRUE(out2());
}

TEST_F(Pit, mode3_odd_count_is_high_one_tick_longer) {
  io.out8(0x61, 1);
  program(2, 3, 7);
  at(3);
  EXPECT_TRUE(out2());
  EXPECT_EQ(count(2), 0u);
  at(4);
  EXPECT_FALSE(out2());
  EXPECT_EQ(count(2), 6u);
  at(6);
  EXPECT_FALSE(out2());
  at(7);
  EXPECT_TRUE(out2());
}

TEST_F(Pit, mode3_interrupts_at_each_rise) {
  program(0, 3, 0);
  isa.clear();
  clock.advance(1s);
  EXPECT_EQ(isa.rises(), 18u);
}

TEST_F(Pit, mode3_new_count_waits_for_the_half_period) {
  program(0, 3, 1000);
  isa.clear();
  at(200);
  io.out8(0x40, 100);
  io.out8(0x40, 0);  // taken at 500, as a low half of 50
  at(549);
  EXPECT_EQ(isa.rises(), 0u);
  at(550);
  EXPECT_EQ(isa.rises(), 1u);
  at(650);
  EXPECT_EQ(isa.rises(), 2u);
}

TEST_F(Pit, mode3_new_count_in_the_low_half_waits_for_the_period) {
  program(0, 3, 1000);
  isa.clear();
  at(700);
  io.out8(0x40, 100);
  io.out8(0x40, 0);
  at(999);
  EXPECT_EQ(isa.rises(), 0u);
  at(1100);
  EXPECT_EQ(isa.rises(), 2u);
}

TEST_F(Pit, modes_6_and_7_are_2_and_3) {
  program(0, 7, 1000);
  EXPECT_EQ(status(0) & 0x0e, 0x06u);
}

// ---- mode 4, software strobe

TEST_F(Pit, mode4_strobes_low_for_one_tick) {
  io.out8(0x61, 1);
  program(2, 4, 10);
  at(9);
  EXPECT_TRUE(out2());
  at(10);
  EXPECT_FALSE(out2());
  at(11);
  EXPECT_TRUE(out2());
}

TEST_F(Pit, mode4_interrupts_once_at_the_end_of_the_strobe) {
  program(0, 4, 10);
  isa.clear();
  at(10);
  EXPECT_EQ(isa.rises(), 0u);
  at(11);
  EXPECT_EQ(isa.rises(), 1u);
  at(100'000);
  EXPECT_EQ(isa.rises(), 1u);
}

// ---- reading

TEST_F(Pit, latched_count_stands_still_until_read) {
  program(0, 2, 1000);
  at(300);
  io.out8(0x43, 0x00);
  at(500);
  io.out8(0x43, 0x00);  // a second latch is ignored
  EXPECT_EQ(io.in8(0x40), 700 & 0xff);
  EXPECT_EQ(io.in8(0x40), 700 >> 8);
  EXPECT_EQ(count(0), 500u);
}

TEST_F(Pit, unlatched_read_alternates_bytes) {
  program(0, 2, 0x1234);
  EXPECT_EQ(io.in8(0x40), 0x34);
  EXPECT_EQ(io.in8(0x40), 0x12);
  EXPECT_EQ(io.in8(0x40), 0x34);
}

TEST_F(Pit, single_byte_access_reads_and_writes_that_byte) {
  io.out8(0x43, 0x24);  // counter 0, high byte, mode 2
  io.out8(0x40, 0x12);
  EXPECT_EQ(io.in8(0x40), 0x12);
  io.out8(0x43, 0x14);  // low byte
  io.out8(0x40, 0x34);
  EXPECT_EQ(io.in8(0x40), 0x34);
}

TEST_F(Pit, read_back_gives_status_then_count) {
  program(0, 2, 1000);
  at(100);
  io.out8(0x43, 0xc2);
  EXPECT_EQ(io.in8(0x40), 0xb4);  // OUT, both bytes, mode 2
  EXPECT_EQ(io.in8(0x40), 900 & 0xff);
  EXPECT_EQ(io.in8(0x40), 900 >> 8);
}

TEST_F(Pit, read_back_latches_several_counters_at_once) {
  program(0, 2, 1000);
  program(1, 2, 500);
  at(100);
  io.out8(0x43, 0xd6);
  at(200);
  EXPECT_EQ(io.in8(0x40), 900 & 0xff);
  EXPECT_EQ(io.in8(0x41), 400 & 0xff);
}

TEST_F(Pit, status_shows_a_count_not_yet_written) {
  io.out8(0x43, 0x34);
  EXPECT_EQ(status(0), 0xf4u);
  program(0, 2, 7);
  EXPECT_EQ(status(0), 0xb4u);
}

TEST_F(Pit, bcd_counts_in_tens) {
  io.out8(0x61, 1);
  program(2, 0, 0x0100, true);
  at(1);
  EXPECT_EQ(count(2), 0x0099u);
  at(101);
  EXPECT_EQ(count(2), 0x9999u);
}

TEST_F(Pit, bcd_zero_counts_ten_thousand) {
  program(0, 0, 0, true);
  at(9999);
  EXPECT_FALSE(isa.level());
  at(10000);
  EXPECT_TRUE(isa.level());
}

TEST_F(Pit, control_port_reads_zero) {
  EXPECT_EQ(io.in8(0x43), 0);
}

// ---- port 61h

TEST_F(Pit, port61_stores_its_low_bits) {
  io.out8(0x61, 0xff);
  EXPECT_EQ(io.in8(0x61) & 0xcf, 0x0f);
}

TEST_F(Pit, port61_refresh_bit_toggles_with_time) {
  EXPECT_EQ(io.in8(0x61) & 0x10, 0x00);
  at(18);
  EXPECT_EQ(io.in8(0x61) & 0x10, 0x10);
  at(36);
  EXPECT_EQ(io.in8(0x61) & 0x10, 0x00);
}

TEST_F(Pit, linux_calibration_sequence_sees_the_output_rise) {
  io.out8(0x61, (io.in8(0x61) & ~0x02U) | 0x01);
  io.out8(0x43, 0xb0);
  io.out8(0x42, 0x9b);
  io.out8(0x42, 0x2e);  // 10 ms
  EXPECT_FALSE(out2());
  clock.advance(9990us);
  EXPECT_FALSE(out2());
  clock.advance(20us);
  EXPECT_TRUE(out2());
}

// ---- time and state

TEST_F(Pit, ticks_the_host_let_slip_are_made_up_for) {
  program(0, 2, 1193);
  isa.clear();
  clock.set_now(10ms);  // the host was away for ten periods
  clock.advance(0ns);
  EXPECT_EQ(isa.rises(), 1u);
  clock.advance(4ms);
  EXPECT_EQ(isa.rises(), 14u);
  clock.advance(10ms);
  EXPECT_EQ(isa.rises(), 24u);
}

TEST_F(Pit, wakes_once_a_second_while_irq0_is_the_hpets) {
  program(0, 2, 1000);
  is_heard = false;
  const auto before = clock.fired();
  clock.advance(10s);
  EXPECT_LE(clock.fired() - before, 11u);
  EXPECT_EQ(isa.rises(), 1u);  // the level that the control word gave it

  is_heard = true;
  clock.advance(1s);
  const auto rises = isa.rises();
  clock.advance(838'096us);  // a million ticks
  EXPECT_EQ(isa.rises() - rises, 1000u);
}

TEST(PitThatDiscards, ticks_the_host_let_slip_are_gone) {
  PitRig rig(false);
  rig.program(0, 2, 1193);
  rig.isa.clear();
  rig.clock.set_now(10ms);
  rig.clock.advance(0ns);
  EXPECT_EQ(rig.isa.rises(), 1u);
  rig.clock.advance(4ms);
  EXPECT_EQ(rig.isa.rises(), 5u);
}

TEST_F(Pit, fresh_device_is_silent) {
  EXPECT_EQ(clock.armed_timers(), 0u);
  EXPECT_FALSE(isa.level());
  EXPECT_EQ(io.in8(0x61) & 0x2f, 0x00);
}

TEST_F(Pit, load_goes_on_where_the_other_was) {
  program(0, 2, 1000);
  at(1300);
  PitRig copy;
  copy.clock.set_now(clock.now());
  ASSERT_TRUE(tests::load_rig(copy, tests::save_rig(static_cast<PitRig&>(*this))));
  EXPECT_TRUE(copy.isa.level());
  copy.isa.clear();
  copy.at(1999);
  EXPECT_EQ(copy.isa.rises(), 0u);
  copy.at(2000);
  EXPECT_EQ(copy.isa.rises(), 1u);
}

TEST_F(Pit, obeys_the_state_law) {
  tests::check_state_law<PitRig>();
}

}  // namespace
