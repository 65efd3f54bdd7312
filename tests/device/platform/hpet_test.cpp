#include <gtest/gtest.h>

#include "tests/device/platform/hpet_rig.h"
#include "tests/state/state_law.h"

namespace {

using namespace std::chrono_literals;
using namespace tests::hpet;

class Hpet : public testing::Test, protected tests::HpetRig {};

// ---- registers

TEST_F(Hpet, capabilities_name_100_mhz_and_three_timers) {
  EXPECT_EQ(get(GCAP_ID), 0x0098'9680'8086'a201u);
  EXPECT_EQ(get(GCAP_ID, 4), 0x8086'a201u);
  EXPECT_EQ(get(GCAP_ID + 4, 4), 10'000'000u);
  set(GCAP_ID, 0);
  EXPECT_EQ(get(GCAP_ID), 0x0098'9680'8086'a201u);
}

TEST_F(Hpet, only_timer_0_can_be_periodic) {
  for (unsigned timer = 0; timer < kTimers; ++timer) {
    set(config(timer), TYPE_CNF);
    EXPECT_EQ((get(config(timer)) & (TYPE_CNF | PER_INT_CAP)) != 0, timer == 0) << timer;
  }
}

TEST_F(Hpet, route_that_there_is_not_is_not_taken) {
  EXPECT_EQ(get(config(1)) >> kRouteCapShift, 0xf0'0000u);
  set(config(1), routed(22));
  set(config(1), routed(5));
  EXPECT_EQ(get(config(1)) & INT_ROUTE_CNF, routed(22));
}

TEST_F(Hpet, narrow_and_crossing_writes_are_ignored) {
  set(GEN_CONF, 1, 1);
  set(GEN_CONF, 1, 2);
  set(GEN_CONF - 2, 0x1'0000, 4);
  EXPECT_EQ(get(GEN_CONF), 0u);
}

TEST_F(Hpet, registers_that_there_are_not_read_zero) {
  set(0x160, ~std::uint64_t{0});
  set(0x3f8, ~std::uint64_t{0});
  EXPECT_EQ(get(0x160), 0u);
  EXPECT_EQ(get(0x3f8), 0u);
}

// ---- the main counter

TEST_F(Hpet, counter_counts_only_while_enabled) {
  at(100);
  EXPECT_EQ(get(MAIN_CNT), 0u);
  start();
  at(150);
  EXPECT_EQ(get(MAIN_CNT), 50u);
  set(GEN_CONF, 0);
  at(500);
  EXPECT_EQ(get(MAIN_CNT), 50u);
  start();
  at(510);
  EXPECT_EQ(get(MAIN_CNT), 60u);
}

TEST_F(Hpet, counter_is_written_in_halves_while_it_stands) {
  set(MAIN_CNT, 0xffff'fff0, 4);
  set(MAIN_CNT + 4, 2, 4);
  start();
  set(MAIN_CNT, 0);
  at(0x20);
  EXPECT_EQ(get(MAIN_CNT), 0x3'0000'0010u);
  EXPECT_EQ(get(MAIN_CNT + 4, 4), 3u);
}

// ---- one match

TEST_F(Hpet, edge_interrupts_once_at_the_comparator) {
  set(config(0), INT_ENB_CNF | routed(21));
  start();
  set(comparator(0), 1000);
  at(999);
  EXPECT_EQ(isa.rises(21), 0u);
  at(1000);
  EXPECT_EQ(isa.rises(21), 1u);
  EXPECT_EQ(get(GINTR_STA), 0u);
  set(comparator(0), 2000);
  at(2000);
  EXPECT_EQ(isa.rises(21), 2u);
  clock.advance(100s);
  EXPECT_EQ(isa.rises(21), 2u);
}

TEST_F(Hpet, level_stays_until_its_status_is_cleared) {
  set(config(2), INT_ENB_CNF | INT_TYPE_CNF | routed(23));
  start();
  set(comparator(2), 1000);
  at(1500);
  EXPECT_TRUE(isa.level(23));
  EXPECT_EQ(get(GINTR_STA), 4u);
  set(GINTR_STA, 3);
  EXPECT_TRUE(isa.level(23));
  set(GINTR_STA, 4);
  EXPECT_FALSE(isa.level(23));
  EXPECT_EQ(get(GINTR_STA), 0u);
}

TEST_F(Hpet, status_is_there_for_those_who_poll) {
  set(config(1), INT_TYPE_CNF);
  start();
  set(comparator(1), 10);
  at(10);
  EXPECT_EQ(get(GINTR_STA), 2u);
  EXPECT_TRUE(isa.changes.empty());
}

TEST_F(Hpet, halting_takes_the_line_and_keeps_the_status) {
  set(config(1), INT_ENB_CNF | INT_TYPE_CNF);
  start();
  set(comparator(1), 10);
  at(10);
  EXPECT_TRUE(isa.level(20));
  set(GEN_CONF, 0);
  EXPECT_FALSE(isa.level(20));
  EXPECT_EQ(get(GINTR_STA), 2u);
}

TEST_F(Hpet, shared_pin_is_up_while_one_of_its_timers_is) {
  set(config(1), INT_ENB_CNF | INT_TYPE_CNF | routed(22));
  set(config(2), INT_ENB_CNF | INT_TYPE_CNF | routed(22));
  start();
  set(comparator(1), 10);
  set(comparator(2), 20);
  at(20);
  set(GINTR_STA, 2);
  EXPECT_TRUE(isa.level(22));
  set(GINTR_STA, 4);
  EXPECT_FALSE(isa.level(22));
  EXPECT_EQ(isa.rises(22), 1u);
}

TEST_F(Hpet, comparator_written_late_matches_at_once) {
  set(config(1), INT_ENB_CNF);
  start();
  at(5000);
  set(comparator(1), 4000);
  at(5000);
  EXPECT_EQ(isa.rises(20), 1u);
}

TEST_F(Hpet, comparator_written_by_halves_matches_once) {
  set(config(1), INT_ENB_CNF);
  start();
  at(1000);
  set(comparator(1), 2000, 4);
  at(1100);
  set(comparator(1) + 4, 0, 4);
  at(1999);
  EXPECT_EQ(isa.rises(20), 0u);
  at(2000);
  EXPECT_EQ(isa.rises(20), 1u);
}

TEST_F(Hpet, comparator_of_all_ones_does_not_match) {
  set(config(1), INT_ENB_CNF);
  start();
  at(5000);
  set(comparator(1), ~std::uint64_t{0});
  clock.advance(1000s);
  EXPECT_EQ(isa.rises(20), 0u);
}

TEST_F(Hpet, narrow_comparator_matches_again_when_the_counter_came_round) {
  set(config(1), INT_ENB_CNF | MODE32_CNF);
  start();
  set(comparator(1), 0xffff'ffff'0000'1000);
  EXPECT_EQ(get(comparator(1)), 0x1000u);
  at(0x1000);
  EXPECT_EQ(isa.rises(20), 1u);
  at(0x1'0000'0fff);
  EXPECT_EQ(isa.rises(20), 1u);
  at(0x1'0000'1000);
  EXPECT_EQ(isa.rises(20), 2u);
}

TEST_F(Hpet, far_comparator_is_waited_for_in_steps) {
  set(config(1), INT_ENB_CNF);
  set(MAIN_CNT, 0);
  start();
  set(comparator(1), std::uint64_t{1} << 55);
  ASSERT_TRUE(clock.next_deadline());
  clock.advance_to(*clock.next_deadline());
  EXPECT_EQ(isa.rises(20), 0u);
  clock.advance_to(core::GuestTime((std::int64_t{1} << 55) * 10));
  EXPECT_EQ(isa.rises(20), 1u);
}

// ---- periodic

TEST_F(Hpet, periodic_timer_starts_at_the_comparator_and_goes_on_by_the_period) {
  start();
  set(config(0), INT_ENB_CNF | TYPE_CNF | VAL_SET_CNF | MODE32_CNF, 4);
  set(comparator(0), 10'000, 4);
  set(comparator(0), 4'000, 4);
  EXPECT_EQ(get(config(0)) & VAL_SET_CNF, 0u);
  at(9'999);
  EXPECT_EQ(isa.rises(20), 0u);
  at(10'000);
  EXPECT_EQ(isa.rises(20), 1u);
  EXPECT_EQ(get(comparator(0)), 14'000u);
  at(26'500);
  EXPECT_EQ(isa.rises(20), 5u);
}

TEST_F(Hpet, one_write_sets_both) {
  start();
  set(config(0), INT_ENB_CNF | TYPE_CNF | VAL_SET_CNF);
  set(comparator(0), 3'000);
  at(9'000);
  EXPECT_EQ(isa.rises(20), 3u);
}

TEST_F(Hpet, narrow_periodic_comparator_comes_round) {
  set(MAIN_CNT, 0xffff'ff00);
  set(config(0), INT_ENB_CNF | TYPE_CNF | VAL_SET_CNF | MODE32_CNF);
  set(comparator(0), 0xffff'ff80);
  set(comparator(0), 0x10000);
  start();
  at(0x80);
  EXPECT_EQ(isa.rises(20), 1u);
  EXPECT_EQ(get(comparator(0)), 0xff80u);
  at(0x10080);
  EXPECT_EQ(isa.rises(20), 2u);
}

TEST_F(Hpet, absurd_rate_is_bounded) {
  start();
  set(config(0), INT_ENB_CNF | TYPE_CNF | VAL_SET_CNF);
  set(comparator(0), 1);
  clock.advance(10ms);
  EXPECT_LE(isa.rises(20), 1001u);
  EXPECT_GE(isa.rises(20), 900u);
}

TEST_F(Hpet, periods_the_host_let_slip_are_one_interrupt) {
  start();
  set(config(0), INT_ENB_CNF | TYPE_CNF | VAL_SET_CNF);
  set(comparator(0), 100'000);
  clock.set_now(10500us);
  clock.advance(0ns);
  EXPECT_EQ(isa.rises(20), 1u);
  clock.advance(500us);
  EXPECT_EQ(isa.rises(20), 2u);
}

// ---- legacy replacement

TEST_F(Hpet, timer_without_interrupts_costs_nothing) {
  set(config(0), INT_ENB_CNF | TYPE_CNF | VAL_SET_CNF);
  set(comparator(0), 1000);
  start();
  at(1000);
  set(config(0), TYPE_CNF);
  EXPECT_EQ(clock.armed_timers(), 0u);
  at(5500);
  EXPECT_EQ(get(comparator(0)), 6000u);
  EXPECT_EQ(isa.rises(20), 1u);
  set(config(0), INT_ENB_CNF | TYPE_CNF);
  at(6000);
  EXPECT_EQ(isa.rises(20), 2u);
}

TEST_F(Hpet, replaces_pit_and_rtc_while_it_is_told_to) {
  core::IrqLine pit(irqs.board(), 0);
  core::IrqLine rtc(irqs.board(), 8);
  pit.set(true);
  EXPECT_TRUE(isa.level(0));
  set(config(0), INT_ENB_CNF);
  set(config(1), INT_ENB_CNF | INT_TYPE_CNF);
  set(GEN_CONF, ENABLE_CNF | LEG_RT_CNF);
  EXPECT_FALSE(isa.level(0));
  isa.clear();
  pit.pulse();
  rtc.set(true);
  EXPECT_TRUE(isa.changes.empty());
  set(comparator(0), 1000);
  set(comparator(1), 2000);
  at(2000);
  EXPECT_EQ(isa.rises(0), 1u);
  EXPECT_TRUE(isa.level(8));
  EXPECT_EQ(isa.rises(20), 0u);
  set(GINTR_STA, 2);
  EXPECT_FALSE(isa.level(8));
  set(GEN_CONF, ENABLE_CNF);
  EXPECT_TRUE(isa.level(8));  // the RTC's
  rtc.set(false);
  EXPECT_FALSE(isa.level(8));
}

TEST_F(Hpet, other_wires_pass_by) {
  core::IrqLine line(irqs.board(), 7);
  line.set(true);
  EXPECT_TRUE(isa.level(7));
}

TEST_F(Hpet, reset_gives_the_wires_back) {
  core::IrqLine pit(irqs.board(), 0);
  set(GEN_CONF, ENABLE_CNF | LEG_RT_CNF);
  pit.set(true);
  EXPECT_FALSE(isa.level(0));
  tests::reset_rig(static_cast<tests::HpetRig&>(*this));
  EXPECT_TRUE(isa.level(0));
}

// ---- state

TEST_F(Hpet, load_goes_on_where_the_other_was) {
  start();
  set(config(0), INT_ENB_CNF | TYPE_CNF | VAL_SET_CNF);
  set(comparator(0), 4'000);
  set(config(1), INT_ENB_CNF | INT_TYPE_CNF | routed(22));
  set(comparator(1), 5'000);
  at(5'500);
  tests::HpetRig copy;
  copy.clock.set_now(clock.now());
  ASSERT_TRUE(tests::load_rig(copy, tests::save_rig(static_cast<tests::HpetRig&>(*this))));
  EXPECT_EQ(copy.get(MAIN_CNT), 5'500u);
  EXPECT_TRUE(copy.isa.level(22));
  copy.isa.clear();
  copy.at(7'999);
  EXPECT_EQ(copy.isa.rises(20), 0u);
  copy.at(8'000);
  EXPECT_EQ(copy.isa.rises(20), 1u);
}

TEST_F(Hpet, obeys_the_state_law) {
  tests::check_state_law<tests::HpetRig>();
}

}  // namespace
