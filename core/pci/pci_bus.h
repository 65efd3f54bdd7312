// PCI bus 0: finds functions for config accesses, keeps their BARs mapped where the guest puts them, and joins their
// INTx pins into the four PIRQ lines.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <variant>
#include <vector>

#include "core/bus/address_space.h"
#include "core/bus/irq.h"
#include "core/memory/ram_map.h"
#include "core/pci/pci_function.h"

namespace core::inline pci {

// Device 0..31 and function 0..7 on bus 0.
struct PciAddress {
  unsigned device = 0;
  unsigned function = 0;
  auto operator<=>(const PciAddress&) const = default;
};

class PciBus final : public IrqSink {
 public:
  struct Wiring {
    AddressSpace& io;
    AddressSpace& mmio;
    RamMap& ram;
    IrqSink& pirq;  // inputs 0..3: PIRQA..PIRQD, levels already joined
  };

  explicit PciBus(const Wiring& wiring) : wiring_(wiring) {}

  // Plugs a function in before the machine runs; a taken address is an error. The function must outlive the bus's use.
  Result<> plug(PciAddress address, PciFunction& function);

  // Config accesses by the host bridge; width 1, 2, 4 and aligned. No device lock may be held. Absent: all ones.
  std::uint32_t config_read(unsigned bus, PciAddress address, std::uint32_t offset, unsigned width);
  void config_write(unsigned bus, PciAddress address, std::uint32_t offset, unsigned width, std::uint32_t value);

  // Maps all BARs where they are now: after a reset or a load of state. No device lock may be held.
  void remap();
  // Takes every function off the bus, so that they may be destroyed before it. No CPU runs any more.
  void unplug_all();
  void set_input(unsigned input, bool level) override;  // INTx: device * 4 + pin

  struct Slot {
    PciAddress address;
    PciFunction* function = nullptr;
  };
  std::vector<Slot> slots() const;  // for `info pci`

 private:
  struct Mapping {
    const Bar* bar = nullptr;
    std::uint64_t base = 0;
    std::variant<Registration, RamMapping> range;
    std::vector<Registration> doorbells;
  };
  struct Plugged {
    PciFunction* function = nullptr;
    std::vector<Mapping> mappings;
    bool denied = false;  // a BAR lies where something else already answers
  };
  Plugged* find(unsigned bus, PciAddress address);
  // Maps what has moved; true if that left a place.
  bool follow(Plugged& plugged, const std::vector<PciFunction::Window>& windows);

  Wiring wiring_;
  std::map<PciAddress, Plugged> functions_;
  std::mutex mapping_mutex_;
  std::mutex intx_mutex_;
  std::array<bool, 128> intx_{};  // by input
};

}  // namespace core::inline pci
