// Everything a BIOS learns about one machine: fills its fw_cfg from a few parameters.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/base/result.h"
#include "firmware/acpi.h"
#include "firmware/boot_order.h"
#include "firmware/e820.h"
#include "firmware/fw_cfg.h"
#include "firmware/kernel_boot.h"
#include "firmware/smbios.h"

namespace firmware {

struct PlatformConfig {
  RamLayout ram;
  unsigned cpus = 1;  // at most 255
  std::string name;
  Uuid uuid{};

  std::vector<std::string> boot_order;  // paths of devices (boot_order.h), first one first
  bool boot_menu = false;
  std::optional<std::uint16_t> boot_menu_wait_ms;  // how long the BIOS waits for the menu's key

  std::optional<KernelFiles> kernel;      // boots before any device
  BootFrom kernel_from = BootFrom::Bios;  // None: with Platform::bios as its BIOS

  std::vector<AddressRange> reserved;      // memory that the accelerator keeps
  std::optional<AddressRange> pci_hole64;  // a window for BARs above 4 GiB
  unsigned serial_ports = 0;
  bool hpet = false;
};

struct Platform {
  // With kernel_from None: the image to use as BIOS. Else empty.
  std::vector<std::uint8_t> bios;
};

core::Result<Platform> fill_fw_cfg(FwCfg& fw_cfg, PlatformConfig config);

}  // namespace firmware
