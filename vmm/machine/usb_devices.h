// The USB controllers and devices that the configuration asks for.
#pragma once

#include <array>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "core/event/guest_clock.h"
#include "core/memory/guest_memory.h"
#include "core/memory/write_alarm.h"
#include "core/pci/pci_bus.h"
#include "core/ports/block.h"
#include "devices/usb/ehci_controller.h"
#include "devices/usb/hid_keyboard.h"
#include "devices/usb/hid_pointers.h"
#include "devices/usb/uhci_controller.h"
#include "devices/usb/usb_hub.h"
#include "vmm/config/machine_config.h"
#include "vmm/machine/host_ends.h"

namespace vmm::machine {

class UsbDevices {
 public:
  struct Wiring {
    const core::GuestMemory& memory;
    core::GuestClock& clock;
  };

  // Takes the sticks' disks out of `ends`. Without USB there is nothing.
  static core::Result<std::unique_ptr<UsbDevices>> create(const config::MachineConfig& config, HostEnds& ends,
                                                          const Wiring& wiring);
  ~UsbDevices();
  UsbDevices(const UsbDevices&) = delete;
  UsbDevices& operator=(const UsbDevices&) = delete;

  core::Result<> plug(core::PciBus& bus);
  void list(std::vector<core::Device*>& devices) const;
  void drain();

  // The first of each kind; null if there is none.
  devices::usb::HidTablet* tablet() const { return tablet_; }
  devices::usb::HidKeyboard* keyboard() const { return keyboard_; }
  devices::usb::HidMouse* mouse() const { return mouse_; }
  // The sticks' images by name.
  std::span<const std::pair<std::string, core::BlockBackend*>> disks() const { return disks_; }
  // Where the firmware finds the sticks.
  static std::vector<std::string> boot_paths(const config::MachineConfig& config);

 private:
  struct Made {
    std::vector<unsigned> port;
    std::unique_ptr<devices::usb::UsbDevice> made;
  };

  UsbDevices(const config::MachineConfig& config, const Wiring& wiring, std::unique_ptr<core::WriteAlarms> alarms);
  std::unique_ptr<devices::usb::UsbDevice> make(const config::UsbDeviceConfig& device, HostEnds& ends);
  core::Result<> place(Made& device);
  unsigned root_ports() const;
  devices::usb::RootPort& root_port(unsigned index);

  core::DeviceLock lock_;  // of everything on the bus
  Wiring wiring_;
  bool counted_time_;
  std::unique_ptr<core::WriteAlarms> alarms_;  // of what guests write to schedules; null where there are none
  std::unique_ptr<devices::usb::EhciController> ehci_;
  std::array<std::unique_ptr<devices::usb::UhciController>, 3> companions_;
  std::unique_ptr<devices::usb::UhciController> uhci_;  // instead of those
  devices::usb::HidTablet* tablet_ = nullptr;
  devices::usb::HidKeyboard* keyboard_ = nullptr;
  devices::usb::HidMouse* mouse_ = nullptr;
  std::vector<std::pair<std::string, core::BlockBackend*>> disks_;
};

}  // namespace vmm::machine
