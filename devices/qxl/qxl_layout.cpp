#include "devices/qxl/qxl_layout.h"

#include <algorithm>
#include <bit>

#include "devices/qxl/qxl_abi.h"

namespace devices::qxl {

namespace {
constexpr std::uint64_t kMib = 1 << 20;
constexpr std::uint32_t kMinVgamemMb = 8;
constexpr std::uint32_t kMaxVgamemMb = 256;
constexpr std::uint64_t kMinVram = 4096;
// BAR0 and BAR1 lie below 4 GiB beside everything else; BAR4 need not.
constexpr std::uint64_t kMaxBar32 = 1024 * kMib;
constexpr std::uint64_t kMaxBar64 = 64 * 1024 * kMib;
constexpr unsigned kLastRevision = 5;
constexpr std::uint64_t kIoBytes[kLastRevision + 1] = {0, 8, 16, 32, 32, 32};
}  // namespace

std::uint64_t QxlLayout::ram_header_offset() const {
  return ram_bytes - abi::kRamHeaderSize;
}

core::Result<QxlLayout> layout_of(const QxlSizes& sizes) {
  if (sizes.revision < 1 || sizes.revision > kLastRevision) {
    return core::fail("QXL revision {} does not exist; use 1 to {}", sizes.revision, kLastRevision);
  }
  const auto vgamem = std::clamp(sizes.vgamem_mb, kMinVgamemMb, kMaxVgamemMb) * kMib;
  auto ram = sizes.ram_size_mb != 0 ? sizes.ram_size_mb * kMib : sizes.ram_size;
  ram = std::max(ram, 2 * vgamem);
  auto vram = sizes.vram_size_mb != 0 ? sizes.vram_size_mb * kMib : sizes.vram_size;
  vram = std::max(vram, kMinVram);
  auto vram64 = std::max(sizes.vram64_size_mb * kMib, vram);
  if (sizes.revision == 1) vram = vram64 = kMinVram;
  if (ram > kMaxBar32 || vram > kMaxBar32) {
    return core::fail("QXL memories of {} and {} MiB do not fit below 4 GiB; use at most {} MiB each", ram / kMib,
                      vram / kMib, kMaxBar32 / kMib);
  }
  if (vram64 > kMaxBar64) {
    return core::fail("QXL vram64_size_mb of {} is too large; use at most {}", vram64 / kMib, kMaxBar64 / kMib);
  }
  return QxlLayout{.revision = sizes.revision,
                   .ram_bytes = std::bit_ceil(ram),
                   .vram_bytes = std::bit_ceil(vram),
                   .vram64_bytes = std::bit_ceil(vram64),
                   .vgamem_bytes = static_cast<std::uint32_t>(std::bit_ceil(vgamem)),
                   .io_bytes = kIoBytes[sizes.revision]};
}

}  // namespace devices::qxl
