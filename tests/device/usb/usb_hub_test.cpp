// A hub: its ports' features, the change report, and reaching what is behind it.
#include "devices/usb/usb_hub.h"

#include <gtest/gtest.h>

#include "tests/device/usb/usb_host.h"
#include "tests/device/usb/usb_rig.h"

namespace {

using tests::ScriptedDevice;
using tests::UsbHost;
using Bytes = UsbHost::Bytes;
namespace usb = devices::usb;
namespace abi = devices::usb::abi;

constexpr std::uint16_t kSuspendFeature = 2;
constexpr std::uint16_t kResetFeature = 4;
constexpr std::uint16_t kConnectionChange = 16;
constexpr std::uint16_t kResetChange = 20;

struct HubRig {
  UsbHost host;
  usb::UsbHub hub;
  ScriptedDevice* device = nullptr;

  HubRig() {
    auto made = std::make_unique<ScriptedDevice>();
    device = made.get();
    hub.plug(2, std::move(made));
    host.configure(hub, usb::Speed::Full);
  }
  bool feature(bool set, std::uint16_t feature) {
    return host.write(hub, UsbHost::request(0x23, set ? abi::SET_FEATURE : abi::CLEAR_FEATURE, feature, 3));
  }
  std::optional<Bytes> port_status() { return host.read(hub, UsbHost::request(0xa3, abi::GET_STATUS, 0, 3, 4)); }
  std::optional<Bytes> report() { return host.receive(hub, 1, 2); }
};

TEST(UsbHub, describes_itself) {
  HubRig rig;
  const auto descriptor = rig.host.read(rig.hub, UsbHost::request(0xa0, abi::GET_DESCRIPTOR, 0x2900, 0, 255));
  ASSERT_TRUE(descriptor);
  EXPECT_EQ((*descriptor)[2], 8);
}

TEST(UsbHub, connection_is_a_change_until_it_is_cleared) {
  HubRig rig;
  EXPECT_EQ(rig.port_status(), (Bytes{0x01, 0x01, 0x01, 0x00}));
  EXPECT_EQ(rig.report(), (Bytes{8, 0}));
  EXPECT_TRUE(rig.feature(false, kConnectionChange));
  EXPECT_FALSE(rig.report());
}

TEST(UsbHub, reset_enables_a_port_and_leads_to_the_device) {
  HubRig rig;
  rig.device->address = 7;
  EXPECT_EQ(rig.hub.at(7), nullptr);
  EXPECT_TRUE(rig.feature(true, kResetFeature));
  EXPECT_EQ(rig.device->reset_to, usb::Speed::Full);
  EXPECT_EQ(rig.port_status(), (Bytes{0x03, 0x01, 0x11, 0x00}));
  EXPECT_TRUE(rig.feature(false, kResetChange));
  rig.device->address = 7;
  EXPECT_EQ(rig.hub.at(7), rig.device);
}

TEST(UsbHub, suspended_device_wakes_its_port) {
  HubRig rig;
  rig.feature(true, kResetFeature);
  rig.feature(true, kSuspendFeature);
  EXPECT_TRUE(rig.device->suspended);
  rig.device->signal_resume();
  EXPECT_FALSE(rig.device->suspended);
  EXPECT_EQ(rig.host.resumes, 0u);
  rig.hub.set_suspended(true);
  rig.device->signal_resume();
  EXPECT_EQ(rig.host.resumes, 1u);
}

TEST(UsbHub, suspended_device_behind_a_suspended_hub_wakes_both) {
  HubRig rig;
  rig.feature(true, kResetFeature);
  rig.feature(false, kResetChange);
  rig.feature(false, kConnectionChange);
  rig.feature(true, kSuspendFeature);
  rig.hub.set_suspended(true);
  rig.device->signal_resume();
  EXPECT_EQ(rig.host.resumes, 1u);
  EXPECT_FALSE(rig.device->suspended);
  rig.hub.set_suspended(false);
  EXPECT_EQ(rig.port_status(), (Bytes{0x03, 0x01, 0x04, 0x00}));
  EXPECT_EQ(rig.report(), (Bytes{8, 0}));
}

TEST(UsbHub, ports_it_has_not_are_refused) {
  HubRig rig;
  EXPECT_FALSE(rig.host.write(rig.hub, UsbHost::request(0x23, abi::SET_FEATURE, kResetFeature, 9)));
  EXPECT_FALSE(rig.host.read(rig.hub, UsbHost::request(0xa3, abi::GET_STATUS, 0, 0, 4)));
  EXPECT_FALSE(rig.feature(true, 99));
}

}  // namespace
