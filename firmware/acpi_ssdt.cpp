// The SSDT: PCI windows, processors, serial ports and the HPET of one machine.
#include <algorithm>
#include <span>
#include <string>

#include "firmware/acpi.h"
#include "firmware/aml.h"

namespace firmware {

namespace {

constexpr std::uint32_t kVgaWindow = 0xa0000;
constexpr std::uint32_t kVgaWindowEnd = 0xbffff;
constexpr std::uint16_t kPciConfigPorts = 0xcf8;
constexpr std::uint32_t kHpetBytes = 0x400;

aml::Code pci_windows(const AcpiConfig& config) {
  aml::Code window64;
  if (config.pci_hole64) {
    const auto& range = *config.pci_hole64;
    window64 = aml::memory_window64(range.start, range.start + range.size - 1);
  }
  return aml::resources({
      aml::bus_numbers(0, 0xff),
      aml::ports(kPciConfigPorts, kPciConfigPorts + 7),
      aml::port_window(0, kPciConfigPorts - 1),
      aml::port_window(kPciConfigPorts + 8, 0xffff),
      aml::memory_window(kVgaWindow, kVgaWindowEnd, true),
      aml::memory_window(config.pci_hole, kIoApicBase - 1, false),
      window64,
  });
}

aml::Code processors(unsigned cpus) {
  constexpr auto* kHex = "0123456789ABCDEF";
  aml::Code code;
  for (unsigned cpu = 0; cpu < cpus; ++cpu) {
    const std::string name{'C', 'P', kHex[cpu >> 4], kHex[cpu & 15]};
    code = aml::join({code, aml::processor(name, static_cast<std::uint8_t>(cpu))});
  }
  return code;
}

struct SerialPort {
  std::uint16_t port;
  std::uint8_t irq;
};
constexpr SerialPort kSerialPorts[] = {{0x3f8, 4}, {0x2f8, 3}};

aml::Code serial_ports(unsigned count) {
  aml::Code code;
  for (unsigned i = 0; i < std::min<std::size_t>(count, std::size(kSerialPorts)); ++i) {
    const auto [port, irq] = kSerialPorts[i];
    const auto number = i + 1;
    code = aml::join(
        {code, aml::device("COM" + std::to_string(number),
                           aml::join({
                               aml::name("_HID", aml::eisa_id("PNP0501")),
                               aml::name("_UID", aml::integer(number)),
                               aml::name("_CRS", aml::resources({aml::ports(port, port + 7), aml::isa_interrupt(irq)})),
                           }))});
  }
  return code;
}

aml::Code hpet() {
  return aml::device("HPET", aml::join({
                                 aml::name("_HID", aml::eisa_id("PNP0103")),
                                 aml::name("_UID", aml::integer(0)),
                                 aml::name("_CRS", aml::resources({aml::fixed_memory(kHpetBase, kHpetBytes)})),
                             }));
}

}  // namespace

std::vector<std::uint8_t> build_ssdt(const AcpiConfig& config) {
  return aml::join({
      aml::scope("\\_SB.PCI0", aml::name("_CRS", pci_windows(config))),
      // Windows XP looks for processors in \_PR.
      aml::scope("\\_PR", processors(config.cpus)),
      config.serial_ports > 0 ? aml::scope("\\_SB.PCI0.ISA", serial_ports(config.serial_ports)) : aml::Code{},
      config.hpet ? aml::scope("\\_SB", hpet()) : aml::Code{},
  });
}

}  // namespace firmware
