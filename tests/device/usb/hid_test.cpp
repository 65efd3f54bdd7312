// Tablet, mouse and keyboard: descriptors, reports, the idle rate, boot protocol, LEDs, remote wake-up.
#include <array>
#include <gtest/gtest.h>
#include <mutex>

#include "devices/usb/hid_abi.h"
#include "devices/usb/hid_keyboard.h"
#include "devices/usb/hid_pointers.h"
#include "tests/device/fake_clock.h"
#include "tests/device/usb/usb_host.h"

namespace {

namespace usb = devices::usb;
namespace abi = devices::usb::abi;
using tests::UsbHost;
using Bytes = UsbHost::Bytes;

template <class Device>
struct HidRig {
  tests::FakeClock clock;
  core::DeviceLock lock;
  UsbHost host;
  Device device{usb::UsbVersion::Usb2, {clock, lock}};

  HidRig() { host.configure(device); }
  std::optional<Bytes> report() { return host.receive(device, 1, 8); }
  bool class_request(std::uint8_t code, std::uint16_t value, std::span<const std::uint8_t> data = {}) {
    return host.write(device, UsbHost::request(0x21, code, value, 0, static_cast<std::uint16_t>(data.size())), data);
  }
};

TEST(UsbDescriptors, tablet_is_what_guests_know) {
  HidRig<usb::HidTablet> rig;
  const auto device = rig.host.read(rig.device, UsbHost::request(0x80, abi::GET_DESCRIPTOR, 0x100, 0, 18));
  EXPECT_EQ(device, (Bytes{18, 1, 0x00, 0x02, 0, 0, 0, 64, 0x27, 0x06, 0x01, 0x00, 0, 0, 1, 2, 3, 1}));
  const auto all = rig.host.read(rig.device, UsbHost::request(0x80, abi::GET_DESCRIPTOR, 0x200, 0, 255));
  EXPECT_EQ(all, (Bytes{9, 2, 34,   0,    1, 1, 0, 0xa0, 50, 9, 4, 0, 0,    1, 3, 0, 0,
                        0, 9, 0x21, 0x01, 0, 0, 1, 0x22, 74, 0, 7, 5, 0x81, 3, 8, 0, 4}));
  const auto product = rig.host.read(rig.device, UsbHost::request(0x80, abi::GET_DESCRIPTOR, 0x302, 0x409, 255));
  EXPECT_EQ(product->size(), 2 + 2 * std::string_view("USB Tablet").size());
  EXPECT_FALSE(rig.host.read(rig.device, UsbHost::request(0x80, abi::GET_DESCRIPTOR, 0x700 + 1, 0, 255)));
}

TEST(UsbDescriptors, version_1_knows_no_high_speed) {
  tests::FakeClock clock;
  core::DeviceLock lock;
  usb::HidTablet tablet(usb::UsbVersion::Usb1, {clock, lock});
  UsbHost host;
  host.configure(tablet);
  EXPECT_EQ(tablet.fastest(), usb::Speed::Full);
  EXPECT_FALSE(host.read(tablet, UsbHost::request(0x80, abi::GET_DESCRIPTOR, 0x600, 0, 10)));
  EXPECT_EQ((*host.read(tablet, UsbHost::request(0x80, abi::GET_DESCRIPTOR, 0x100, 0, 18)))[7], 8);
}

TEST(UsbControl, short_reads_and_refusals) {
  HidRig<usb::HidTablet> rig;
  EXPECT_EQ(rig.host.read(rig.device, UsbHost::request(0x80, abi::GET_DESCRIPTOR, 0x100, 0, 8))->size(), 8u);
  EXPECT_FALSE(rig.host.read(rig.device, UsbHost::request(0xc0, 0x55, 0, 0, 8)));
  EXPECT_TRUE(rig.host.read(rig.device, UsbHost::request(0x80, abi::GET_STATUS, 0, 0, 2)));
  EXPECT_FALSE(rig.host.write(rig.device, UsbHost::request(0, abi::SET_CONFIGURATION, 2)));
  EXPECT_FALSE(rig.host.write(rig.device, UsbHost::request(0, abi::SET_ADDRESS, 128)));
}

TEST(UsbControl, address_changes_after_the_status_stage) {
  HidRig<usb::HidTablet> rig;
  EXPECT_EQ(rig.device.at(5), &rig.device);
  const Bytes setup{0, abi::SET_ADDRESS, 9, 0, 0, 0, 0, 0};
  rig.host.send(rig.device, usb::Pid::Setup, 0, setup);
  EXPECT_EQ(rig.device.at(9), nullptr);
  rig.host.receive(rig.device, 0, 0);
  EXPECT_EQ(rig.device.at(9), &rig.device);
}

TEST(UsbControl, halted_endpoint_stalls_until_it_is_cleared) {
  HidRig<usb::HidTablet> rig;
  rig.device.position(1, 1, 0, 0);
  EXPECT_TRUE(rig.host.write(rig.device, UsbHost::request(2, abi::SET_FEATURE, abi::ENDPOINT_HALT, 0x81)));
  EXPECT_FALSE(rig.report());
  EXPECT_EQ(rig.host.read(rig.device, UsbHost::request(0x82, abi::GET_STATUS, 0, 0x81, 2)), (Bytes{1, 0}));
  EXPECT_TRUE(rig.host.write(rig.device, UsbHost::request(2, abi::CLEAR_FEATURE, abi::ENDPOINT_HALT, 0x81)));
  EXPECT_TRUE(rig.report());
}

TEST(UsbTablet, tells_places_wheel_and_buttons) {
  HidRig<usb::HidTablet> rig;
  EXPECT_FALSE(rig.report());
  rig.device.position(32767, 0x1234, -1, core::kLeftButton | core::kExtraButton);
  EXPECT_EQ(rig.host.readies, 1u);
  EXPECT_EQ(rig.report(), (Bytes{0x11, 0xff, 0x7f, 0x34, 0x12, 1}));
  EXPECT_FALSE(rig.report());
  rig.device.position(65535, 0, 0, 0);
  EXPECT_EQ(rig.report(), (Bytes{0, 0xff, 0x7f, 0, 0, 0}));
}

TEST(UsbTablet, motion_joins_and_clicks_do_not) {
  HidRig<usb::HidTablet> rig;
  for (std::uint16_t x = 1; x < 100; ++x)
    rig.device.position(x, 0, 0, 0);
  rig.device.position(99, 0, 0, 1);
  rig.device.position(99, 0, 0, 0);
  EXPECT_EQ(rig.report(), (Bytes{0, 99, 0, 0, 0, 0}));
  EXPECT_EQ(rig.report(), (Bytes{1, 99, 0, 0, 0, 0}));
  EXPECT_EQ(rig.report(), (Bytes{0, 99, 0, 0, 0, 0}));
  EXPECT_FALSE(rig.report());
}

TEST(UsbTablet, tells_each_of_five_buttons) {
  HidRig<usb::HidTablet> rig;
  for (unsigned bit = 0; bit < 8; ++bit)
    rig.device.position(0, 0, 0, static_cast<std::uint8_t>(1U << bit));
  for (const auto buttons : std::to_array<std::uint8_t>({1, 2, 4, 8, 16, 0}))
    EXPECT_EQ(rig.report(), (Bytes{buttons, 0, 0, 0, 0, 0}));
}

TEST(UsbTablet, use_follows_the_configuration) {
  HidRig<usb::HidTablet> rig;
  std::vector<bool> told;
  rig.device.set_use_listener([&told](bool used) { told.push_back(used); });
  EXPECT_TRUE(rig.device.in_use());
  rig.device.bus_reset(usb::Speed::High);
  EXPECT_FALSE(rig.device.in_use());
  rig.host.configure(rig.device);
  EXPECT_EQ(told, (std::vector<bool>{false, true}));
}

TEST(UsbTablet, wakes_a_suspended_host_only_if_asked_to) {
  HidRig<usb::HidTablet> rig;
  rig.device.set_suspended(true);
  rig.device.position(1, 1, 0, 1);
  EXPECT_EQ(rig.host.resumes, 0u);
  rig.host.write(rig.device, UsbHost::request(0, abi::SET_FEATURE, abi::DEVICE_REMOTE_WAKEUP));
  rig.device.position(2, 1, 0, 1);
  EXPECT_EQ(rig.host.resumes, 1u);
}

TEST(UsbMouse, large_ways_take_several_reports) {
  HidRig<usb::HidMouse> rig;
  rig.device.move(300, -5, 0, core::kRightButton);
  EXPECT_EQ(rig.report(), (Bytes{2, 127, 0xfb, 0}));
  EXPECT_EQ(rig.report(), (Bytes{2, 127, 0, 0}));
  EXPECT_EQ(rig.report(), (Bytes{2, 46, 0, 0}));
  EXPECT_FALSE(rig.report());
}

TEST(UsbMouse, tells_each_of_five_buttons) {
  HidRig<usb::HidMouse> rig;
  for (unsigned bit = 0; bit < 8; ++bit)
    rig.device.move(0, 0, 0, static_cast<std::uint8_t>(1U << bit));
  for (const auto buttons : std::to_array<std::uint8_t>({1, 2, 4, 8, 16, 0}))
    EXPECT_EQ(rig.report(), (Bytes{buttons, 0, 0, 0}));
}

TEST(UsbMouse, boot_protocol_has_three_bytes) {
  HidRig<usb::HidMouse> rig;
  EXPECT_TRUE(rig.class_request(abi::hid::SET_PROTOCOL, 0));
  rig.device.move(1, 2, 3, 0);
  EXPECT_EQ(rig.report(), (Bytes{0, 1, 2}));
}

TEST(UsbKeyboard, every_change_is_a_report) {
  HidRig<usb::HidKeyboard> rig;
  rig.device.key(0x2a, true);  // left Shift
  rig.device.key(0x1e, true);  // A
  rig.device.key(0x1e, false);
  rig.device.key(0xe048, true);  // up
  EXPECT_EQ(rig.report(), (Bytes{2, 0, 0, 0, 0, 0, 0, 0}));
  EXPECT_EQ(rig.report(), (Bytes{2, 0, 4, 0, 0, 0, 0, 0}));
  EXPECT_EQ(rig.report(), (Bytes{2, 0, 0, 0, 0, 0, 0, 0}));
  EXPECT_EQ(rig.report(), (Bytes{2, 0, 0x52, 0, 0, 0, 0, 0}));
  EXPECT_FALSE(rig.report());
}

TEST(UsbKeyboard, repeats_of_a_held_key_are_no_reports) {
  HidRig<usb::HidKeyboard> rig;
  for (const core::KeyCode code : {core::KeyCode{0x1e}, core::KeyCode{0x2a}}) {
    for (unsigned i = 0; i < 3; ++i)
      rig.device.key(code, true);
    EXPECT_TRUE(rig.report());
    EXPECT_FALSE(rig.report());
    rig.device.key(code, true);
    EXPECT_FALSE(rig.report());
    rig.device.key(code, false);
    rig.device.key(code, false);
    EXPECT_EQ(rig.report(), Bytes(8));
    EXPECT_FALSE(rig.report());
  }
}

TEST(UsbKeyboard, seven_keys_are_too_many) {
  HidRig<usb::HidKeyboard> rig;
  for (core::KeyCode code = 0x10; code < 0x17; ++code) {
    rig.device.key(code, true);
    rig.report();
  }
  EXPECT_EQ(rig.host.read(rig.device, UsbHost::request(0xa1, abi::hid::GET_REPORT, 0x100, 0, 8)),
            (Bytes{0, 0, 1, 1, 1, 1, 1, 1}));
}

TEST(UsbKeyboard, keys_of_a_105_key_board_have_usages) {
  for (core::KeyCode code = 0x01; code <= 0x53; ++code)
    EXPECT_NE(usb::usage_of(code), 0) << code;
  for (const auto code : {0x56,   0x57,   0x58,   0xe01c, 0xe01d, 0xe035, 0xe037, 0xe038, 0xe047, 0xe048, 0xe049,
                          0xe04b, 0xe04d, 0xe04f, 0xe050, 0xe051, 0xe052, 0xe053, 0xe05b, 0xe05c, 0xe05d, 0xe11d}) {
    EXPECT_NE(usb::usage_of(static_cast<core::KeyCode>(code)), 0) << code;
  }
}

TEST(UsbKeyboard, releases_find_room) {
  HidRig<usb::HidKeyboard> rig;
  for (unsigned i = 0; i < 100; ++i)
    rig.device.key(0x1e, true);
  rig.device.key(0x1e, false);
  Bytes last;
  while (const auto report = rig.report())
    last = *report;
  EXPECT_EQ(last, Bytes(8));
}

TEST(UsbKeyboard, leds_reach_the_listener) {
  HidRig<usb::HidKeyboard> rig;
  std::uint8_t told = 0;
  rig.device.set_led_listener([&told](std::uint8_t leds) { told = leds; });
  EXPECT_TRUE(rig.class_request(abi::hid::SET_REPORT, 0x200, Bytes{3}));
  EXPECT_EQ(told, core::kNumLed | core::kCapsLed);
  EXPECT_EQ(rig.device.leds(), told);
}

TEST(UsbKeyboard, idle_rate_repeats_the_report) {
  HidRig<usb::HidKeyboard> rig;
  EXPECT_TRUE(rig.class_request(abi::hid::SET_IDLE, 25 << 8));
  EXPECT_EQ(rig.host.read(rig.device, UsbHost::request(0xa1, abi::hid::GET_IDLE, 0, 0, 1)), Bytes{25});
  rig.device.key(0x1e, true);
  EXPECT_TRUE(rig.report());
  EXPECT_FALSE(rig.report());
  const auto before = rig.host.readies;
  rig.clock.advance(std::chrono::milliseconds(99));
  EXPECT_FALSE(rig.report());
  rig.clock.advance(std::chrono::milliseconds(1));
  EXPECT_EQ(rig.host.readies, before + 1);
  EXPECT_EQ(rig.report(), (Bytes{0, 0, 4, 0, 0, 0, 0, 0}));
  EXPECT_TRUE(rig.class_request(abi::hid::SET_IDLE, 0));
  EXPECT_EQ(rig.clock.armed_timers(), 0u);
}

TEST(UsbKeyboard, idle_rate_does_not_wake_a_suspended_host) {
  HidRig<usb::HidKeyboard> rig;
  rig.class_request(abi::hid::SET_IDLE, 25 << 8);
  rig.host.write(rig.device, UsbHost::request(0, abi::SET_FEATURE, abi::DEVICE_REMOTE_WAKEUP));
  rig.device.set_suspended(true);
  rig.clock.advance(std::chrono::seconds(1));
  EXPECT_EQ(rig.host.resumes, 0u);
  rig.device.key(0x1e, true);
  EXPECT_EQ(rig.host.resumes, 1u);
}

}  // namespace
