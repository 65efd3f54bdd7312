#include <algorithm>
#include <utility>

#include "vmm/config/key_values.h"
#include "vmm/config/options.h"

namespace vmm::config {

namespace {

using core::fail;
using core::Result;

constexpr std::uint64_t kMostPorts = 8;  // of a hub
constexpr std::size_t kMostTiers = 5;    // hubs behind each other, and the device [USB 2.0 4.1.1]

constexpr std::pair<std::string_view, UsbKind> kKinds[] = {{"tablet", UsbKind::Tablet},
                                                           {"keyboard", UsbKind::Keyboard},
                                                           {"mouse", UsbKind::Mouse},
                                                           {"hub", UsbKind::Hub},
                                                           {"storage", UsbKind::Storage}};

Result<> parse_port(UsbDeviceConfig& device, std::string_view text) {
  device.port.clear();
  for (std::size_t end = 0; end != std::string_view::npos;) {
    end = text.find('.');
    const auto number = parse_number(text.substr(0, end), 1, kMostPorts);
    if (!number) return core::fail_with("port", number);
    device.port.push_back(static_cast<unsigned>(*number));
    if (end != std::string_view::npos) text.remove_prefix(end + 1);
  }
  if (device.port.size() > kMostTiers + 1) return fail("port: USB has no more than {} hubs in a row", kMostTiers);
  return {};
}

Result<> apply_kind(UsbDeviceConfig& device, std::string_view name) {
  const auto* const found = std::ranges::find(kKinds, name, &std::pair<std::string_view, UsbKind>::first);
  if (found == std::end(kKinds)) return fail("\"{}\" is not one of tablet, keyboard, mouse, hub, storage", name);
  device.kind = found->second;
  return {};
}

Result<> apply_key(UsbDeviceConfig& device, const KeyValue& pair) {
  if (pair.key == "kind") return apply_kind(device, pair.value);
  if (pair.key == "port") return parse_port(device, pair.value);
  if (pair.key == "usb_version") {
    const auto version = parse_number(pair.value, 1, 2);
    if (!version) return core::fail_with("usb_version", version);
    device.usb_1 = *version == 1;
    return {};
  }
  if (device.kind != UsbKind::Storage) return fail("unknown key \"{}\"; known are port and usb_version", pair.key);
  if (pair.key == "file") {
    device.path = pair.value;
    return {};
  }
  if (pair.key != "snapshot" && pair.key != "readonly") {
    return fail("unknown key \"{}\"; known are file, port, readonly and snapshot", pair.key);
  }
  const auto on = parse_switch(pair);
  if (!on) return std::unexpected(on.error());
  (pair.key == "snapshot" ? device.snapshot : device.read_only) = *on;
  return {};
}

}  // namespace

Result<> apply_usb(MachineConfig& config, std::string_view value) {
  const auto pairs = split_key_values(value, "usb");
  if (!pairs) return std::unexpected(pairs.error());
  for (const auto& pair : *pairs) {
    if (pair.key == "controllers") {
      if (pair.value != "ehci" && pair.value != "uhci") return fail("controllers={}: give ehci or uhci", pair.value);
      config.usb.controllers = pair.value == "ehci" ? UsbControllers::Ehci : UsbControllers::Uhci;
      continue;
    }
    if (pair.key != "usb" && pair.key != "tablet") {
      return fail("unknown key \"{}\"; known are controllers and tablet", pair.key);
    }
    const auto on = parse_switch(pair);
    if (!on) return std::unexpected(on.error());
    (pair.key == "usb" ? config.usb.enabled : config.usb.tablet) = *on;
  }
  return {};
}

Result<> apply_usb_device(MachineConfig& config, std::string_view value) {
  const auto pairs = split_key_values(value, "kind");
  if (!pairs) return std::unexpected(pairs.error());
  UsbDeviceConfig device;
  for (const auto& pair : *pairs) {
    if (auto applied = apply_key(device, pair); !applied) return applied;
  }
  if (device.kind == UsbKind::Storage && device.path.empty()) return fail("a stick needs a file: storage,file=FILE");
  config.usb.devices.push_back(std::move(device));
  config.usb.enabled = true;
  return {};
}

}  // namespace vmm::config
