// The blobs that the build puts into our binary (embedded.s.in): packaged BIOS images and what is assembled or compiled
// from this folder's own sources.
#pragma once

#include <cstdint>
#include <span>

namespace firmware::embedded {

std::span<const std::uint8_t> seabios();
std::span<const std::uint8_t> vgabios_qxl();
std::span<const std::uint8_t> boot_rom();  // boot_rom/boot.s
std::span<const std::uint8_t> dsdt();      // acpi/dsdt.asl

}  // namespace firmware::embedded
