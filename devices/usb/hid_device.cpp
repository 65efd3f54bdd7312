#include "devices/usb/hid_device.h"

#include <algorithm>

#include "devices/usb/hid_abi.h"

namespace devices::usb {

namespace {

constexpr std::uint16_t kVendor = 0x0627;  // as QEMU's, which guests have settings for
constexpr std::uint16_t kProduct = 0x0001;
constexpr std::uint8_t kInterruptIn = 0x81;

// [HID 6.2.1] without a country; the releases are those that QEMU's devices say
std::vector<std::uint8_t> hid_descriptor(std::uint16_t release, std::size_t report_bytes) {
  return {9, abi::HID,    static_cast<std::uint8_t>(release),      static_cast<std::uint8_t>(release >> 8),     0,
          1, abi::REPORT, static_cast<std::uint8_t>(report_bytes), static_cast<std::uint8_t>(report_bytes >> 8)};
}

}  // namespace

void HidDevice::HidState::visit(core::StateVisitor& v) {
  v.field("idle", idle);
  v.field("protocol", protocol);
  v.field("last_report_ns", last_report_ns);
}

DeviceDescription HidDevice::describe(const Kind& kind) {
  ConfigurationDescription full{
      .attributes = abi::kBusPowered | abi::kRemoteWakeup,
      .max_power = 50,
      .interface = {.class_code = abi::hid::kClass,
                    .subclass = kind.subclass,
                    .protocol = kind.protocol,
                    .class_descriptor = hid_descriptor(kind.hid_release, kind.report_descriptor.size()),
                    .endpoints = {{kInterruptIn, abi::kInterrupt, kind.report_bytes, kind.full_interval}}}};
  DeviceDescription result{.vendor = kVendor, .product = kProduct, .strings = {"minivmm", kind.product, "1"}};
  // Those of USB 1.1 say 2.0 as well, as QEMU's do.
  if (kind.version != UsbVersion::Usb1) {
    auto& high = result.high.emplace(full);
    high.interface.endpoints[0].interval = kind.high_interval;
  }
  result.full = std::move(full);
  return result;
}

HidDevice::HidDevice(const Kind& kind, const Wiring& wiring)
    : UsbFunction(describe(kind), Speed::Full),
      report_descriptor_(kind.report_descriptor),
      hid_descriptor_(hid_descriptor(kind.hid_release, kind.report_descriptor.size())),
      clock_(wiring.clock),
      bus_(wiring.bus),
      idle_timer_(clock_.create_timer(bus_, [this] { idle_ends(); })) {}

void HidDevice::visit(core::StateVisitor& visitor) {
  UsbFunction::visit(visitor);
  visitor.field("hid", hid_);
}

core::Result<> HidDevice::state_loaded() {
  if (hid_.last_report_ns < 0 || hid_.last_report_ns > clock_.now().count()) hid_.last_report_ns = 0;
  if (auto loaded = UsbFunction::state_loaded(); !loaded) return loaded;
  watch_idle();
  return {};
}

void HidDevice::reset_function() {
  hid_ = {};
  idle_timer_->cancel();
  reset_input();
}

void HidDevice::configured() {
  in_use_changed();
}

// --- class requests [HID 7.1, 7.2] -----------------------------------------------------------------------------------

std::optional<HidDevice::Bytes> HidDevice::read_request(const abi::Setup& setup) {
  const auto kind = static_cast<std::uint8_t>(setup.value >> 8);
  if ((setup.request_type & abi::kTypeMask) == abi::kStandard) {
    if (setup.request != abi::GET_DESCRIPTOR) return std::nullopt;
    if (kind == abi::REPORT) return Bytes(report_descriptor_.begin(), report_descriptor_.end());
    if (kind == abi::HID) return hid_descriptor_;
    return std::nullopt;
  }
  if ((setup.request_type & ~abi::kToHost) != (abi::kClass | abi::kToInterface)) return std::nullopt;
  switch (setup.request) {
    case abi::hid::GET_REPORT:
      if (kind != abi::hid::kInputReport) return std::nullopt;
      return present_report();
    case abi::hid::GET_IDLE: return Bytes{hid_.idle};
    case abi::hid::GET_PROTOCOL: return Bytes{hid_.protocol};
    default: return std::nullopt;
  }
}

bool HidDevice::write_request(const abi::Setup& setup, std::span<const std::uint8_t> data) {
  if (setup.request_type != (abi::kClass | abi::kToInterface)) return false;
  switch (setup.request) {
    case abi::hid::SET_REPORT: return (setup.value >> 8) == abi::hid::kOutputReport && output_report(data);
    case abi::hid::SET_IDLE:
      hid_.idle = static_cast<std::uint8_t>(setup.value >> 8);
      watch_idle();
      return true;
    case abi::hid::SET_PROTOCOL:
      if (setup.value > abi::hid::kReportProtocol) return false;
      hid_.protocol = static_cast<std::uint8_t>(setup.value);
      return true;
    default: return false;
  }
}

// --- reports ---------------------------------------------------------------------------------------------------------

bool HidDevice::idle_is_over() const {
  if (hid_.idle == 0) return false;
  const std::int64_t rate_ns = std::int64_t{hid_.idle} * abi::hid::kIdleUnit_ms * 1'000'000;
  return clock_.now().count() - hid_.last_report_ns >= rate_ns;
}

// So that a controller that sleeps comes for the report that is due.
void HidDevice::watch_idle() {
  if (hid_.idle == 0 || !is_configured()) return idle_timer_->cancel();
  const auto rate = std::chrono::milliseconds(hid_.idle * abi::hid::kIdleUnit_ms);
  idle_timer_->arm(core::GuestTime(hid_.last_report_ns) + rate);
}

// That a report is due again is no reason to wake the host.
void HidDevice::idle_ends() {
  if (!is_suspended()) news();
}

UsbResult HidDevice::transfer(UsbPacket& packet) {
  if (packet.pid != Pid::In || packet.endpoint != (kInterruptIn & 0xf)) return UsbResult::Stall;
  if (!has_news() && !idle_is_over()) return UsbResult::Nak;
  const auto report = has_news() ? next_report() : present_report();
  if (packet.put(report) < report.size()) return UsbResult::Babble;
  hid_.last_report_ns = clock_.now().count();
  watch_idle();
  return UsbResult::Done;
}

}  // namespace devices::usb
