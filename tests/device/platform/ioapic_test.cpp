#include "devices/platform/ioapic.h"

#include <gtest/gtest.h>

#include "tests/device/fake_wiring.h"
#include "tests/state/state_law.h"

namespace {

constexpr std::uint64_t kBase = 0xfec00000;

class RecordingRoutes final : public core::IoApicRouteSink {
 public:
  void set_ioapic_routes(const std::array<core::IoApicRoute, core::kIoApicPins>& routes) override {
    ++calls;
    now = routes;
  }
  unsigned calls = 0;
  std::array<core::IoApicRoute, core::kIoApicPins> now{};
};

struct IoApicRig {
  tests::FakeBus mmio{std::uint64_t{1} << 32};
  tests::RecordingMsiSink msi;
  RecordingRoutes routes;
  devices::platform::IoApic device{{.msi = msi, .routes = routes}};

  IoApicRig() { EXPECT_TRUE(device.attach(mmio.space)); }

  std::uint32_t window(unsigned index) {
    mmio.out32(kBase, index);
    return mmio.in32(kBase + 0x10);
  }
  void set_window(unsigned index, std::uint32_t value) {
    mmio.out32(kBase, index);
    mmio.out32(kBase + 0x10, value);
  }
  void route(unsigned pin, std::uint32_t low, std::uint32_t high = 0) {
    set_window(0x11 + 2 * pin, high);
    set_window(0x10 + 2 * pin, low);
  }

  void scribble() {
    set_window(0, 0x0f000000);
    route(3, 0x8831, 0x02000000);
    route(11, 0x19932);
    route(4, 0x0033);
    device.set_input(3, true);
    device.set_input(11, true);
    device.set_input(4, true);
    device.eoi(0x32);
  }
  void release_inputs() {
    for (unsigned pin = 0; pin < core::kIoApicPins; ++pin)
      device.set_input(pin, false);
  }
};

class IoApic : public testing::Test, protected IoApicRig {};

TEST_F(IoApic, version_tells_24_pins_and_the_eoi_register) {
  EXPECT_EQ(window(1), 0x00170020u);
}

TEST_F(IoApic, id_keeps_four_bits_and_shows_in_arbitration) {
  set_window(0, 0xff000000);
  EXPECT_EQ(window(0), 0x0f000000u);
  EXPECT_EQ(window(2), 0x0f000000u);
}

TEST_F(IoApic, pins_start_masked) {
  EXPECT_EQ(window(0x10), 0x00010000u);
  EXPECT_EQ(window(0x3f), 0u);
  device.set_input(1, true);
  EXPECT_TRUE(msi.messages.empty());
}

TEST_F(IoApic, select_reads_back_and_unknown_registers_read_zero) {
  EXPECT_EQ(window(0x40), 0u);
  EXPECT_EQ(window(0x0f), 0u);
  EXPECT_EQ(mmio.in32(kBase), 0x0fu);
  EXPECT_EQ(mmio.in32(kBase + 0x20), 0u);
}

TEST_F(IoApic, narrow_access_does_nothing) {
  mmio.out32(kBase, 1);
  mmio.out8(kBase, 0);
  EXPECT_EQ(mmio.in32(kBase), 1u);
  EXPECT_EQ(mmio.in8(kBase + 0x10), 0);
}

TEST_F(IoApic, read_only_and_reserved_bits_stay) {
  route(5, 0xffffffff, 0xffffffff);
  EXPECT_EQ(window(0x1a), 0x0001afffu);
  EXPECT_EQ(window(0x1b), 0xff000000u);
}

TEST_F(IoApic, edge_sends_its_message_once) {
  route(4, 0x0031, 0x03000000);
  device.set_input(4, true);
  device.set_input(4, true);
  ASSERT_EQ(msi.messages.size(), 1u);
  EXPECT_EQ(msi.messages[0], (core::MsiMessage{.address = 0xfee03000, .data = 0x31}));
  device.set_input(4, false);
  device.set_input(4, true);
  EXPECT_EQ(msi.messages.size(), 2u);
}

TEST_F(IoApic, logical_lowest_priority_message_has_its_bits) {
  route(4, 0x0941, 0xff000000);
  device.set_input(4, true);
  ASSERT_EQ(msi.messages.size(), 1u);
  EXPECT_EQ(msi.messages[0], (core::MsiMessage{.address = 0xfeeff004, .data = 0x141}));
}

TEST_F(IoApic, edge_at_a_masked_pin_is_lost) {
  route(4, 0x10031);
  device.set_input(4, true);
  route(4, 0x00031);
  EXPECT_TRUE(msi.messages.empty());
}

TEST_F(IoApic, level_sends_once_until_its_eoi) {
  route(10, 0x8051);
  device.set_input(10, true);
  ASSERT_EQ(msi.messages.size(), 1u);
  EXPECT_EQ(msi.messages[0].data, 0x8051u);
  EXPECT_EQ(window(0x24), 0xc051u);
  device.set_input(10, false);
  device.set_input(10, true);
  EXPECT_EQ(msi.messages.size(), 1u);
}

TEST_F(IoApic, level_still_high_at_eoi_is_sent_again) {
  route(10, 0x8051);
  device.set_input(10, true);
  device.eoi(0x51);
  EXPECT_EQ(msi.messages.size(), 2u);
  device.set_input(10, false);
  device.eoi(0x51);
  EXPECT_EQ(msi.messages.size(), 2u);
  EXPECT_EQ(window(0x24), 0x8051u);
}

TEST_F(IoApic, eoi_of_another_vector_changes_nothing) {
  route(10, 0x8051);
  device.set_input(10, true);
  device.eoi(0x52);
  EXPECT_EQ(window(0x24), 0xc051u);
  EXPECT_EQ(msi.messages.size(), 1u);
}

TEST_F(IoApic, eoi_ends_every_pin_of_the_vector) {
  route(10, 0x8051);
  route(11, 0x8051);
  device.set_input(10, true);
  device.set_input(11, true);
  device.eoi(0x51);
  EXPECT_EQ(msi.messages.size(), 4u);
}

TEST_F(IoApic, eoi_register_ends_like_the_bus) {
  route(10, 0x8051);
  device.set_input(10, true);
  mmio.out32(kBase + 0x40, 0x51);
  EXPECT_EQ(msi.messages.size(), 2u);
}

TEST_F(IoApic, masked_level_line_is_sent_when_unmasked) {
  route(10, 0x18051);
  device.set_input(10, true);
  EXPECT_TRUE(msi.messages.empty());
  route(10, 0x08051);
  EXPECT_EQ(msi.messages.size(), 1u);
}

TEST_F(IoApic, eoi_of_a_masked_pin_waits_for_the_unmask) {
  route(10, 0x8051);
  device.set_input(10, true);
  route(10, 0x18051);
  device.eoi(0x51);
  EXPECT_EQ(msi.messages.size(), 1u);
  route(10, 0x08051);
  EXPECT_EQ(msi.messages.size(), 2u);
}

TEST_F(IoApic, switch_to_edge_clears_remote_irr) {
  route(10, 0x8051);
  device.set_input(10, true);
  set_window(0x24, 0x10051);
  EXPECT_EQ(window(0x24), 0x10051u);
  set_window(0x24, 0x8051);
  EXPECT_EQ(msi.messages.size(), 2u);
}

TEST_F(IoApic, nmi_is_an_edge_whatever_the_trigger_bit_says) {
  route(6, 0x8400);
  device.set_input(6, true);
  ASSERT_EQ(msi.messages.size(), 1u);
  EXPECT_EQ(msi.messages[0].data, 0x400u);
  EXPECT_EQ(window(0x1c), 0x8400u);
}

TEST_F(IoApic, routes_follow_the_table) {
  route(10, 0x8051, 0x01000000);
  EXPECT_EQ(routes.now[10],
            (core::IoApicRoute{.message = {.address = 0xfee01000, .data = 0x8051}, .level = true, .masked = false}));
  EXPECT_TRUE(routes.now[9].masked);
}

TEST_F(IoApic, routes_are_told_of_changes_only) {
  route(10, 0x8051, 0x01000000);
  const auto calls = routes.calls;
  route(10, 0x8051, 0x01000000);
  device.set_input(10, true);
  EXPECT_EQ(routes.calls, calls);
}

TEST_F(IoApic, pins_beyond_the_chip_are_ignored) {
  device.set_input(24, true);
  device.set_input(~0U, true);
  EXPECT_TRUE(msi.messages.empty());
}

TEST_F(IoApic, load_publishes_routes_and_sends_nothing_twice) {
  route(10, 0x8051);
  device.set_input(10, true);
  IoApicRig copy;
  ASSERT_TRUE(tests::load_rig(copy, tests::save_rig(static_cast<IoApicRig&>(*this))));
  EXPECT_EQ(copy.routes.now, routes.now);
  EXPECT_TRUE(copy.msi.messages.empty());
  copy.device.eoi(0x51);
  EXPECT_EQ(copy.msi.messages.size(), 1u);
}

TEST_F(IoApic, reset_masks_and_tells_the_routes) {
  route(10, 0x8051);
  tests::reset_rig(static_cast<IoApicRig&>(*this));
  EXPECT_TRUE(routes.now[10].masked);
}

TEST_F(IoApic, obeys_the_state_law) {
  tests::check_state_law<IoApicRig>();
}

}  // namespace
