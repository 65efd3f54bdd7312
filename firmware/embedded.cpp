#include "firmware/embedded.h"

extern "C" {
extern const std::uint8_t mv_embedded_seabios[];
extern const std::uint8_t mv_embedded_seabios_end[];
extern const std::uint8_t mv_embedded_vgabios_qxl[];
extern const std::uint8_t mv_embedded_vgabios_qxl_end[];
extern const std::uint8_t mv_embedded_boot_rom[];
extern const std::uint8_t mv_embedded_boot_rom_end[];
extern const std::uint8_t mv_embedded_dsdt[];
extern const std::uint8_t mv_embedded_dsdt_end[];
}

namespace firmware::embedded {

std::span<const std::uint8_t> seabios() {
  return {mv_embedded_seabios, mv_embedded_seabios_end};
}

std::span<const std::uint8_t> vgabios_qxl() {
  return {mv_embedded_vgabios_qxl, mv_embedded_vgabios_qxl_end};
}

std::span<const std::uint8_t> boot_rom() {
  return {mv_embedded_boot_rom, mv_embedded_boot_rom_end};
}

std::span<const std::uint8_t> dsdt() {
  return {mv_embedded_dsdt, mv_embedded_dsdt_end};
}

}  // namespace firmware::embedded
