#include "devices/platform/piix4_pm.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/pci/pci_bus.h"
#include "devices/platform/piix4_pm_abi.h"
#include "tests/device/fake_clock.h"
#include "tests/device/fake_wiring.h"
#include "tests/state/state_law.h"

namespace {

using namespace devices::platform::piix4_abi;
using std::chrono::nanoseconds;
using std::chrono::seconds;

constexpr std::uint64_t kBase = 0x600;
constexpr std::uint64_t kSmbus = 0x700;
constexpr core::PciAddress kSlot{1, 3};
// 2^23 ticks of 3.579545 MHz, rounded up: the top bit changes.
constexpr nanoseconds kHalfPeriod{2'343'484'438};

using Sleep = devices::platform::Piix4Pm::Sleep;
using WakeReason = devices::platform::Piix4Pm::WakeReason;
using testing::ElementsAre;
using testing::IsEmpty;

struct PmRig {
  tests::FakeClock clock;
  tests::FakeBus io;
  core::AddressSpace mmio{"mmio", 0};
  core::RamMap map;
  tests::RecordingIrqSink irqs;
  core::PciBus bus{{io.space, mmio, map, irqs}};
  std::vector<Sleep> sleeps;
  devices::platform::Piix4Pm device{{clock, core::IrqLine(irqs, 9), [this](Sleep sleep) { sleeps.push_back(sleep); }}};

  PmRig() {
    EXPECT_TRUE(device.attach(io.space));
    EXPECT_TRUE(bus.plug(kSlot, device));
    set_up();
  }
  // As SeaBIOS does.
  void set_up() {
    bus.config_write(0, kSlot, PMBA, 4, kBase | 1);
    bus.config_write(0, kSlot, PMREGMISC, 1, PMIOSE);
    bus.config_write(0, kSlot, SMBBA, 4, kSmbus | 1);
    bus.config_write(0, kSlot, SMBHSTCFG, 1, 0x09);
  }
  bool sci() const { return irqs.level(9); }
  std::uint16_t status() { return io.in16(kBase + PMSTS); }
  std::uint32_t timer() { return io.in32(kBase + PMTMR); }
  void enable_acpi() { io.out8(APMC, kAcpiEnable); }

  void scribble() {
    set_up();
    enable_acpi();
    io.out16(kBase + PMEN, TMROF | PWRBTN);
    clock.advance(seconds(3));
    io.out16(kBase + PMSTS, TMROF);
    io.out8(kGpeBlock + 2, 0x02);
    device.raise_gpe(1);
    io.out8(APMC + 1, 0x77);
    io.out8(kSmbus + SMBHSTADD, 0xa1);
    io.out8(kSmbus + SMBHSTCNT, SMB_START);
    bus.config_write(0, kSlot, 0x5c, 4, 0x12345678);
    io.out16(kBase + PMCNTRL, SUS_EN | kSusTypRam << kSusTypShift);
  }
};

// Without the set-up, so that reset can be compared with construction.
struct FreshPmRig {
  tests::FakeClock clock;
  devices::platform::Piix4Pm device{{clock, {}, [](auto) {}}};
  void scribble() {
    const std::scoped_lock guard(device.lock());
    device.config_write(PMBA, 4, 0xb001);
    device.config_write(DEVACTB, 4, 0);
  }
};

class Piix4Pm : public testing::Test, protected PmRig {};

TEST_F(Piix4Pm, identifies_itself) {
  EXPECT_EQ(bus.config_read(0, kSlot, 0x00, 4), 0x71138086u);
  EXPECT_EQ(bus.config_read(0, kSlot, 0x08, 4), 0x06800003u);
}

TEST_F(Piix4Pm, looks_as_if_system_management_mode_were_set_up) {
  EXPECT_EQ(bus.config_read(0, kSlot, APMC_EN_BYTE, 1), APMC_EN);
}

TEST_F(Piix4Pm, block_follows_its_base_and_enable) {
  EXPECT_NE(io.in16(kBase + PMCNTRL), 0xffff);
  bus.config_write(0, kSlot, PMBA, 4, 0xb001);
  EXPECT_EQ(io.in16(kBase + PMCNTRL), 0xffff);
  EXPECT_EQ(io.in16(0xb000 + PMCNTRL), 0);
  bus.config_write(0, kSlot, PMREGMISC, 1, 0);
  EXPECT_EQ(io.in16(0xb000 + PMCNTRL), 0xffff);
}

TEST_F(Piix4Pm, base_at_zero_is_not_decoded) {
  bus.config_write(0, kSlot, PMBA, 4, 1);
  EXPECT_EQ(io.in16(0 + PMCNTRL), 0xffff);
}

TEST_F(Piix4Pm, timer_counts_at_its_rate_in_24_bits) {
  EXPECT_EQ(timer(), 0u);
  clock.advance(seconds(1));
  EXPECT_EQ(timer(), 3'579'545u);
  clock.advance(seconds(9));
  EXPECT_EQ(timer(), 35'795'450u & 0xffffff);
  EXPECT_EQ(io.in16(kBase + PMTMR + 2), (35'795'450u & 0xffffff) >> 16);
}

TEST_F(Piix4Pm, timer_keeps_its_rate_over_years) {
  clock.set_now(std::chrono::hours(24 * 365 * 30));
  const auto before = timer();
  clock.set_now(clock.now() + seconds(1));
  EXPECT_EQ((timer() - before) & 0xffffff, 3'579'545u);
}

TEST_F(Piix4Pm, overflow_is_seen_without_an_interrupt) {
  clock.advance(kHalfPeriod - nanoseconds(1));
  EXPECT_EQ(status() & TMROF, 0);
  clock.advance(nanoseconds(1));
  EXPECT_EQ(timer(), 0x800000u);
  EXPECT_EQ(status() & TMROF, TMROF);
  EXPECT_EQ(clock.armed_timers(), 0u) << "an idle guest that does not ask costs nothing";
}

TEST_F(Piix4Pm, overflow_interrupts_when_asked_for) {
  enable_acpi();
  io.out16(kBase + PMEN, TMROF);
  clock.advance(kHalfPeriod);
  EXPECT_TRUE(sci());
  io.out16(kBase + PMSTS, TMROF);
  EXPECT_FALSE(sci());
  EXPECT_EQ(status() & TMROF, 0);
  clock.advance(kHalfPeriod);
  EXPECT_TRUE(sci());
}

TEST_F(Piix4Pm, status_bits_clear_by_writing_one_in_a_byte) {
  device.press_power_button();
  io.out8(kBase + PMSTS, 0xff);
  EXPECT_EQ(status() & PWRBTN, PWRBTN);
  io.out8(kBase + PMSTS + 1, PWRBTN >> 8);
  EXPECT_EQ(status() & PWRBTN, 0);
}

TEST_F(Piix4Pm, power_button_raises_the_sci_if_enabled) {
  enable_acpi();
  device.press_power_button();
  EXPECT_FALSE(sci());
  io.out16(kBase + PMEN, PWRBTN);
  EXPECT_TRUE(sci());
  io.out16(kBase + PMSTS, PWRBTN);
  EXPECT_FALSE(sci());
}

TEST_F(Piix4Pm, without_acpi_there_is_no_sci) {
  io.out16(kBase + PMEN, PWRBTN);
  device.press_power_button();
  EXPECT_FALSE(sci());
  enable_acpi();
  EXPECT_TRUE(sci());
  io.out8(APMC, kAcpiDisable);
  EXPECT_FALSE(sci());
}

TEST_F(Piix4Pm, acpi_is_switched_by_the_apm_port) {
  EXPECT_EQ(io.in16(kBase + PMCNTRL) & SCI_EN, 0);
  enable_acpi();
  EXPECT_EQ(io.in16(kBase + PMCNTRL) & SCI_EN, SCI_EN);
  EXPECT_EQ(io.in8(APMC), kAcpiEnable);
  io.out16(APMC, 0x1200 | kAcpiDisable);
  EXPECT_EQ(io.in16(kBase + PMCNTRL) & SCI_EN, 0);
  EXPECT_EQ(io.in8(APMC + 1), 0x12);
}

TEST_F(Piix4Pm, soft_off_powers_off) {
  io.out16(kBase + PMCNTRL, kSusTypSoftOff << kSusTypShift);
  EXPECT_THAT(sleeps, IsEmpty());
  io.out16(kBase + PMCNTRL, SUS_EN | kSusTypSoftOff << kSusTypShift | SCI_EN);
  EXPECT_THAT(sleeps, ElementsAre(Sleep::SoftOff));
  EXPECT_EQ(io.in16(kBase + PMCNTRL), SCI_EN) << "the sleep bit reads as zero";
}

TEST_F(Piix4Pm, soft_off_works_by_bytes) {
  io.out8(kBase + PMCNTRL + 1, SUS_EN >> 8);
  EXPECT_THAT(sleeps, ElementsAre(Sleep::SoftOff));
}

TEST_F(Piix4Pm, unknown_sleep_type_does_nothing) {
  io.out16(kBase + PMCNTRL, SUS_EN | 3 << kSusTypShift);
  io.out16(kBase + PMCNTRL, SUS_EN | 7 << kSusTypShift);
  EXPECT_THAT(sleeps, IsEmpty());
}

TEST_F(Piix4Pm, hibernation_is_told_from_soft_off) {
  io.out16(kBase + PMCNTRL, SUS_EN | kSusTypDisk << kSusTypShift);
  EXPECT_THAT(sleeps, ElementsAre(Sleep::ToDisk));
  EXPECT_FALSE(device.suspended());
}

TEST_F(Piix4Pm, suspend_lasts_until_the_next_reset) {
  io.out16(kBase + PMCNTRL, kSusTypRam << kSusTypShift);
  EXPECT_FALSE(device.suspended());
  io.out16(kBase + PMCNTRL, SUS_EN | kSusTypRam << kSusTypShift);
  EXPECT_TRUE(device.suspended());
  tests::reset_rig(static_cast<PmRig&>(*this));
  EXPECT_FALSE(device.suspended());
}

TEST_F(Piix4Pm, suspend_is_asked_for_once) {
  io.out16(kBase + PMCNTRL, SUS_EN | kSusTypRam << kSusTypShift);
  io.out16(kBase + PMCNTRL, SUS_EN | kSusTypRam << kSusTypShift);
  EXPECT_THAT(sleeps, ElementsAre(Sleep::ToRam));
}

TEST_F(Piix4Pm, wake_up_says_who_did_it) {
  device.note_wake_up(WakeReason::PowerButton);
  EXPECT_EQ(status() & (RSM_STS | PWRBTN | RTC), RSM_STS | PWRBTN);
  io.out16(kBase + PMSTS, 0xffff);
  EXPECT_EQ(status(), 0);
  device.note_wake_up(WakeReason::Alarm);
  EXPECT_EQ(status() & (RSM_STS | PWRBTN | RTC), RSM_STS | RTC);
}

TEST_F(Piix4Pm, alarm_wakes_only_if_enabled) {
  EXPECT_FALSE(device.wakes_by_alarm());
  io.out16(kBase + PMEN, RTC);
  EXPECT_TRUE(device.wakes_by_alarm());
}

TEST_F(Piix4Pm, load_of_a_suspended_machine_asks_for_nothing) {
  io.out16(kBase + PMCNTRL, SUS_EN | kSusTypRam << kSusTypShift);
  PmRig copy;
  ASSERT_TRUE(tests::load_rig(copy, tests::save_rig(static_cast<PmRig&>(*this))));
  EXPECT_TRUE(copy.device.suspended());
  EXPECT_THAT(copy.sleeps, IsEmpty());
}

TEST_F(Piix4Pm, write_across_event_registers_reaches_both) {
  device.press_power_button();
  io.out32(kBase + PMSTS, std::uint32_t{PWRBTN} << 16 | PWRBTN);
  EXPECT_EQ(io.in32(kBase + PMSTS), std::uint32_t{PWRBTN} << 16);
}

TEST_F(Piix4Pm, general_purpose_event_raises_the_sci_until_cleared) {
  enable_acpi();
  device.raise_gpe(9);
  EXPECT_FALSE(sci());
  EXPECT_EQ(io.in32(kGpeBlock), 0x0200u);
  io.out8(kGpeBlock + 3, 0x02);
  EXPECT_TRUE(sci());
  io.out8(kGpeBlock + 1, 0x02);
  EXPECT_FALSE(sci());
  EXPECT_EQ(io.in32(kGpeBlock), 0x0200'0000u);
}

TEST_F(Piix4Pm, smbus_transaction_finds_nobody) {
  EXPECT_EQ(io.in8(kSmbus + SMBHSTSTS), 0);
  io.out8(kSmbus + SMBHSTADD, 0xa1);
  io.out8(kSmbus + SMBHSTCMD, 0x02);
  io.out8(kSmbus + SMBHSTCNT, SMB_START | 0x08);
  EXPECT_EQ(io.in8(kSmbus + SMBHSTSTS), SMB_DEV_ERR);
  EXPECT_EQ(io.in8(kSmbus + SMBHSTCNT), 0x08);
  io.out8(kSmbus + SMBHSTSTS, 0xff);
  EXPECT_EQ(io.in8(kSmbus + SMBHSTSTS), 0);
}

TEST_F(Piix4Pm, load_arms_the_timer_again) {
  enable_acpi();
  io.out16(kBase + PMEN, TMROF);
  clock.advance(seconds(1));
  PmRig copy;
  copy.clock.set_now(clock.now());
  ASSERT_TRUE(tests::load_rig(copy, tests::save_rig(static_cast<PmRig&>(*this))));
  copy.clock.advance(kHalfPeriod - seconds(1));
  EXPECT_TRUE(copy.sci());
}

TEST(Piix4PmState, is_kept_by_save_and_load) {
  tests::check_save_and_load<PmRig>();
  tests::check_truncated_state<PmRig>();
  tests::check_damaged_state<PmRig>();
}

TEST(Piix4PmState, reset_equals_fresh) {
  tests::check_reset_equals_fresh<FreshPmRig>();
}

}  // namespace
