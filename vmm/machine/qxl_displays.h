// The machine's displays: a QXL device for each that the configuration asks for, and where they are on the PCI bus.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "core/bus/address_space.h"
#include "core/bus/device.h"
#include "core/event/guest_clock.h"
#include "core/memory/memory_block.h"
#include "core/memory/ram_map.h"
#include "core/pci/pci_bus.h"
#include "core/ports/display.h"
#include "vmm/config/machine_config.h"

namespace devices::qxl {
class QxlFunction;
}

namespace vmm::machine {

// One of them, as those see it who show it.
struct Display {
  std::string name;  // "qxl0"
  core::DisplaySource* source = nullptr;
  core::PciAddress address;        // where the guest finds it
  std::uint32_t vgamem_bytes = 0;  // what its largest screen takes
};

class QxlDisplays {
 public:
  struct Wiring {
    core::AddressSpace& io;
    core::AddressSpace& mmio;
    core::RamMap& ram_map;
    core::GuestClock& clock;
    bool counted_time = false;
  };

  // One at least; the first has the VGA and its BIOS.
  static core::Result<std::unique_ptr<QxlDisplays>> create(const config::MachineConfig& config,
                                                           const std::vector<std::uint8_t>& vga_bios,
                                                           const Wiring& wiring);
  ~QxlDisplays();
  QxlDisplays(const QxlDisplays&) = delete;
  QxlDisplays& operator=(const QxlDisplays&) = delete;

  core::Result<> plug(core::PciBus& bus);
  core::Result<> attach();  // the VGA, where guests look for one
  void list(std::vector<core::Device*>& devices) const;

  std::vector<Display> all() const;  // by their numbers
  std::string describe() const;      // what their drivers do, in lines for people
  void list_memory(std::vector<core::MemoryBlock*>& blocks) const;

 private:
  QxlDisplays() = default;

  std::vector<std::unique_ptr<devices::qxl::QxlFunction>> functions_;
};

}  // namespace vmm::machine
