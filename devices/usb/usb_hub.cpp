#include "devices/usb/usb_hub.h"

#include <string>
#include <utility>

namespace devices::usb {

namespace {

constexpr std::uint8_t kHubClass = 9;
constexpr std::uint8_t kInterruptIn = 0x81;

// [USB tables 11-21, 11-22] bits of port status and change
constexpr std::uint16_t kConnection = 1 << 0;
constexpr std::uint16_t kEnable = 1 << 1;
constexpr std::uint16_t kSuspend = 1 << 2;
constexpr std::uint16_t kReset = 1 << 4;
constexpr std::uint16_t kPower = 1 << 8;
constexpr std::uint16_t kLowSpeed = 1 << 9;

// [USB table 11-17] features
constexpr std::uint16_t PORT_ENABLE = 1;
constexpr std::uint16_t PORT_SUSPEND = 2;
constexpr std::uint16_t PORT_RESET = 4;
constexpr std::uint16_t PORT_POWER = 8;
constexpr std::uint16_t C_PORT_CONNECTION = 16;
constexpr std::uint16_t C_PORT_RESET = 20;

DeviceDescription describe() {
  constexpr std::uint8_t kChangeBytes = UsbHub::kPorts / 8 + 1;
  return {.vendor = 0x0409,  // as QEMU's
          .product = 0x55aa,
          .release = 0x0101,
          .usb_release = 0x0110,
          .class_code = kHubClass,
          .full = {.attributes = abi::kSelfPowered | abi::kRemoteWakeup,
                   .interface = {.class_code = kHubClass,
                                 .endpoints = {{kInterruptIn, abi::kInterrupt, kChangeBytes, 0xff}}}},
          .strings = {"minivmm", "USB Hub", "1"}};
}

}  // namespace

bool UsbHub::Port::carries() const {
  return device != nullptr && (status & (kEnable | kSuspend)) == kEnable;
}

void UsbHub::Port::visit(core::StateVisitor& v) {
  v.field("status", status);
  v.field("change", change);
  if (device != nullptr) v.field("device", *device);
}

UsbHub::UsbHub() : UsbFunction(describe(), Speed::Full) {
  for (auto& port : ports_) {
    port.hub = this;
    refresh(port);
  }
}

// What a port says when nobody has asked anything of it.
void UsbHub::refresh(Port& port) {
  port.status = kPower;
  port.change = 0;
  if (port.device == nullptr) return;
  port.status |= kConnection;
  if (port.device->fastest() == Speed::Low) port.status |= kLowSpeed;
  port.change = kConnection;
}

void UsbHub::plug(unsigned port, std::unique_ptr<UsbDevice> device) {
  auto& place = ports_[port];
  place.device = std::move(device);
  if (place.device != nullptr) place.device->connect(place);
  refresh(place);
  place.change = kConnection;
  announce_data();
}

void UsbHub::power_on() {
  UsbFunction::power_on();
  for (auto& port : ports_) {
    if (port.device != nullptr) port.device->power_on();
  }
}

void UsbHub::bus_reset(Speed speed) {
  UsbFunction::bus_reset(speed);
  for (auto& port : ports_) {
    if (port.device != nullptr) port.device->bus_reset(Speed::Full);
  }
}

void UsbHub::reset_function() {
  for (auto& port : ports_)
    refresh(port);
}

UsbDevice* UsbHub::at(std::uint8_t address) {
  if (auto* const self = UsbFunction::at(address); self != nullptr) return self;
  for (auto& port : ports_) {
    auto* const found = port.carries() ? port.device->at(address) : nullptr;
    if (found != nullptr) return found;
  }
  return nullptr;
}

// [USB 11.24.2]
UsbHub::Port* UsbHub::port_of(const abi::Setup& setup) {
  const auto number = static_cast<unsigned>(setup.index & 0xff);
  return number >= 1 && number <= kPorts ? &ports_[number - 1] : nullptr;
}

std::optional<UsbHub::Bytes> UsbHub::read_request(const abi::Setup& setup) {
  constexpr std::uint8_t kFromHub = abi::kToHost | abi::kClass | abi::kToDevice;
  constexpr std::uint8_t kFromPort = abi::kToHost | abi::kClass | abi::kToOther;
  if (setup.request_type == kFromHub && setup.request == abi::GET_STATUS) return Bytes{0, 0, 0, 0};
  if (setup.request_type == kFromHub && setup.request == abi::GET_DESCRIPTOR) {
    // [USB 11.23.2.1] no power switching, no over-current protection
    return Bytes{10, abi::HUB, kPorts, 0x0a, 0x00, 1, 0, 0, 0, 0xff};
  }
  if (setup.request_type != kFromPort || setup.request != abi::GET_STATUS) return std::nullopt;
  const auto* const port = port_of(setup);
  if (port == nullptr) return std::nullopt;
  return Bytes{static_cast<std::uint8_t>(port->status), static_cast<std::uint8_t>(port->status >> 8),
               static_cast<std::uint8_t>(port->change), static_cast<std::uint8_t>(port->change >> 8)};
}

bool UsbHub::write_request(const abi::Setup& setup, std::span<const std::uint8_t>) {
  const bool set = setup.request == abi::SET_FEATURE;
  if (!set && setup.request != abi::CLEAR_FEATURE) return false;
  if (setup.request_type == (abi::kClass | abi::kToDevice)) return setup.value <= 1;  // changes that never come
  if (setup.request_type != (abi::kClass | abi::kToOther)) return false;
  auto* const port = port_of(setup);
  if (port == nullptr) return false;
  return set ? set_port_feature(*port, setup.value) : clear_port_feature(*port, setup.value);
}

// [USB 11.24.2.13]
bool UsbHub::set_port_feature(Port& port, std::uint16_t feature) {
  switch (feature) {
    case PORT_POWER: return true;
    case PORT_SUSPEND:
      if (!port.carries()) return true;
      port.status |= kSuspend;
      port.device->set_suspended(true);
      return true;
    case PORT_RESET:
      if (port.device == nullptr) return true;
      port.device->bus_reset(Speed::Full);
      port.status = static_cast<std::uint16_t>((port.status | kEnable) & ~kSuspend);
      port.change |= kReset;
      data_ready();
      return true;
    default: return false;
  }
}

// [USB 11.24.2.2]
bool UsbHub::clear_port_feature(Port& port, std::uint16_t feature) {
  if (feature >= C_PORT_CONNECTION && feature <= C_PORT_RESET) {
    port.change = static_cast<std::uint16_t>(port.change & ~(1U << (feature - C_PORT_CONNECTION)));
    return true;
  }
  switch (feature) {
    case PORT_POWER: return true;  // is not switched
    case PORT_ENABLE: port.status = static_cast<std::uint16_t>(port.status & ~kEnable); return true;
    case PORT_SUSPEND:
      if ((port.status & kSuspend) == 0) return true;
      port.status = static_cast<std::uint16_t>(port.status & ~kSuspend);
      port.change |= kSuspend;
      if (port.device != nullptr) port.device->set_suspended(false);
      return true;
    default: return false;
  }
}

// [USB 11.9] A hub that sleeps hands it on, and tells of the port when it is awake.
void UsbHub::child_resumes(Port& port) {
  if (port.device == nullptr || !clear_port_feature(port, PORT_SUSPEND)) return;
  is_suspended() ? signal_resume() : announce_data();
}

// [USB 11.12.4] a bit for each port with a change, the hub's own first
std::uint16_t UsbHub::changes() const {
  unsigned bits = 0;
  for (unsigned i = 0; i < kPorts; ++i) {
    if (ports_[i].change != 0) bits |= 2U << i;
  }
  return static_cast<std::uint16_t>(bits);
}

UsbResult UsbHub::transfer(UsbPacket& packet) {
  if (packet.pid != Pid::In || packet.endpoint != (kInterruptIn & 0xf)) return UsbResult::Stall;
  const auto bits = changes();
  if (bits == 0) return UsbResult::Nak;
  const std::uint8_t bytes[] = {static_cast<std::uint8_t>(bits), static_cast<std::uint8_t>(bits >> 8)};
  return packet.put(bytes) == sizeof bytes ? UsbResult::Done : UsbResult::Babble;
}

void UsbHub::visit(core::StateVisitor& visitor) {
  UsbFunction::visit(visitor);
  visitor.enter("ports");
  for (unsigned i = 0; i < kPorts; ++i)
    visitor.field(std::to_string(i), ports_[i]);
  visitor.leave();
}

core::Result<> UsbHub::state_loaded() {
  for (auto& port : ports_) {
    if (port.device == nullptr) {
      port.status = static_cast<std::uint16_t>(port.status & ~(kConnection | kEnable | kSuspend));
      continue;
    }
    if (auto loaded = port.device->state_loaded(); !loaded) return loaded;
  }
  return UsbFunction::state_loaded();
}

void UsbHub::drain() {
  for (auto& port : ports_) {
    if (port.device != nullptr) port.device->drain();
  }
}

}  // namespace devices::usb
