// What a PC's CMOS memory tells firmware about the machine: the bytes SeaBIOS reads, as QEMU's pc machine sets them.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "devices/platform/rtc_calendar.h"

namespace devices::platform {

enum class BootDevice : std::uint8_t { None = 0, Floppy = 1, Disk = 2, CdRom = 3, Network = 4 };
enum class FloppyDrive : std::uint8_t { None = 0, Kb360 = 1, Mb1_2 = 2, Kb720 = 3, Mb1_44 = 4, Mb2_88 = 5 };

struct CmosConfig {
  std::uint64_t ram_below_4g_bytes = 0;
  std::uint64_t ram_above_4g_bytes = 0;
  unsigned cpus = 1;
  std::array<BootDevice, 3> boot_order{};
  bool boots_unsigned_floppies = false;
  std::array<FloppyDrive, 2> floppies{};
  // Anything else, written last: disk geometry and the like.
  struct Byte {
    std::uint8_t index = 0;  // below 80h
    std::uint8_t value = 0;
  };
  std::vector<Byte> bytes{};
};

CmosBank cmos_contents(const CmosConfig& config);

}  // namespace devices::platform
