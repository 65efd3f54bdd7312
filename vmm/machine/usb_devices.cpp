#include "vmm/machine/usb_devices.h"

#include <algorithm>
#include <fmt/format.h>
#include <mutex>
#include <set>

#include "core/base/log.h"
#include "core/memory/userfault_alarms.h"
#include "devices/usb/mass_storage.h"
#include "firmware/boot_order.h"

namespace vmm::machine {

namespace usb = devices::usb;
using core::Result;

namespace {

// docs/machine.md
constexpr core::PciAddress kUhciSlot{1, 2};
constexpr unsigned kEhciDevice = 0x1d;
constexpr unsigned kEhciFunction = 7;
constexpr unsigned kCompanions = 3;

// The devices of the configuration, with the tablet that is there unless it is not wanted; each has its port.
std::vector<config::UsbDeviceConfig> wanted_devices(const config::UsbConfig& config) {
  auto devices = config.devices;
  const bool has_tablet =
      std::ranges::find(devices, config::UsbKind::Tablet, &config::UsbDeviceConfig::kind) != devices.end();
  if (config.tablet && !has_tablet) devices.insert(devices.begin(), config::UsbDeviceConfig{});
  std::set<unsigned> taken;
  for (const auto& device : devices) {
    if (device.port.size() == 1) taken.insert(device.port.front());
  }
  unsigned next = 1;
  for (auto& device : devices) {
    if (!device.port.empty()) continue;
    while (taken.contains(next))
      ++next;
    taken.insert(next);
    device.port = {next};
  }
  return devices;
}

// Null: controllers look at their schedules themselves. With icount alarms would go off at the host's time.
std::unique_ptr<core::WriteAlarms> make_alarms(const config::MachineConfig& config, const HostEnds& ends,
                                               const UsbDevices::Wiring& wiring) {
  if (config.icount) return nullptr;
  auto alarms = core::UserfaultAlarms::create(wiring.memory, ends.start);
  if (alarms) return std::move(*alarms);
  core::log(core::LogLevel::Debug, "usb", "idle controllers look at their schedules: {}", alarms.error().message);
  return nullptr;
}

std::string port_name(const std::vector<unsigned>& port) {
  return fmt::format("{}", fmt::join(port, "."));
}

}  // namespace

UsbDevices::UsbDevices(const config::MachineConfig& config, const Wiring& wiring,
                       std::unique_ptr<core::WriteAlarms> alarms)
    : wiring_(wiring), counted_time_(config.icount.has_value()), alarms_(std::move(alarms)) {
  if (config.usb.controllers == config::UsbControllers::Uhci) {
    uhci_ = std::make_unique<usb::UhciController>(
        usb::UhciController::Config{"uhci", usb::UhciController::piix3()},
        usb::UhciController::Wiring{
            .memory = wiring.memory, .clock = wiring.clock, .bus = lock_, .alarms = alarms_.get()});
    return;
  }
  ehci_ = std::make_unique<usb::EhciController>(
      usb::EhciController::Config{"ehci"},
      usb::EhciController::Wiring{wiring.memory, wiring.clock, lock_, alarms_.get()});
  for (unsigned i = 0; i < kCompanions; ++i) {
    usb::UhciController::Wiring companion{
        .memory = wiring.memory, .clock = wiring.clock, .bus = lock_, .alarms = alarms_.get()};
    for (unsigned port = 0; port < usb::UhciController::kPorts; ++port)
      companion.ports[port] = &ehci_->port(i * usb::UhciController::kPorts + port);
    companions_[i] = std::make_unique<usb::UhciController>(
        usb::UhciController::Config{fmt::format("uhci{}", i + 1), usb::UhciController::ich9(i)}, companion);
    ehci_->connect_companion(i, *companions_[i]);
  }
}

UsbDevices::~UsbDevices() {
  drain();
  for (auto& companion : companions_)
    companion.reset();
}

Result<std::unique_ptr<UsbDevices>> UsbDevices::create(const config::MachineConfig& config, HostEnds& ends,
                                                       const Wiring& wiring) {
  if (!config.usb.enabled) return nullptr;
  std::unique_ptr<UsbDevices> devices(new UsbDevices(config, wiring, make_alarms(config, ends, wiring)));
  std::vector<Made> made;
  for (const auto& device : wanted_devices(config.usb))
    made.push_back({device.port, devices->make(device, ends)});
  // Hubs before what is behind them.
  std::ranges::stable_sort(made, {}, [](const auto& device) { return device.port.size(); });
  for (auto& device : made) {
    if (auto placed = devices->place(device); !placed) return core::fail_with("--usb-device", placed);
  }
  return devices;
}

std::unique_ptr<usb::UsbDevice> UsbDevices::make(const config::UsbDeviceConfig& device, HostEnds& ends) {
  const auto version = device.usb_1 ? usb::UsbVersion::Usb1 : usb::UsbVersion::Usb2;
  const usb::HidDevice::Wiring hid{wiring_.clock, lock_};
  // The first of a kind is the one that input goes to.
  const auto noted = [](auto*& first, auto made) {
    if (first == nullptr) first = made.get();
    return made;
  };
  switch (device.kind) {
    case config::UsbKind::Tablet: return noted(tablet_, std::make_unique<usb::HidTablet>(version, hid));
    case config::UsbKind::Keyboard: return noted(keyboard_, std::make_unique<usb::HidKeyboard>(version, hid));
    case config::UsbKind::Mouse: return noted(mouse_, std::make_unique<usb::HidMouse>(version, hid));
    case config::UsbKind::Hub: return std::make_unique<usb::UsbHub>();
    case config::UsbKind::Storage: break;
  }
  const auto number = disks_.size();
  auto& disk = ends.usb_disks[number];
  disks_.emplace_back(fmt::format("usb{}", number), disk.get());
  usb::MassStorage::Config storage{
      .backend = std::move(disk), .serial = fmt::format("MV{:05}", 200 + number), .reads_at_once = !counted_time_};
  return std::make_unique<usb::MassStorage>(std::move(storage), usb::MassStorage::Wiring{wiring_.clock, lock_});
}

unsigned UsbDevices::root_ports() const {
  return ehci_ != nullptr ? usb::EhciController::kPorts : usb::UhciController::kPorts;
}

usb::RootPort& UsbDevices::root_port(unsigned index) {
  return ehci_ != nullptr ? ehci_->port(index) : uhci_->port(index);
}

Result<> UsbDevices::place(Made& device) {
  const std::scoped_lock guard(lock_);
  const auto name = port_name(device.port);
  const auto root = device.port.front();
  if (root > root_ports()) return core::fail("there is no port {}: the controller has {}", name, root_ports());
  auto& port = root_port(root - 1);
  if (device.port.size() == 1) {
    if (port.device() != nullptr) return core::fail("there are two devices for port {}", name);
    port.plug(std::move(device.made));
    return {};
  }
  auto* hub = dynamic_cast<usb::UsbHub*>(port.device());
  for (std::size_t tier = 1; tier + 1 < device.port.size() && hub != nullptr; ++tier)
    hub = dynamic_cast<usb::UsbHub*>(hub->device(device.port[tier] - 1));
  if (hub == nullptr) return core::fail("there is no hub for port {}", name);
  if (hub->device(device.port.back() - 1) != nullptr) return core::fail("there are two devices for port {}", name);
  hub->plug(device.port.back() - 1, std::move(device.made));
  return {};
}

std::vector<std::string> UsbDevices::boot_paths(const config::MachineConfig& config) {
  std::vector<std::string> paths;
  if (!config.usb.enabled) return paths;
  const bool is_ehci = config.usb.controllers == config::UsbControllers::Ehci;
  for (const auto& device : wanted_devices(config.usb)) {
    if (device.kind != config::UsbKind::Storage) continue;
    const auto root = device.port.front();
    // Behind a hub, which knows no high speed, it is the companion that has it.
    const bool is_companions = is_ehci && device.port.size() > 1;
    const auto function = is_companions ? (root - 1) / 2 : kEhciFunction;
    auto path = is_ehci ? firmware::pci_boot_path("usb", kEhciDevice, function)
                        : firmware::pci_boot_path("usb", kUhciSlot.device, kUhciSlot.function);
    auto port = device.port;
    if (is_companions) port.front() = (root - 1) % 2 + 1;
    for (std::size_t tier = 0; tier + 1 < port.size(); ++tier)
      path += fmt::format("/hub@{:x}", port[tier]);
    paths.push_back(path + fmt::format("/storage@{:x}/channel@0/disk@0,0", port.back()));
  }
  return paths;
}

Result<> UsbDevices::plug(core::PciBus& bus) {
  if (uhci_ != nullptr) return bus.plug(kUhciSlot, *uhci_);
  for (unsigned i = 0; i < kCompanions; ++i) {
    if (auto plugged = bus.plug({kEhciDevice, i}, *companions_[i]); !plugged) return plugged;
  }
  return bus.plug({kEhciDevice, kEhciFunction}, *ehci_);
}

void UsbDevices::list(std::vector<core::Device*>& devices) const {
  if (uhci_ != nullptr) return devices.push_back(uhci_.get());
  for (const auto& companion : companions_)
    devices.push_back(companion.get());
  devices.push_back(ehci_.get());
}

void UsbDevices::drain() {
  for (unsigned i = 0; i < root_ports(); ++i) {
    if (auto* const device = root_port(i).device(); device != nullptr) device->drain();
  }
}

}  // namespace vmm::machine
