// The boot ROM of one machine: the code of boot_rom/boot.s with a boot plan behind it.
#pragma once

#include <cstdint>
#include <vector>

#include "firmware/boot_plan.h"

namespace firmware {

// As an option ROM from which the BIOS boots.
std::vector<std::uint8_t> boot_option_rom(const BootPlan& plan);
// As the BIOS itself, 64 KiB ending at 4 GiB with an alias below 1 MiB: starts the kernel within a thousand
// instructions of the reset. The plan must not need a BIOS (real mode, memory map).
std::vector<std::uint8_t> boot_bios(const BootPlan& plan);

}  // namespace firmware
