#include "devices/platform/cmos_contents.h"

#include <algorithm>
#include <utility>

namespace devices::platform {

using namespace rtc_abi;

namespace {

constexpr std::uint64_t kKiB = 1024;
constexpr std::uint64_t kMiB = 1024 * kKiB;
constexpr std::uint64_t kUnit = 64 * kKiB;

constexpr std::uint8_t kEquipmentFloppy = 1 << 0;
constexpr std::uint8_t kEquipmentFpu = 1 << 1;
constexpr std::uint8_t kEquipmentMouse = 1 << 2;
constexpr unsigned kEquipmentFloppiesShift = 6;

void put(CmosBank& cmos, std::uint8_t index, unsigned bytes, std::uint64_t value) {
  const auto most = (std::uint64_t{1} << (8 * bytes)) - 1;
  value = std::min(value, most);
  for (unsigned i = 0; i < bytes; ++i)
    cmos[index + i] = static_cast<std::uint8_t>(value >> (8 * i));
}

std::uint64_t above(std::uint64_t bytes, std::uint64_t start) {
  return bytes > start ? bytes - start : 0;
}

std::uint8_t equipment(const CmosConfig& config) {
  const auto drives = std::ranges::count_if(config.floppies, [](auto type) { return type != FloppyDrive::None; });
  const auto floppies =
      drives == 0 ? 0U : kEquipmentFloppy | static_cast<unsigned>(drives - 1) << kEquipmentFloppiesShift;
  return static_cast<std::uint8_t>(floppies | kEquipmentFpu | kEquipmentMouse);
}

}  // namespace

CmosBank cmos_contents(const CmosConfig& config) {
  CmosBank cmos{};
  const auto low = config.ram_below_4g_bytes;
  put(cmos, kBaseMemory, 2, std::min<std::uint64_t>(low / kKiB, 640));
  put(cmos, kExtendedMemory, 2, above(low, kMiB) / kKiB);
  put(cmos, kExtendedMemory2, 2, above(low, kMiB) / kKiB);
  put(cmos, kMemoryAbove16M, 2, above(low, 16 * kMiB) / kUnit);
  put(cmos, kMemoryAbove4G, 3, config.ram_above_4g_bytes / kUnit);
  put(cmos, kProcessors, 1, std::max(config.cpus, 1U) - 1);
  const auto& boot = config.boot_order;
  cmos[kBootOrder12] = static_cast<std::uint8_t>(std::to_underlying(boot[1]) << 4 | std::to_underlying(boot[0]));
  cmos[kBootOrder3] =
      static_cast<std::uint8_t>(std::to_underlying(boot[2]) << 4 | (config.boots_unsigned_floppies ? 1 : 0));
  cmos[kFloppyTypes] =
      static_cast<std::uint8_t>(std::to_underlying(config.floppies[0]) << 4 | std::to_underlying(config.floppies[1]));
  cmos[kEquipment] = equipment(config);
  for (const auto& byte : config.bytes)
    cmos[byte.index & kIndexMask] = byte.value;
  return cmos;
}

}  // namespace devices::platform
