// ACPI tables: RSDP, RSDT, FADT, FACS, DSDT, SSDT, MADT, WAET and HPET. [ACPI 6.4 5.2] Revisions are those that both
// Windows XP (1.0b, with the reset register of 2.0) and today's systems take; there is no XSDT.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "firmware/e820.h"
#include "firmware/table_loader.h"

namespace firmware {

struct AcpiConfig {
  unsigned cpus = 1;                       // APIC ids 0..cpus-1, at most 255
  std::uint32_t pci_hole = 0xe0000000;     // where memory below 4 GiB ends; the hole reaches to the I/O APIC
  std::optional<AddressRange> pci_hole64;  // a window for BARs above 4 GiB, if any
  unsigned serial_ports = 0;               // COM1 and COM2, in this order
  bool hpet = false;
};

// What a BIOS finds as etc/acpi/rsdp, etc/acpi/tables and etc/table-loader.
struct AcpiFiles {
  std::vector<std::uint8_t> rsdp;
  std::vector<std::uint8_t> tables;
  TableLoader loader;
};

AcpiFiles build_acpi(const AcpiConfig& config);

// The body, without header, of the SSDT: what depends on `config`.
std::vector<std::uint8_t> build_ssdt(const AcpiConfig& config);

// What the tables say of the machine; the devices must agree.
constexpr std::uint16_t kPmBase = 0x600;     // PIIX4 power management: event +0, control +4, timer +8
constexpr std::uint16_t kGpeBlock = 0xafe0;  // two status bytes, two enable bytes
constexpr std::uint8_t kSleepTypeRam = 1;    // SUS_TYP of \_S3, _S4 and _S5
constexpr std::uint8_t kSleepTypeDisk = 2;
constexpr std::uint8_t kSleepTypeOff = 0;
constexpr std::uint16_t kSmiCommandPort = 0xb2;
constexpr std::uint8_t kAcpiEnable = 0xf1;  // written there: SCI_EN on
constexpr std::uint8_t kAcpiDisable = 0xf0;
constexpr std::uint8_t kSciInterrupt = 9;
constexpr std::uint16_t kResetPort = 0xcf9;
constexpr std::uint8_t kResetValue = 0x0f;  // full reset
constexpr std::uint16_t kPvpanicPort = 0x505;
constexpr std::uint32_t kIoApicBase = 0xfec00000;
constexpr std::uint32_t kLocalApicBase = 0xfee00000;
constexpr std::uint32_t kHpetBase = 0xfed00000;

}  // namespace firmware
