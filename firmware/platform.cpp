#include "firmware/platform.h"

#include <array>
#include <utility>

#include "firmware/boot_rom.h"

namespace firmware {

namespace {

constexpr std::string_view kBootRomFile = "genroms/minivmm-boot.bin";

// etc/system-states: a byte for each of S0 to S5, its SUS_TYP and whether there is such a state, as
// QEMU tells them.
constexpr std::uint8_t kStateExists = 0x80;
constexpr std::array<std::uint8_t, 6> kSystemStates = {
    kStateExists, 0, 0, kStateExists | kSleepTypeRam, kStateExists | kSleepTypeDisk, kStateExists | kSleepTypeOff};

void add_machine(FwCfg& fw_cfg, const PlatformConfig& config) {
  const auto cpus = static_cast<std::uint16_t>(config.cpus);
  fw_cfg.add_item(FwCfgKey::Uuid, {config.uuid.begin(), config.uuid.end()});
  fw_cfg.add_u64(FwCfgKey::RamSize, config.ram.below_4g + config.ram.above_4g);
  fw_cfg.add_u16(FwCfgKey::NoGraphic, 0);
  fw_cfg.add_u16(FwCfgKey::CpuCount, cpus);
  fw_cfg.add_u16(FwCfgKey::MaxCpus, cpus);
  fw_cfg.add_u64(FwCfgKey::Numa, 0);          // nodes
  fw_cfg.add_u32(FwCfgKey::Irq0Override, 1);  // the PIT is wired to pin 2 of the I/O APIC
  fw_cfg.add_file("etc/pvpanic-port", {kPvpanicPort & 0xff, kPvpanicPort >> 8});
  fw_cfg.add_file("etc/system-states", {kSystemStates.begin(), kSystemStates.end()});
  fw_cfg.add_file("etc/e820", e820_bytes(e820_for_bios(config.ram, config.reserved)));
}

void add_tables(FwCfg& fw_cfg, const PlatformConfig& config) {
  auto acpi = build_acpi({.cpus = config.cpus,
                          .pci_hole = static_cast<std::uint32_t>(config.ram.below_4g),
                          .pci_hole64 = config.pci_hole64,
                          .serial_ports = config.serial_ports,
                          .hpet = config.hpet});
  fw_cfg.add_file("etc/acpi/rsdp", std::move(acpi.rsdp));
  fw_cfg.add_file("etc/acpi/tables", std::move(acpi.tables));
  fw_cfg.add_file("etc/table-loader", acpi.loader.bytes());
  auto smbios = build_smbios({.uuid = config.uuid, .name = config.name, .cpus = config.cpus, .ram = config.ram});
  fw_cfg.add_file("etc/smbios/smbios-anchor", std::move(smbios.anchor));
  fw_cfg.add_file("etc/smbios/smbios-tables", std::move(smbios.tables));
}

void add_boot(FwCfg& fw_cfg, const PlatformConfig& config) {
  fw_cfg.add_u16(FwCfgKey::BootMenu, config.boot_menu ? 1 : 0);
  if (config.boot_menu_wait_ms) {
    const auto wait = *config.boot_menu_wait_ms;
    fw_cfg.add_file("etc/boot-menu-wait", {static_cast<std::uint8_t>(wait), static_cast<std::uint8_t>(wait >> 8)});
  }
  if (!config.boot_order.empty()) fw_cfg.add_file("bootorder", bootorder_file(config.boot_order));
}

}  // namespace

core::Result<Platform> fill_fw_cfg(FwCfg& fw_cfg, PlatformConfig config) {
  Platform platform;
  if (config.kernel) {
    const auto plan = plan_kernel_boot(fw_cfg, std::move(*config.kernel), config.ram, config.kernel_from);
    if (!plan) return std::unexpected(plan.error());
    if (config.kernel_from == BootFrom::None) {
      platform.bios = boot_bios(*plan);
    } else {
      fw_cfg.add_file(kBootRomFile, boot_option_rom(*plan));
      config.boot_order.insert(config.boot_order.begin(), rom_boot_path(kBootRomFile));
    }
  }
  add_machine(fw_cfg, config);
  add_tables(fw_cfg, config);
  add_boot(fw_cfg, config);
  return platform;
}

}  // namespace firmware
