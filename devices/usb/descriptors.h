// The descriptors of a device, made from what is particular to it. [USB 9.6]
#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "devices/usb/usb_device.h"

namespace devices::usb {

struct EndpointDescription {
  std::uint8_t address = 0;     // with kInEndpoint
  std::uint8_t attributes = 0;  // transfer type
  std::uint16_t max_packet = 0;
  std::uint8_t interval = 0;  // frames, or the exponent of microframes at high speed, plus one
};

struct InterfaceDescription {
  std::uint8_t class_code = 0;
  std::uint8_t subclass = 0;
  std::uint8_t protocol = 0;
  std::uint8_t name = 0;                            // string
  std::vector<std::uint8_t> class_descriptor = {};  // between interface and endpoints
  std::vector<EndpointDescription> endpoints = {};
};

struct ConfigurationDescription {
  std::uint8_t name = 0;
  std::uint8_t attributes = 0;
  std::uint8_t max_power = 0;  // 2 mA each
  InterfaceDescription interface = {};
};

struct DeviceDescription {
  std::uint16_t vendor = 0;
  std::uint16_t product = 0;
  std::uint16_t release = 0;
  std::uint16_t usb_release = 0x0200;
  std::uint8_t class_code = 0;
  std::uint8_t max_packet_0 = 8;  // of the control endpoint at full speed
  ConfigurationDescription full = {};
  std::optional<ConfigurationDescription> high = {};  // if the device knows high speed
  std::vector<std::string> strings = {};              // 1: manufacturer, 2: product, 3: serial number, ...
};

class Descriptors {
 public:
  explicit Descriptors(DeviceDescription description) : description_(std::move(description)) {}

  bool knows_high_speed() const { return description_.high.has_value(); }
  const ConfigurationDescription& configuration(Speed speed) const;
  // GET_DESCRIPTOR's whole answer. nullopt: there is none of this type and index.
  std::optional<std::vector<std::uint8_t>> find(std::uint8_t type, std::uint8_t index, Speed speed) const;

 private:
  std::vector<std::uint8_t> device(Speed speed) const;
  std::vector<std::uint8_t> qualifier(Speed speed) const;
  std::vector<std::uint8_t> configuration_set(std::uint8_t type, Speed speed) const;
  std::optional<std::vector<std::uint8_t>> string(std::uint8_t index) const;

  DeviceDescription description_;
};

}  // namespace devices::usb
