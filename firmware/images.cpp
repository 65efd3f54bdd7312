#include "firmware/images.h"

#include "firmware/embedded.h"
#include "firmware/host_file.h"

namespace firmware {

namespace {

constexpr std::uint64_t kBiosUnit = 64 << 10;
constexpr std::uint64_t kMaxBios = 16 << 20;
constexpr std::uint64_t kMaxOptionRom = 64 << 10;
constexpr std::size_t kOptionRomUnit = 512;

}  // namespace

std::span<const std::uint8_t> seabios() {
  return embedded::seabios();
}

std::span<const std::uint8_t> vgabios_qxl() {
  return embedded::vgabios_qxl();
}

core::Result<std::vector<std::uint8_t>> load_bios(const std::string& path) {
  auto bytes = read_host_file(path, "BIOS image", kMaxBios);
  if (bytes && (bytes->empty() || bytes->size() % kBiosUnit != 0))
    return core::fail("BIOS image {} has {} bytes; it must be a multiple of 64 KiB", path, bytes->size());
  return bytes;
}

core::Result<std::vector<std::uint8_t>> load_vgabios(const std::string& path) {
  auto bytes = read_host_file(path, "VGA BIOS", kMaxOptionRom);
  if (!bytes) return bytes;
  if (bytes->size() < kOptionRomUnit || (*bytes)[0] != 0x55 || (*bytes)[1] != 0xaa)
    return core::fail("VGA BIOS {} is not an option ROM: it does not start with 55 AA", path);
  if ((*bytes)[2] * kOptionRomUnit > bytes->size())
    return core::fail("VGA BIOS {} is truncated: {} bytes of the {} it announces", path, bytes->size(),
                      (*bytes)[2] * kOptionRomUnit);
  return bytes;
}

}  // namespace firmware
