#include "devices/platform/rtc.h"

#include <gtest/gtest.h>

#include "tests/device/fake_clock.h"
#include "tests/device/fake_wiring.h"
#include "tests/state/state_law.h"

namespace {

using namespace std::chrono_literals;

constexpr std::uint64_t kMiB = 1 << 20;

// Saturday 2005-12-31 23:59:57.
constexpr std::chrono::sys_seconds kStart = std::chrono::sys_days(2005y / 12 / 31) + 23h + 59min + 57s;

struct RtcRig {
  tests::FakeBus io;
  tests::FakeClock clock;
  tests::RecordingIrqSink isa;
  std::vector<bool> nmi_masks;
  unsigned alarms = 0;
  devices::platform::Rtc device;

  explicit RtcRig(const devices::platform::Rtc::Config& config = {.start = kStart, .cmos = {}})
      : device(config, {.isa = isa,
                        .clock = clock,
                        .nmi_mask = [this](bool masked) { nmi_masks.push_back(masked); },
                        .alarm = [this] { ++alarms; }}) {
    EXPECT_TRUE(device.attach(io.space));
  }

  std::uint8_t get(unsigned index) {
    io.out8(0x70, index);
    return io.in8(0x71);
  }
  void set(unsigned index, unsigned value) {
    io.out8(0x70, index);
    io.out8(0x71, value);
  }
  bool irq() const { return isa.level(8); }
  // Year, month, day, hour, minute, second as the registers show them.
  std::vector<unsigned> date() {
    std::vector<unsigned> bytes;
    for (const unsigned index : {0x09U, 0x08U, 0x07U, 0x04U, 0x02U, 0x00U})
      bytes.push_back(get(index));
    return bytes;
  }

  void scribble() {
    set(0x0b, 0x72);
    clock.advance(1300ms);
    set(0x05, 0xc0);
    set(0x01, 0x30);
    set(0x0a, 0x2d);
    get(0x0c);
    set(0x0b, 0x82);
    set(0x09, 0x99);
    set(0x08, 0xee);
    set(0x04, 0xff);
    set(0x0b, 0x46);
    set(0x50, 0x5a);
    io.out8(0x72, 0x13);
    io.out8(0x73, 0x77);
    clock.advance(2600ms);
    io.out8(0x70, 0x8c);
  }
};

class Rtc : public testing::Test, protected RtcRig {};

// ---- date

TEST_F(Rtc, starts_at_the_configured_date) {
  EXPECT_EQ(date(), (std::vector<unsigned>{0x05, 0x12, 0x31, 0x23, 0x59, 0x57}));
  EXPECT_EQ(get(0x06), 7);
  EXPECT_EQ(get(0x32), 0x20);
  EXPECT_EQ(get(0x37), 0x20);
}

TEST_F(Rtc, rolls_over_the_year) {
  clock.advance(3s);
  EXPECT_EQ(date(), (std::vector<unsigned>{0x06, 0x01, 0x01, 0x00, 0x00, 0x00}));
  EXPECT_EQ(get(0x06), 1);
}

TEST_F(Rtc, start_between_seconds_keeps_the_fraction) {
  RtcRig late({.start = kStart + 700ms, .cmos = {}});
  late.clock.advance(299ms);
  EXPECT_EQ(late.get(0x00), 0x57);
  late.clock.advance(1ms);
  EXPECT_EQ(late.get(0x00), 0x58);
}

TEST_F(Rtc, binary_mode_shows_binary) {
  set(0x0b, 0x06);
  EXPECT_EQ(date(), (std::vector<unsigned>{5, 12, 31, 23, 59, 57}));
  EXPECT_EQ(get(0x32), 20);
}

TEST_F(Rtc, twelve_hour_mode_marks_the_afternoon) {
  set(0x0b, 0x00);
  EXPECT_EQ(get(0x04), 0x91);
  clock.advance(3s);
  EXPECT_EQ(get(0x04), 0x12);  // midnight
  clock.advance(12h);
  EXPECT_EQ(get(0x04), 0x92);  // noon
  clock.advance(1h);
  EXPECT_EQ(get(0x04), 0x81);
}

TEST_F(Rtc, set_bit_stops_the_clock_for_writing) {
  set(0x0b, 0x82);
  clock.advance(10s);
  EXPECT_EQ(get(0x00), 0x57);
  set(0x09, 0x24);
  set(0x08, 0x02);
  set(0x07, 0x28);
  set(0x04, 0x23);
  set(0x02, 0x59);
  set(0x00, 0x59);
  set(0x0b, 0x02);
  clock.advance(1s);
  EXPECT_EQ(date(), (std::vector<unsigned>{0x24, 0x02, 0x29, 0x00, 0x00, 0x00}));
}

TEST_F(Rtc, write_to_the_running_clock_changes_that_field) {
  clock.advance(500ms);
  set(0x02, 0x30);
  EXPECT_EQ(date(), (std::vector<unsigned>{0x05, 0x12, 0x31, 0x23, 0x30, 0x57}));
  clock.advance(500ms);
  EXPECT_EQ(get(0x00), 0x58);
}

TEST_F(Rtc, century_byte_of_windows_is_the_same) {
  set(0x37, 0x19);
  EXPECT_EQ(get(0x32), 0x19);
}

TEST_F(Rtc, divider_reset_lets_go_after_half_a_second) {
  set(0x0a, 0x70);
  clock.advance(5s);
  EXPECT_EQ(get(0x00), 0x57);
  set(0x0a, 0x26);
  clock.advance(499ms);
  EXPECT_EQ(get(0x00), 0x57);
  clock.advance(1ms);
  EXPECT_EQ(get(0x00), 0x58);
}

TEST_F(Rtc, linux_sets_the_time_with_set_and_divider_reset) {
  set(0x0b, 0x82);
  set(0x0a, 0x76);
  set(0x00, 0x10);
  set(0x0b, 0x02);
  clock.advance(2s);
  EXPECT_EQ(get(0x00), 0x10);
  set(0x0a, 0x26);
  clock.advance(500ms);
  EXPECT_EQ(get(0x00), 0x11);
}

TEST_F(Rtc, nonsense_date_becomes_some_date) {
  set(0x0b, 0x82);
  for (const unsigned index : {0x00U, 0x02U, 0x04U, 0x07U, 0x08U, 0x09U, 0x32U})
    set(index, 0xff);
  set(0x0b, 0x02);
  EXPECT_EQ(get(0x32), 0x99);
  EXPECT_EQ(get(0x09), 0x99);
}

// ---- update cycle

TEST_F(Rtc, update_in_progress_precedes_the_second) {
  clock.advance(997ms);
  EXPECT_EQ(get(0x0a), 0x26);
  clock.advance(1ms);
  EXPECT_EQ(get(0x0a), 0xa6);
  EXPECT_EQ(get(0x00), 0x57);
  clock.advance(2ms);
  EXPECT_EQ(get(0x0a), 0x26);
  EXPECT_EQ(get(0x00), 0x58);
}

TEST_F(Rtc, stopped_clock_never_updates) {
  set(0x0b, 0x82);
  clock.advance(999ms);
  EXPECT_EQ(get(0x0a), 0x26);
}

TEST_F(Rtc, update_flag_appears_without_a_timer) {
  clock.advance(999ms);
  EXPECT_EQ(get(0x0c), 0x40);  // 1024 Hz flag
  clock.advance(1ms);
  EXPECT_EQ(get(0x0c) & 0x10, 0x10);
  EXPECT_EQ(get(0x0c) & 0x10, 0x00);
  EXPECT_EQ(clock.fired(), 0u);
  EXPECT_FALSE(irq());
}

TEST_F(Rtc, update_interrupt_comes_each_second_that_is_fetched) {
  set(0x0b, 0x12);
  clock.advance(1s);
  EXPECT_TRUE(irq());
  EXPECT_EQ(get(0x0c) & 0xb0, 0x90);
  EXPECT_FALSE(irq());
  clock.advance(1s);
  EXPECT_TRUE(irq());
  clock.advance(10s);
  EXPECT_EQ(isa.rises(8), 2u);
  EXPECT_EQ(clock.armed_timers(), 0u);
}

TEST_F(Rtc, set_bit_clears_the_update_enable) {
  set(0x0b, 0x92);
  EXPECT_EQ(get(0x0b), 0x82);
}

TEST_F(Rtc, enabling_with_the_flag_already_up_interrupts_at_once) {
  clock.advance(1s);
  set(0x0b, 0x12);
  EXPECT_TRUE(irq());
  set(0x0b, 0x02);
  EXPECT_FALSE(irq());
}

// ---- alarm

TEST_F(Rtc, alarm_interrupts_at_its_time) {
  set(0x05, 0x00);
  set(0x03, 0x01);
  set(0x01, 0x30);
  set(0x0b, 0x22);
  clock.advance(92s);
  EXPECT_FALSE(irq());
  clock.advance(1s);
  EXPECT_TRUE(irq());
  EXPECT_EQ(get(0x0c) & 0xa0, 0xa0);
}

TEST_F(Rtc, alarm_with_dont_care_fields_repeats) {
  set(0x05, 0xff);
  set(0x03, 0xff);
  set(0x01, 0x00);
  set(0x0b, 0x22);
  clock.advance(3s);
  EXPECT_TRUE(irq());
  get(0x0c);
  clock.advance(59s);
  EXPECT_FALSE(irq());
  clock.advance(1s);
  EXPECT_TRUE(irq());
}

TEST_F(Rtc, alarm_is_told_once_for_each_time_it_rings) {
  set(0x05, 0xff);
  set(0x03, 0xff);
  set(0x01, 0x00);
  set(0x0b, 0x22);
  EXPECT_EQ(device.next_ring(), std::optional<core::GuestTime>(3s));
  clock.advance(3s);
  EXPECT_EQ(alarms, 1u);
  EXPECT_TRUE(device.alarm_rings());
  EXPECT_EQ(device.next_ring(), std::nullopt) << "it rings already";
  clock.advance(60s);
  EXPECT_EQ(alarms, 1u);
  get(0x0c);
  EXPECT_FALSE(device.alarm_rings());
  clock.advance(60s);
  EXPECT_EQ(alarms, 2u);
}

TEST_F(Rtc, alarm_rings_beside_an_update_that_nobody_fetched) {
  set(0x05, 0xff);
  set(0x03, 0xff);
  set(0x01, 0x00);
  set(0x0b, 0x32);
  clock.advance(1s);
  EXPECT_TRUE(irq());
  EXPECT_EQ(alarms, 0u);
  clock.advance(2s);
  EXPECT_EQ(alarms, 1u);
}

TEST_F(Rtc, alarm_without_its_interrupt_is_not_told) {
  set(0x05, 0xff);
  set(0x03, 0xff);
  set(0x01, 0x00);
  clock.advance(3s);
  EXPECT_FALSE(device.alarm_rings());
  EXPECT_EQ(device.next_ring(), std::nullopt);
  EXPECT_EQ(alarms, 0u);
}

TEST_F(Rtc, shutdown_code_is_found_after_the_reset) {
  tests::reset_rig(static_cast<RtcRig&>(*this));
  device.set_shutdown_code(0xfe);
  EXPECT_EQ(get(0x0f), 0xfe);
}

TEST_F(Rtc, alarm_in_twelve_hour_mode) {
  set(0x0b, 0x00);
  set(0x05, 0x82);  // 2 pm
  set(0x03, 0x00);
  set(0x01, 0x00);
  set(0x0b, 0x20);
  clock.advance(14h + 2s);
  EXPECT_FALSE(irq());
  clock.advance(1s);
  EXPECT_TRUE(irq());
}

TEST_F(Rtc, alarm_on_a_day_of_the_month_waits_for_it) {
  set(0x05, 0x06);
  set(0x03, 0x00);
  set(0x01, 0x00);
  set(0x0d, 0x02);  // 2006-01-02 06:00
  EXPECT_EQ(get(0x0d), 0x82);
  get(0x0c);
  set(0x0b, 0x22);
  clock.advance(30h);
  EXPECT_FALSE(irq());
  clock.advance(3s);
  EXPECT_TRUE(irq());
  EXPECT_EQ(get(0x0c) & 0x20, 0x20);
}

TEST_F(Rtc, alarm_on_the_31st_may_be_two_months_away) {
  clock.advance(24h * 32);  // to 2006-02-01
  set(0x05, 0x00);
  set(0x03, 0x00);
  set(0x01, 0x00);
  set(0x0d, 0x31);
  get(0x0c);
  set(0x0b, 0x22);
  clock.advance(24h * 57);
  EXPECT_FALSE(irq());
  clock.advance(24h);
  EXPECT_TRUE(irq());
}

TEST_F(Rtc, alarm_on_no_day_needs_no_timer) {
  set(0x0d, 0x3f);
  set(0x0b, 0x22);
  EXPECT_EQ(clock.armed_timers(), 0u);
}

TEST_F(Rtc, alarm_at_no_time_needs_no_timer) {
  set(0x05, 0x77);
  set(0x0b, 0x22);
  EXPECT_EQ(clock.armed_timers(), 0u);
}

TEST_F(Rtc, alarm_flag_is_found_late_without_its_interrupt) {
  set(0x05, 0x00);
  set(0x03, 0x00);
  set(0x01, 0x10);
  clock.advance(1h);
  EXPECT_EQ(get(0x0c) & 0xa0, 0x20);
}

// ---- periodic

TEST_F(Rtc, periodic_interrupt_keeps_its_rate) {
  set(0x0a, 0x2f);  // 2 Hz
  set(0x0b, 0x42);
  unsigned interrupts = 0;
  for (int i = 0; i < 100; ++i) {
    clock.advance(100ms);
    if (irq()) {
      ++interrupts;
      EXPECT_EQ(get(0x0c) & 0xc0, 0xc0);
    }
  }
  EXPECT_EQ(interrupts, 20u);
}

TEST_F(Rtc, rate_one_is_256_hz) {
  set(0x0a, 0x21);
  set(0x0b, 0x42);
  clock.advance(3906us);
  EXPECT_FALSE(irq());
  clock.advance(1us);
  EXPECT_TRUE(irq());
}

TEST_F(Rtc, rate_zero_and_divider_reset_are_silent) {
  set(0x0b, 0x42);
  set(0x0a, 0x20);
  EXPECT_EQ(clock.armed_timers(), 0u);
  set(0x0a, 0x66);
  EXPECT_EQ(clock.armed_timers(), 0u);
}

TEST_F(Rtc, periods_the_guest_missed_come_again_after_the_fetch) {
  set(0x0a, 0x2a);  // 64 Hz: 15.625 ms
  set(0x0b, 0x42);
  clock.advance(16ms);
  ASSERT_TRUE(irq());
  clock.advance(47ms);  // three more pass unseen
  get(0x0c);
  EXPECT_FALSE(irq());
  clock.advance(4ms);
  EXPECT_TRUE(irq());
  get(0x0c);
  clock.advance(4ms);
  EXPECT_TRUE(irq());
  get(0x0c);
  clock.advance(4ms);
  EXPECT_TRUE(irq());
}

TEST(RtcThatDiscards, periods_the_guest_missed_are_gone) {
  RtcRig rig({.start = kStart, .cmos = {}, .makes_up = false});
  rig.set(0x0b, 0x42);
  rig.clock.advance(20ms);
  rig.get(0x0c);
  EXPECT_FALSE(rig.irq());
  rig.isa.clear();
  for (int fetch = 0; fetch < 10; ++fetch) {
    rig.clock.advance(1ms);
    rig.get(0x0c);
  }
  EXPECT_LE(rig.isa.rises(8), 11u);
  EXPECT_GE(rig.isa.rises(8), 9u);
}

TEST_F(Rtc, unfetched_interrupt_stops_the_timer) {
  set(0x0b, 0x42);
  clock.advance(1s);
  EXPECT_EQ(clock.fired(), 1u);
}

TEST_F(Rtc, idle_clock_needs_no_timer) {
  EXPECT_EQ(clock.armed_timers(), 0u);
}

// ---- memory and ports

TEST_F(Rtc, memory_keeps_what_is_written) {
  set(0x50, 0x5a);
  EXPECT_EQ(get(0x50), 0x5a);
  EXPECT_EQ(get(0xd0), 0x5a);  // bit 7 is the NMI mask
  EXPECT_EQ(io.in8(0x70), 0xff);
}

TEST_F(Rtc, extended_bank_is_apart) {
  set(0x50, 0x5a);
  io.out8(0x72, 0x50);
  EXPECT_EQ(io.in8(0x73), 0x00);
  io.out8(0x73, 0xa5);
  EXPECT_EQ(io.in8(0x73), 0xa5);
  EXPECT_EQ(get(0x50), 0x5a);
}

TEST_F(Rtc, read_only_registers_stay) {
  set(0x0c, 0xff);
  set(0x0d, 0x00);
  set(0x0a, 0xa6);
  EXPECT_EQ(get(0x0c), 0x00);
  EXPECT_EQ(get(0x0d), 0x80);
  EXPECT_EQ(get(0x0a), 0x26);
}

TEST_F(Rtc, index_bit_7_masks_nmi) {
  io.out8(0x70, 0x8f);
  io.out8(0x70, 0x8f);
  io.out8(0x70, 0x0f);
  EXPECT_EQ(nmi_masks, (std::vector<bool>{true, false}));
}

TEST_F(Rtc, reset_keeps_memory_and_date_and_disables_interrupts) {
  set(0x0f, 0x05);
  set(0x0b, 0x72);
  clock.advance(1s);
  EXPECT_TRUE(irq());
  tests::reset_rig(static_cast<RtcRig&>(*this));
  EXPECT_FALSE(irq());
  EXPECT_EQ(clock.armed_timers(), 0u);
  EXPECT_EQ(get(0x0b), 0x02);
  EXPECT_EQ(get(0x0f), 0x05);
  EXPECT_EQ(get(0x00), 0x58);
}

TEST_F(Rtc, load_goes_on_with_date_and_alarm) {
  set(0x05, 0xff);
  set(0x03, 0xff);
  set(0x01, 0x00);
  set(0x0b, 0x22);
  clock.advance(1500ms);
  RtcRig copy({.start = kStart - 1000h, .cmos = {}});
  copy.clock.set_now(clock.now());
  ASSERT_TRUE(tests::load_rig(copy, tests::save_rig(static_cast<RtcRig&>(*this))));
  EXPECT_EQ(copy.get(0x00), 0x58);
  copy.clock.advance(1500ms);
  EXPECT_TRUE(copy.irq());
}

TEST_F(Rtc, obeys_the_state_law) {
  tests::check_save_and_load<RtcRig>();
  tests::check_truncated_state<RtcRig>();
  tests::check_damaged_state<RtcRig>();
}

// ---- contents

using devices::platform::BootDevice;
using devices::platform::cmos_contents;
using devices::platform::FloppyDrive;

TEST(CmosContents, memory_of_512_mib) {
  const auto cmos = cmos_contents({.ram_below_4g_bytes = 512 * kMiB});
  EXPECT_EQ(cmos[0x15] | cmos[0x16] << 8, 640);
  EXPECT_EQ(cmos[0x17] | cmos[0x18] << 8, 0xffff);
  EXPECT_EQ(cmos[0x30] | cmos[0x31] << 8, 0xffff);
  EXPECT_EQ(cmos[0x34] | cmos[0x35] << 8, (512 - 16) * 16);
  EXPECT_EQ(cmos[0x5b] | cmos[0x5c] << 8 | cmos[0x5d] << 16, 0);
}

TEST(CmosContents, memory_of_16_mib) {
  const auto cmos = cmos_contents({.ram_below_4g_bytes = 16 * kMiB});
  EXPECT_EQ(cmos[0x17] | cmos[0x18] << 8, 15 * 1024);
  EXPECT_EQ(cmos[0x34] | cmos[0x35] << 8, 0);
}

TEST(CmosContents, memory_above_4_gib) {
  const auto cmos = cmos_contents({.ram_below_4g_bytes = 3072 * kMiB, .ram_above_4g_bytes = 5120 * kMiB});
  EXPECT_EQ(cmos[0x34] | cmos[0x35] << 8, (3072 - 16) * 16);
  EXPECT_EQ(cmos[0x5b] | cmos[0x5c] << 8 | cmos[0x5d] << 16, 5120 * 16);
}

TEST(CmosContents, boot_order_and_processors) {
  const auto cmos =
      cmos_contents({.cpus = 4, .boot_order = {BootDevice::CdRom, BootDevice::Disk, BootDevice::Network}});
  EXPECT_EQ(cmos[0x3d], 0x23);
  EXPECT_EQ(cmos[0x38], 0x40);
  EXPECT_EQ(cmos[0x5f], 3);
}

TEST(CmosContents, floppies_and_equipment) {
  EXPECT_EQ(cmos_contents({})[0x14], 0x06);
  const auto cmos = cmos_contents({.floppies = {FloppyDrive::Mb1_44, FloppyDrive::Mb2_88}});
  EXPECT_EQ(cmos[0x10], 0x45);
  EXPECT_EQ(cmos[0x14], 0x47);
}

TEST(CmosContents, extra_bytes_win) {
  EXPECT_EQ(cmos_contents({.bytes = {{.index = 0x12, .value = 0xf0}}})[0x12], 0xf0);
}

}  // namespace
