// The contents of BAR2: what a driver learns about the device before it starts. [QXL QXLRom, QXLModes]
#pragma once

#include <cstdint>
#include <vector>

#include "devices/qxl/qxl_layout.h"

namespace devices::qxl {

struct QxlRomOptions {
  std::uint32_t id = 0;  // of several QXL functions
  std::uint32_t log_level = 0;
  std::uint32_t surfaces = 1024;
  // The first monitor as a client would ask for it; 0 for none.
  std::uint32_t xres = 0;
  std::uint32_t yres = 0;
};

// 8192 bytes, as after a reset.
std::vector<std::uint8_t> rom_image(const QxlLayout& layout, const QxlRomOptions& options);

}  // namespace devices::qxl
