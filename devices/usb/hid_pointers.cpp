#include "devices/usb/hid_pointers.h"

#include <algorithm>
#include <utility>

#include "devices/usb/hid_abi.h"

namespace devices::usb {

namespace {

constexpr std::int32_t kLargestPlace = 32767;
constexpr std::int32_t kLargestStep = 127;
constexpr std::uint8_t kButtons = 0x1f;

// [HID 6.2.2, HID Usage Tables 1.12] A mouse that tells places: five buttons, X and Y, a wheel.
constexpr std::uint8_t kTabletReport[] = {
    0x05, 0x01,        // Usage Page (Generic Desktop)
    0x09, 0x02,        // Usage (Mouse)
    0xa1, 0x01,        // Collection (Application)
    0x09, 0x01,        //   Usage (Pointer)
    0xa1, 0x00,        //   Collection (Physical)
    0x05, 0x09,        //     Usage Page (Button)
    0x19, 0x01,        //     Usage Minimum (1)
    0x29, 0x05,        //     Usage Maximum (5)
    0x15, 0x00,        //     Logical Minimum (0)
    0x25, 0x01,        //     Logical Maximum (1)
    0x95, 0x05,        //     Report Count (5)
    0x75, 0x01,        //     Report Size (1)
    0x81, 0x02,        //     Input (Data, Variable, Absolute)
    0x95, 0x01,        //     Report Count (1)
    0x75, 0x03,        //     Report Size (3)
    0x81, 0x01,        //     Input (Constant)
    0x05, 0x01,        //     Usage Page (Generic Desktop)
    0x09, 0x30,        //     Usage (X)
    0x09, 0x31,        //     Usage (Y)
    0x15, 0x00,        //     Logical Minimum (0)
    0x26, 0xff, 0x7f,  //     Logical Maximum (32767)
    0x35, 0x00,        //     Physical Minimum (0)
    0x46, 0xff, 0x7f,  //     Physical Maximum (32767)
    0x75, 0x10,        //     Report Size (16)
    0x95, 0x02,        //     Report Count (2)
    0x81, 0x02,        //     Input (Data, Variable, Absolute)
    0x05, 0x01,        //     Usage Page (Generic Desktop)
    0x09, 0x38,        //     Usage (Wheel)
    0x15, 0x81,        //     Logical Minimum (-127)
    0x25, 0x7f,        //     Logical Maximum (127)
    0x35, 0x00,        //     Physical Minimum (as the logical one)
    0x45, 0x00,        //     Physical Maximum (as the logical one)
    0x75, 0x08,        //     Report Size (8)
    0x95, 0x01,        //     Report Count (1)
    0x81, 0x06,        //     Input (Data, Variable, Relative)
    0xc0,              //   End Collection
    0xc0,              // End Collection
};

constexpr std::uint8_t kMouseReport[] = {
    0x05, 0x01,  // Usage Page (Generic Desktop)
    0x09, 0x02,  // Usage (Mouse)
    0xa1, 0x01,  // Collection (Application)
    0x09, 0x01,  //   Usage (Pointer)
    0xa1, 0x00,  //   Collection (Physical)
    0x05, 0x09,  //     Usage Page (Button)
    0x19, 0x01,  //     Usage Minimum (1)
    0x29, 0x05,  //     Usage Maximum (5)
    0x15, 0x00,  //     Logical Minimum (0)
    0x25, 0x01,  //     Logical Maximum (1)
    0x95, 0x05,  //     Report Count (5)
    0x75, 0x01,  //     Report Size (1)
    0x81, 0x02,  //     Input (Data, Variable, Absolute)
    0x95, 0x01,  //     Report Count (1)
    0x75, 0x03,  //     Report Size (3)
    0x81, 0x01,  //     Input (Constant)
    0x05, 0x01,  //     Usage Page (Generic Desktop)
    0x09, 0x30,  //     Usage (X)
    0x09, 0x31,  //     Usage (Y)
    0x09, 0x38,  //     Usage (Wheel)
    0x15, 0x81,  //     Logical Minimum (-127)
    0x25, 0x7f,  //     Logical Maximum (127)
    0x75, 0x08,  //     Report Size (8)
    0x95, 0x03,  //     Report Count (3)
    0x81, 0x06,  //     Input (Data, Variable, Relative)
    0xc0,        //   End Collection
    0xc0,        // End Collection
};

std::int32_t step_of(std::int32_t way) {
  return std::clamp(way, -kLargestStep, kLargestStep);
}

// What adds up while the guest does not fetch it stays a number.
std::int32_t sum(std::int32_t a, std::int32_t b) {
  constexpr std::int32_t kFar = 1 << 20;
  return std::clamp(std::clamp(a, -kFar, kFar) + std::clamp(b, -kFar, kFar), -kFar, kFar);
}

std::uint8_t byte(std::int32_t value) {
  return static_cast<std::uint8_t>(value);
}

}  // namespace

void PointerEvent::visit(core::StateVisitor& v) {
  v.field("x", x);
  v.field("y", y);
  v.field("wheel", wheel);
  v.field("buttons", buttons);
}

// --- tablet ----------------------------------------------------------------------------------------------------------

HidTablet::HidTablet(UsbVersion version, const Wiring& wiring)
    : HidDevice({.product = "USB Tablet",
                 .report_bytes = 8,
                 .full_interval = 10,
                 .high_interval = 4,
                 .version = version,
                 .report_descriptor = kTabletReport},
                wiring) {}

void HidTablet::position(std::uint16_t x, std::uint16_t y, std::int32_t dz, std::uint8_t buttons) {
  const std::scoped_lock guard(bus());
  PointerEvent event{std::min<std::int32_t>(x, kLargestPlace), std::min<std::int32_t>(y, kLargestPlace), sum(0, -dz),
                     static_cast<std::uint8_t>(buttons & kButtons)};
  auto* const last = queue_.last();
  if (last == nullptr && event.x == now_.x && event.y == now_.y && event.wheel == 0 && event.buttons == now_.buttons) {
    return;
  }
  if (last != nullptr && (last->buttons == event.buttons || queue_.is_full())) {
    event.wheel = sum(event.wheel, last->wheel);
    *last = event;
  } else {
    queue_.push(event);
  }
  news();
}

bool HidTablet::in_use() {
  const std::scoped_lock guard(bus());
  return is_configured();
}

void HidTablet::set_use_listener(std::function<void(bool)> listener) {
  const std::scoped_lock guard(bus());
  use_listener_ = std::move(listener);
}

void HidTablet::in_use_changed() {
  if (std::exchange(was_in_use_, is_configured()) != is_configured() && use_listener_) use_listener_(is_configured());
}

HidTablet::Bytes HidTablet::present_report() const {
  return {now_.buttons, byte(now_.x), byte(now_.x >> 8), byte(now_.y), byte(now_.y >> 8), byte(step_of(now_.wheel))};
}

HidTablet::Bytes HidTablet::next_report() {
  auto& event = queue_.first();
  const auto step = step_of(event.wheel);
  now_ = event;
  now_.wheel = step;
  auto report = present_report();
  now_.wheel = 0;
  event.wheel -= step;
  if (event.wheel == 0) queue_.pop();
  return report;
}

void HidTablet::reset_input() {
  queue_.clear();
  now_ = {};
}

void HidTablet::visit(core::StateVisitor& visitor) {
  HidDevice::visit(visitor);
  visitor.field("queue", queue_);
  visitor.field("now", now_);
}

// --- mouse -----------------------------------------------------------------------------------------------------------

HidMouse::HidMouse(UsbVersion version, const Wiring& wiring)
    : HidDevice({.product = "USB Mouse",
                 .subclass = abi::hid::kBootSubclass,
                 .protocol = abi::hid::kMouseProtocol,
                 .report_bytes = 4,
                 .version = version,
                 .report_descriptor = kMouseReport},
                wiring) {}

void HidMouse::move(std::int32_t dx, std::int32_t dy, std::int32_t dz, std::uint8_t buttons) {
  const std::scoped_lock guard(bus());
  PointerEvent event{sum(0, dx), sum(0, dy), sum(0, -dz), static_cast<std::uint8_t>(buttons & kButtons)};
  auto* const last = queue_.last();
  if (last != nullptr && (last->buttons == event.buttons || queue_.is_full())) {
    *last = {sum(last->x, event.x), sum(last->y, event.y), sum(last->wheel, event.wheel), event.buttons};
  } else if (event.x != 0 || event.y != 0 || event.wheel != 0 || event.buttons != buttons_ || last != nullptr) {
    queue_.push(event);
  }
  if (!queue_.empty()) news();
}

bool HidMouse::in_use() {
  const std::scoped_lock guard(bus());
  return is_configured();
}

// In the boot protocol there is no wheel. [HID B.2]
HidMouse::Bytes HidMouse::present_report() const {
  return is_boot_protocol() ? Bytes{buttons_, 0, 0} : Bytes{buttons_, 0, 0, 0};
}

HidMouse::Bytes HidMouse::next_report() {
  auto& event = queue_.first();
  if (is_boot_protocol()) event.wheel = 0;
  buttons_ = event.buttons;
  const PointerEvent step{step_of(event.x), step_of(event.y), step_of(event.wheel), 0};
  event.x -= step.x;
  event.y -= step.y;
  event.wheel -= step.wheel;
  if (event.x == 0 && event.y == 0 && event.wheel == 0) queue_.pop();
  auto report = present_report();
  report[1] = byte(step.x);
  report[2] = byte(step.y);
  if (report.size() > 3) report[3] = byte(step.wheel);
  return report;
}

void HidMouse::reset_input() {
  queue_.clear();
  buttons_ = 0;
}

void HidMouse::visit(core::StateVisitor& visitor) {
  HidDevice::visit(visitor);
  visitor.field("queue", queue_);
  visitor.field("buttons", buttons_);
}

}  // namespace devices::usb
