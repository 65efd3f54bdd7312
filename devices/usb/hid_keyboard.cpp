#include "devices/usb/hid_keyboard.h"

#include <algorithm>
#include <mutex>
#include <utility>

#include "devices/usb/hid_abi.h"

namespace devices::usb {

namespace {

constexpr std::uint8_t kFirstModifier = 0xe0;  // [HID Usage Tables 10] left Ctrl, Shift, Alt, GUI, then the right ones
constexpr std::uint8_t kLastModifier = 0xe7;
constexpr std::size_t kKeys = 6;
constexpr std::uint8_t kTooManyKeys = 0x01;  // ErrorRollOver

// [HID B.1, E.6]
constexpr std::uint8_t kReport[] = {
    0x05, 0x01,        // Usage Page (Generic Desktop)
    0x09, 0x06,        // Usage (Keyboard)
    0xa1, 0x01,        // Collection (Application)
    0x75, 0x01,        //   Report Size (1)
    0x95, 0x08,        //   Report Count (8)
    0x05, 0x07,        //   Usage Page (Keyboard)
    0x19, 0xe0,        //   Usage Minimum (left Ctrl)
    0x29, 0xe7,        //   Usage Maximum (right GUI)
    0x15, 0x00,        //   Logical Minimum (0)
    0x25, 0x01,        //   Logical Maximum (1)
    0x81, 0x02,        //   Input (Data, Variable, Absolute)
    0x95, 0x01,        //   Report Count (1)
    0x75, 0x08,        //   Report Size (8)
    0x81, 0x01,        //   Input (Constant)
    0x95, 0x05,        //   Report Count (5)
    0x75, 0x01,        //   Report Size (1)
    0x05, 0x08,        //   Usage Page (LEDs)
    0x19, 0x01,        //   Usage Minimum (Num Lock)
    0x29, 0x05,        //   Usage Maximum (Kana)
    0x91, 0x02,        //   Output (Data, Variable, Absolute)
    0x95, 0x01,        //   Report Count (1)
    0x75, 0x03,        //   Report Size (3)
    0x91, 0x01,        //   Output (Constant)
    0x95, 0x06,        //   Report Count (6)
    0x75, 0x08,        //   Report Size (8)
    0x15, 0x00,        //   Logical Minimum (0)
    0x26, 0xff, 0x00,  //   Logical Maximum (255)
    0x05, 0x07,        //   Usage Page (Keyboard)
    0x19, 0x00,        //   Usage Minimum (0)
    0x29, 0xff,        //   Usage Maximum (255)
    0x81, 0x00,        //   Input (Data, Array)
    0xc0,              // End Collection
};

// By scan code of set 1. [HID Usage Tables 10, Keyboard Scan Code Specification]
constexpr std::array<std::uint8_t, 0x80> kUsages = {
    0x00, 0x29, 0x1e, 0x1f, 0x20, 0x21, 0x22, 0x23, 0x24, 0x25, 0x26, 0x27, 0x2d, 0x2e, 0x2a, 0x2b,  // 00
    0x14, 0x1a, 0x08, 0x15, 0x17, 0x1c, 0x18, 0x0c, 0x12, 0x13, 0x2f, 0x30, 0x28, 0xe0, 0x04, 0x16,  // 10
    0x07, 0x09, 0x0a, 0x0b, 0x0d, 0x0e, 0x0f, 0x33, 0x34, 0x35, 0xe1, 0x31, 0x1d, 0x1b, 0x06, 0x19,  // 20
    0x05, 0x11, 0x10, 0x36, 0x37, 0x38, 0xe5, 0x55, 0xe2, 0x2c, 0x39, 0x3a, 0x3b, 0x3c, 0x3d, 0x3e,  // 30
    0x3f, 0x40, 0x41, 0x42, 0x43, 0x53, 0x47, 0x5f, 0x60, 0x61, 0x56, 0x5c, 0x5d, 0x5e, 0x57, 0x59,  // 40
    0x5a, 0x5b, 0x62, 0x63, 0x46, 0x00, 0x64, 0x44, 0x45, 0x67, 0x00, 0x00, 0x8c, 0x00, 0x00, 0x00,  // 50
    0x00, 0x00, 0x00, 0x00, 0x68, 0x69, 0x6a, 0x6b, 0x6c, 0x6d, 0x6e, 0x6f, 0x70, 0x71, 0x72, 0x00,  // 60
    0x88, 0x91, 0x90, 0x87, 0x00, 0x00, 0x73, 0x93, 0x92, 0x8a, 0x00, 0x8b, 0x00, 0x89, 0x85, 0x00,  // 70
};

struct ExtendedKey {
  std::uint8_t code;  // after E0h
  std::uint8_t usage;
};
constexpr ExtendedKey kExtended[] = {
    {0x1c, 0x58}, {0x1d, 0xe4}, {0x20, 0x7f}, {0x2e, 0x81}, {0x30, 0x80}, {0x35, 0x54}, {0x37, 0x46}, {0x38, 0xe6},
    {0x46, 0x48}, {0x47, 0x4a}, {0x48, 0x52}, {0x49, 0x4b}, {0x4b, 0x50}, {0x4d, 0x4f}, {0x4f, 0x4d}, {0x50, 0x51},
    {0x51, 0x4e}, {0x52, 0x49}, {0x53, 0x4c}, {0x5b, 0xe3}, {0x5c, 0xe7}, {0x5d, 0x65}, {0x5e, 0x66},
};
constexpr std::uint8_t kPauseUsage = 0x48;

bool is_modifier(std::uint8_t usage) {
  return usage >= kFirstModifier && usage <= kLastModifier;
}

}  // namespace

std::uint8_t usage_of(core::KeyCode code) {
  if (code < kUsages.size()) return kUsages[code];
  if (code == core::kPauseKey) return kPauseUsage;
  if (code >> 8 != 0xe0) return 0;
  const auto* const found = std::ranges::find(kExtended, static_cast<std::uint8_t>(code), &ExtendedKey::code);
  return found != std::end(kExtended) ? found->usage : std::uint8_t{0};
}

void HidKeyboard::Change::visit(core::StateVisitor& v) {
  v.field("usage", usage);
  v.field("down", down);
}

HidKeyboard::HidKeyboard(UsbVersion version, const Wiring& wiring)
    : HidDevice({.product = "USB Keyboard",
                 .subclass = abi::hid::kBootSubclass,
                 .protocol = abi::hid::kKeyboardProtocol,
                 .report_bytes = 8,
                 .hid_release = 0x0111,
                 .version = version,
                 .report_descriptor = kReport},
                wiring) {}

// Whether the key is down once everything that waits has been told.
bool HidKeyboard::will_be_down(std::uint8_t usage) const {
  const auto last = std::ranges::find(changes_.rbegin(), changes_.rend(), usage, &Change::usage);
  if (last != changes_.rend()) return last->down;
  if (is_modifier(usage)) return (modifiers_ >> (usage - kFirstModifier) & 1) != 0;
  return std::ranges::find(down_, usage) != down_.end();
}

// A release always finds room: presses leave some. A client's repeats of a key that is held tell nothing: guests repeat
// the keys of a USB keyboard by themselves.
void HidKeyboard::key(core::KeyCode code, bool down) {
  const auto usage = usage_of(code);
  if (usage == 0) return;
  const std::scoped_lock guard(bus());
  const auto room = down ? kMostChanges / 2 : kMostChanges;
  if (changes_.size() >= room || will_be_down(usage) == down) return;
  changes_.push_back({usage, down});
  news();
}

std::uint8_t HidKeyboard::leds() {
  const std::scoped_lock guard(bus());
  return leds_;
}

bool HidKeyboard::in_use() {
  const std::scoped_lock guard(bus());
  return is_configured();
}

void HidKeyboard::set_led_listener(std::function<void(std::uint8_t)> listener) {
  const std::scoped_lock guard(bus());
  led_listener_ = std::move(listener);
}

void HidKeyboard::apply(const Change& change) {
  if (is_modifier(change.usage)) {
    const auto bit = 1U << (change.usage - kFirstModifier);
    modifiers_ = static_cast<std::uint8_t>(change.down ? modifiers_ | bit : modifiers_ & ~bit);
    return;
  }
  std::erase(down_, change.usage);
  if (change.down && down_.size() < kMostDown) down_.push_back(change.usage);
}

HidKeyboard::Bytes HidKeyboard::next_report() {
  apply(changes_.front());
  changes_.erase(changes_.begin());
  return present_report();
}

HidKeyboard::Bytes HidKeyboard::present_report() const {
  Bytes report(2 + kKeys);
  report[0] = modifiers_;
  const auto keys = std::span(report).subspan(2);
  if (down_.size() > kKeys) {
    std::ranges::fill(keys, kTooManyKeys);
  } else {
    std::ranges::copy(down_, keys.begin());
  }
  return report;
}

bool HidKeyboard::output_report(std::span<const std::uint8_t> data) {
  if (data.empty()) return false;
  // [HID Usage Tables 11] Num, Caps, Scroll
  const unsigned told = data[0];
  set_leds(static_cast<std::uint8_t>(((told & 1) != 0 ? core::kNumLed : 0) | ((told & 2) != 0 ? core::kCapsLed : 0) |
                                     ((told & 4) != 0 ? core::kScrollLed : 0)));
  return true;
}

void HidKeyboard::set_leds(std::uint8_t leds) {
  if (std::exchange(leds_, leds) != leds && led_listener_) led_listener_(leds);
}

void HidKeyboard::reset_input() {
  changes_.clear();
  down_.clear();
  modifiers_ = 0;
  set_leds(0);
}

void HidKeyboard::visit(core::StateVisitor& visitor) {
  HidDevice::visit(visitor);
  visitor.field("changes", changes_, kMostChanges);
  visitor.field("down", down_, kMostDown);
  visitor.field("modifiers", modifiers_);
  visitor.field("leds", leds_);
}

core::Result<> HidKeyboard::state_loaded() {
  leds_ &= core::kScrollLed | core::kNumLed | core::kCapsLed;
  return HidDevice::state_loaded();
}

}  // namespace devices::usb
