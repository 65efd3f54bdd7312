// SMBIOS 2.8 tables for etc/smbios/smbios-anchor and etc/smbios/smbios-tables. [DSP0134 2.8.0]
//
// Type 0 is missing on purpose: the BIOS adds its own, since only it knows its vendor, version and date.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "firmware/e820.h"

namespace firmware {

using Uuid = std::array<std::uint8_t, 16>;  // in the order in which it is written

struct SmbiosConfig {
  Uuid uuid{};
  std::string name;  // of the machine: its serial number
  unsigned cpus = 1;
  RamLayout ram;
};

struct SmbiosFiles {
  std::vector<std::uint8_t> anchor;
  std::vector<std::uint8_t> tables;
};

SmbiosFiles build_smbios(const SmbiosConfig& config);

}  // namespace firmware
