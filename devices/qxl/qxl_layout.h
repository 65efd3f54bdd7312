// The sizes of a QXL function's memories and BARs, from its options.
#pragma once

#include <cstdint>

#include "core/base/result.h"

namespace devices::qxl {

// The options of `-device qxl-vga`, by their names; 0 in the *_mb ones means "not given".
struct QxlSizes {
  unsigned revision = 5;  // 1..5
  std::uint64_t ram_size = 64 << 20;
  std::uint64_t vram_size = 64 << 20;
  std::uint32_t ram_size_mb = 0;
  std::uint32_t vram_size_mb = 0;
  std::uint32_t vram64_size_mb = 0;
  std::uint32_t vgamem_mb = 16;
};

struct QxlLayout {
  unsigned revision = 0;
  std::uint64_t ram_bytes = 0;     // BAR0
  std::uint64_t vram_bytes = 0;    // BAR1
  std::uint64_t vram64_bytes = 0;  // BAR4, there if larger than BAR1
  std::uint32_t vgamem_bytes = 0;  // VGA memory and surface 0, at the start of BAR0
  std::uint64_t io_bytes = 0;      // BAR3
  bool operator==(const QxlLayout&) const = default;

  bool has_vram64() const { return vram64_bytes > vram_bytes; }
  std::uint64_t ram_header_offset() const;
};

// Applies defaults, limits and rounding; an error for what no PC can map.
core::Result<QxlLayout> layout_of(const QxlSizes& sizes);

}  // namespace devices::qxl
