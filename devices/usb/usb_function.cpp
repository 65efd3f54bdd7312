#include "devices/usb/usb_function.h"

#include <algorithm>
#include <bit>

namespace devices::usb {

void UsbFunction::State::visit(core::StateVisitor& v) {
  v.field("speed", speed);
  v.field("address", address);
  v.field("next_address", next_address);
  v.field("configuration", configuration);
  v.field("remote_wakeup", remote_wakeup);
  v.field("suspended", suspended);
  v.field("halted", halted);
  v.field("stage", stage);
  v.field("setup", setup);
  v.field("position", position);
  v.field("data", data, kMaxControlData);
}

UsbFunction::UsbFunction(DeviceDescription description, Speed slowest)
    : descriptors_(std::move(description)), slowest_(slowest) {
  state_.speed = slowest_;
}

Speed UsbFunction::fastest() const {
  return descriptors_.knows_high_speed() ? Speed::High : slowest_;
}

void UsbFunction::power_on() {
  state_ = {};
  state_.speed = slowest_;
  reset_function();
  configured();
}

void UsbFunction::bus_reset(Speed speed) {
  power_on();
  state_.speed = speed == Speed::High && descriptors_.knows_high_speed() ? Speed::High : slowest_;
}

core::Result<> UsbFunction::state_loaded() {
  const bool valid = state_.speed <= Speed::High && state_.address <= abi::kMaxAddress &&
                     state_.next_address <= abi::kMaxAddress && state_.configuration <= 1 &&
                     state_.stage <= Stage::Refused && state_.position <= state_.data.size();
  if (!valid) return core::fail("a USB device is in a state that cannot be");
  configured();
  return {};
}

void UsbFunction::halt(std::uint8_t endpoint) {
  state_.halted[slot_of(endpoint)] = 1;
}

void UsbFunction::announce_data() {
  if (!is_configured()) return;
  if (state_.suspended) {
    if (state_.remote_wakeup) signal_resume();
    return;
  }
  data_ready();
}

UsbResult UsbFunction::submit(UsbPacket& packet) {
  if (packet.endpoint == 0) return control(packet);
  if (!is_configured() || packet.pid == Pid::Setup) return UsbResult::Stall;
  const auto endpoint =
      static_cast<std::uint8_t>(packet.endpoint | (packet.pid == Pid::In ? abi::kInEndpoint : std::uint8_t{0}));
  if (state_.halted[slot_of(endpoint)] != 0) return UsbResult::Stall;
  const auto result = transfer(packet);
  if (result == UsbResult::Stall) halt(endpoint);
  return result;
}

// --- the control endpoint [USB 8.5.3] --------------------------------------------------------------------------------

abi::Setup UsbFunction::setup() const {
  return std::bit_cast<abi::Setup>(state_.setup);
}

UsbResult UsbFunction::control(UsbPacket& packet) {
  switch (packet.pid) {
    case Pid::Setup: return begin_request(packet);
    case Pid::In: return control_in(packet);
    case Pid::Out: return control_out(packet);
  }
  return UsbResult::Stall;
}

// A SETUP ends whatever was under way, and a refusal.
UsbResult UsbFunction::begin_request(UsbPacket& packet) {
  if (packet.length() != sizeof(abi::Setup)) return UsbResult::NoResponse;
  packet.take(state_.setup);
  state_.position = 0;
  state_.data.clear();
  state_.next_address = state_.address;
  const auto request = setup();
  const bool to_host = (request.request_type & abi::kToHost) != 0;
  if (!to_host || request.length == 0) {
    state_.stage = Stage::StatusIn;
    if (request.length == 0) {
      if (!execute_write(request)) state_.stage = Stage::Refused;
    } else if (request.length > kMaxControlData) {
      state_.stage = Stage::Refused;
    } else {
      state_.stage = Stage::DataOut;
    }
    return UsbResult::Done;
  }
  auto reply =
      (request.request_type & abi::kTypeMask) == abi::kStandard ? read_standard(request) : read_request(request);
  state_.stage = reply ? Stage::DataIn : Stage::Refused;
  if (reply) {
    reply->resize(std::min<std::size_t>({reply->size(), request.length, kMaxControlData}));
    state_.data = std::move(*reply);
  }
  return UsbResult::Done;
}

UsbResult UsbFunction::control_in(UsbPacket& packet) {
  if (state_.stage == Stage::DataIn) {
    state_.position += packet.put(std::span(state_.data).subspan(state_.position));
    return UsbResult::Done;
  }
  if (state_.stage != Stage::StatusIn) return UsbResult::Stall;
  state_.stage = Stage::Idle;
  state_.address = state_.next_address;  // [USB 9.4.6] after the status stage
  return UsbResult::Done;
}

UsbResult UsbFunction::control_out(UsbPacket& packet) {
  if (state_.stage == Stage::DataIn) {  // the status stage
    state_.stage = Stage::Idle;
    packet.transferred = packet.length();
    return UsbResult::Done;
  }
  if (state_.stage != Stage::DataOut) return UsbResult::Stall;
  const auto request = setup();
  if (packet.length() > request.length - state_.data.size()) {
    state_.stage = Stage::Refused;
    return UsbResult::Stall;
  }
  const auto before = state_.data.size();
  state_.data.resize(before + packet.length());
  packet.take(std::span(state_.data).subspan(before));
  if (state_.data.size() < request.length) return UsbResult::Done;
  state_.stage = execute_write(request) ? Stage::StatusIn : Stage::Refused;
  return UsbResult::Done;
}

bool UsbFunction::execute_write(const abi::Setup& request) {
  const bool standard = (request.request_type & abi::kTypeMask) == abi::kStandard;
  return standard ? write_standard(request) : write_request(request, state_.data);
}

// --- standard requests [USB 9.4] -------------------------------------------------------------------------------------

std::optional<UsbFunction::Bytes> UsbFunction::read_standard(const abi::Setup& request) {
  switch (request.request) {
    case abi::GET_DESCRIPTOR: {
      if ((request.request_type & abi::kRecipientMask) != abi::kToDevice) return read_request(request);
      const std::uint16_t value = request.value;
      return descriptors_.find(static_cast<std::uint8_t>(value >> 8), static_cast<std::uint8_t>(value), state_.speed);
    }
    case abi::GET_CONFIGURATION: return Bytes{state_.configuration};
    case abi::GET_INTERFACE:
      if (!is_configured() || request.index != 0) return std::nullopt;
      return Bytes{0};
    case abi::GET_STATUS: return status_of(request);
    default: return std::nullopt;
  }
}

std::optional<UsbFunction::Bytes> UsbFunction::status_of(const abi::Setup& request) const {
  switch (request.request_type & abi::kRecipientMask) {
    case abi::kToDevice: {
      const auto attributes = descriptors_.configuration(state_.speed).attributes;
      const bool self_powered = (attributes & abi::kSelfPowered) == abi::kSelfPowered;
      return Bytes{static_cast<std::uint8_t>((self_powered ? 1 : 0) | (state_.remote_wakeup ? 2 : 0)), 0};
    }
    case abi::kToInterface: return Bytes{0, 0};
    case abi::kToEndpoint: return Bytes{state_.halted[slot_of(static_cast<std::uint8_t>(request.index))], 0};
    default: return std::nullopt;
  }
}

bool UsbFunction::write_standard(const abi::Setup& request) {
  switch (request.request) {
    case abi::SET_ADDRESS:
      if (request.value > abi::kMaxAddress) return false;
      state_.next_address = static_cast<std::uint8_t>(request.value);
      return true;
    case abi::SET_CONFIGURATION:
      if (request.value > 1) return false;
      state_.configuration = static_cast<std::uint8_t>(request.value);
      state_.halted = {};
      configured();
      return true;
    case abi::SET_INTERFACE: return is_configured() && request.value == 0 && request.index == 0;
    case abi::SET_FEATURE: return set_feature(request, true);
    case abi::CLEAR_FEATURE: return set_feature(request, false);
    default: return false;
  }
}

bool UsbFunction::set_feature(const abi::Setup& request, bool on) {
  const auto recipient = request.request_type & abi::kRecipientMask;
  if (recipient == abi::kToDevice && request.value == abi::DEVICE_REMOTE_WAKEUP) {
    state_.remote_wakeup = on;
    return true;
  }
  if (recipient != abi::kToEndpoint || request.value != abi::ENDPOINT_HALT) return false;
  const auto endpoint = static_cast<std::uint8_t>(request.index);
  state_.halted[slot_of(endpoint)] = on ? 1 : 0;
  if (!on) halt_cleared(endpoint);
  return true;
}

}  // namespace devices::usb
