// The HPET in the hands of a test: its registers, its clock, and the wires it shares with PIT and RTC.
#pragma once

#include <gtest/gtest.h>

#include "devices/platform/hpet.h"
#include "tests/device/fake_clock.h"
#include "tests/device/fake_wiring.h"

namespace tests {

namespace hpet = devices::platform::hpet_abi;

struct HpetRig {
  FakeBus mmio{0};
  FakeClock clock;
  RecordingIrqSink isa;
  devices::platform::LegacyReplacement irqs{isa};
  devices::platform::Hpet device{{.irqs = irqs, .clock = clock}};

  HpetRig() { EXPECT_TRUE(device.attach(mmio.space)); }

  std::uint64_t get(std::uint64_t offset, unsigned width = 8) { return mmio.space.read(hpet::kBase + offset, width); }
  void set(std::uint64_t offset, std::uint64_t value, unsigned width = 8) {
    mmio.space.write(hpet::kBase + offset, width, value);
  }
  static std::uint64_t config(unsigned timer) { return hpet::TIM_CONF + timer * hpet::kTimerStride; }
  static std::uint64_t comparator(unsigned timer) { return hpet::TIM_COMP + timer * hpet::kTimerStride; }
  static std::uint64_t routed(unsigned input) { return std::uint64_t{input} << hpet::kRouteShift; }
  void start() { set(hpet::GEN_CONF, hpet::ENABLE_CNF); }
  void at(std::int64_t tick) { clock.advance_to(core::GuestTime(tick * 10)); }

  void scribble() {
    set(hpet::MAIN_CNT, 0x1'2345'6789);
    set(config(0), hpet::INT_ENB_CNF | hpet::TYPE_CNF | hpet::VAL_SET_CNF);
    set(comparator(0), 0x1'2345'7000);
    set(comparator(0), 5000);
    set(config(1), hpet::INT_ENB_CNF | hpet::INT_TYPE_CNF | hpet::MODE32_CNF | routed(22));
    set(config(2), hpet::INT_ENB_CNF | routed(23));
    set(hpet::GEN_CONF, hpet::ENABLE_CNF | hpet::LEG_RT_CNF);
    set(comparator(1), get(hpet::MAIN_CNT) + 300);
    set(comparator(2), get(hpet::MAIN_CNT) + 400);
    clock.advance(std::chrono::microseconds(40));
    set(hpet::GINTR_STA, 1);
    set(comparator(2), 77, 4);
  }
};

}  // namespace tests
