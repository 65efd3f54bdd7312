// From registers to a picture's description: its kind, its size and where each of its lines lies. Pure functions.
//
// Missing on purpose: the CRT controller's count-by-two and count-by-four, its halved line counter (mode control bit
// 2), overscan, and blinking in graphics modes; no BIOS mode uses them.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "devices/qxl/vga_snapshot.h"

namespace devices::qxl {

enum class ScanoutKind : std::uint8_t {
  Blank,
  Text,
  Planar,      // four planes, 16 colours
  Interleave,  // CGA's two bits a pixel [VGA 2.6.6 bit 5]
  Packed256,   // a byte a pixel, each shown twice [VGA 2.6.6 bit 6]
  Vbe4,
  Vbe8,
  Vbe15,
  Vbe16,
  Vbe24,
  Vbe32,
};

// A graphics line: `bytes` from `offset` on in BAR0.
struct ScanLine {
  std::uint32_t offset = 0;
  std::uint8_t pan = 0;  // pixels of the canvas to skip
  bool operator==(const ScanLine&) const = default;
};

// A run of lines that show the same characters.
struct TextBand {
  std::uint16_t top = 0;
  std::uint16_t lines = 0;
  std::uint16_t address = 0;  // of the first character, in words
  std::uint8_t first_scan = 0;
  std::uint8_t pan = 0;
  bool operator==(const TextBand&) const = default;
};

struct Scanout {
  ScanoutKind kind = ScanoutKind::Blank;
  std::int32_t width = 0;
  std::int32_t height = 0;
  std::array<std::uint32_t, 256> colours{};  // 0x00RRGGBB; 16 of them for text and planes
  // Graphics.
  std::uint32_t line_bytes = 0;  // read for one line
  std::uint32_t wrap = 0;        // the memory's size where addresses wrap around, else 0
  std::uint8_t dot_repeat = 1;   // 2 with half the dot clock
  std::vector<ScanLine> lines;   // by y
  // Text.
  std::uint16_t columns = 0;    // shown; one more is read for panning
  std::uint8_t cell_width = 0;  // in canvas pixels
  bool double_scan = false;
  std::vector<TextBand> bands;

  bool operator==(const Scanout&) const = default;
};

Scanout describe_scanout(const VgaSnapshot& registers);

}  // namespace devices::qxl
