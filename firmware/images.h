// BIOS images: the ones from Debian's seabios package, which are part of our binary, and files given instead of them.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "core/base/result.h"

namespace firmware {

std::span<const std::uint8_t> seabios();      // bios-256k.bin
std::span<const std::uint8_t> vgabios_qxl();  // vgabios-qxl.bin

// --bios: a multiple of 64 KiB, at most 16 MiB; it ends at 4 GiB.
core::Result<std::vector<std::uint8_t>> load_bios(const std::string& path);
// --vgabios: an option ROM (55h AAh) of at most 64 KiB, which is what fits from C0000h.
core::Result<std::vector<std::uint8_t>> load_vgabios(const std::string& path);

}  // namespace firmware
