#include "devices/usb/descriptors.h"

#include "devices/usb/usb_abi.h"

namespace devices::usb {

using Bytes = std::vector<std::uint8_t>;

namespace {

constexpr std::uint8_t kHighSpeedPacket = 64;  // of the control endpoint [USB 5.5.3]

void add16(Bytes& bytes, std::uint16_t value) {
  bytes.push_back(static_cast<std::uint8_t>(value));
  bytes.push_back(static_cast<std::uint8_t>(value >> 8));
}

// Low-speed devices do not know of USB 2.0's speeds, nor does a 1.1 device.
Speed other(Speed speed) {
  return speed == Speed::High ? Speed::Full : Speed::High;
}

}  // namespace

const ConfigurationDescription& Descriptors::configuration(Speed speed) const {
  return speed == Speed::High && description_.high ? *description_.high : description_.full;
}

Bytes Descriptors::device(Speed speed) const {
  const auto& d = description_;
  Bytes bytes{18, abi::DEVICE};
  add16(bytes, d.usb_release);
  bytes.insert(bytes.end(), {d.class_code, 0, 0, speed == Speed::High ? kHighSpeedPacket : d.max_packet_0});
  add16(bytes, d.vendor);
  add16(bytes, d.product);
  add16(bytes, d.release);
  const auto string = [&d](std::size_t index) {
    return d.strings.size() >= index ? static_cast<std::uint8_t>(index) : std::uint8_t{0};
  };
  bytes.insert(bytes.end(), {string(1), string(2), string(3), 1});
  return bytes;
}

// [USB 9.6.2] what the device would be at the other speed
Bytes Descriptors::qualifier(Speed speed) const {
  const auto there = device(other(speed));
  Bytes bytes{10, abi::DEVICE_QUALIFIER};
  bytes.insert(bytes.end(), there.begin() + 2, there.begin() + 8);
  bytes.insert(bytes.end(), {there[17], 0});
  return bytes;
}

Bytes Descriptors::configuration_set(std::uint8_t type, Speed speed) const {
  const auto& c = configuration(speed);
  const auto& i = c.interface;
  Bytes bytes{9, type, 0, 0, 1, 1, c.name, c.attributes, c.max_power};
  const auto endpoints = static_cast<std::uint8_t>(i.endpoints.size());
  bytes.insert(bytes.end(), {9, abi::INTERFACE, 0, 0, endpoints, i.class_code, i.subclass, i.protocol, i.name});
  bytes.insert(bytes.end(), i.class_descriptor.begin(), i.class_descriptor.end());
  for (const auto& endpoint : i.endpoints) {
    bytes.insert(bytes.end(), {7, abi::ENDPOINT, endpoint.address, endpoint.attributes});
    add16(bytes, endpoint.max_packet);
    bytes.push_back(endpoint.interval);
  }
  bytes[2] = static_cast<std::uint8_t>(bytes.size());
  bytes[3] = static_cast<std::uint8_t>(bytes.size() >> 8);
  return bytes;
}

std::optional<Bytes> Descriptors::string(std::uint8_t index) const {
  Bytes bytes{0, abi::STRING};
  if (index == 0) {
    add16(bytes, abi::kEnglish);
  } else if (index <= description_.strings.size()) {
    for (const char letter : description_.strings[index - 1])
      add16(bytes, static_cast<std::uint8_t>(letter));
  } else {
    return std::nullopt;
  }
  bytes[0] = static_cast<std::uint8_t>(bytes.size());
  return bytes;
}

std::optional<Bytes> Descriptors::find(std::uint8_t type, std::uint8_t index, Speed speed) const {
  switch (type) {
    case abi::DEVICE: return device(speed);
    case abi::STRING: return string(index);
    case abi::CONFIGURATION:
      if (index != 0) return std::nullopt;
      return configuration_set(type, speed);
    case abi::OTHER_SPEED_CONFIGURATION:
      if (index != 0 || !knows_high_speed()) return std::nullopt;
      return configuration_set(type, other(speed));
    case abi::DEVICE_QUALIFIER:
      if (!knows_high_speed()) return std::nullopt;
      return qualifier(speed);
    default: return std::nullopt;
  }
}

}  // namespace devices::usb
