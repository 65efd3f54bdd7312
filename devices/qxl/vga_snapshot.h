// What the display worker needs of the VGA registers, copied under the device's lock once a refresh.
#pragma once

#include <array>
#include <cstdint>

#include "devices/qxl/vga_abi.h"

namespace devices::qxl {

// The picture a VBE mode shows; all values already agree with each other and with the size of the memory.
struct VbeScanout {
  bool enabled = false;
  std::uint16_t width = 0;
  std::uint16_t height = 0;
  std::uint16_t bpp = 0;
  std::uint32_t pitch_bytes = 0;
  std::uint32_t start_bytes = 0;
  bool operator==(const VbeScanout&) const = default;
};

struct VgaSnapshot {
  std::array<std::uint8_t, abi::kCrtCount> crtc{};
  std::array<std::uint8_t, abi::kSeqCount> seq{};
  std::array<std::uint8_t, abi::kGfxCount> gfx{};
  std::array<std::uint8_t, abi::kAttrCount> attr{};
  std::array<std::uint8_t, 768> dac{};
  std::uint8_t dac_mask = 0;
  bool dac_eight_bit = false;
  bool screen_on = false;  // the attribute controller has its palette back
  VbeScanout vbe;
  bool operator==(const VgaSnapshot&) const = default;
};

}  // namespace devices::qxl
