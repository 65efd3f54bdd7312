// Draws a text screen: only characters whose code, attribute, glyph or cursor differs from what the canvas shows.
//
// Character codes and the two fonts are kept, so that a blinking cursor reads no video memory. [VGA 2.4.4, 2.5, 2.7]
#pragma once

#include <array>
#include <bitset>
#include <cstdint>
#include <vector>

#include "core/event/guest_clock.h"
#include "core/memory/memory_block.h"
#include "core/ports/display.h"
#include "devices/qxl/change_rects.h"
#include "devices/qxl/dirty_pages.h"
#include "devices/qxl/scanout.h"

namespace devices::qxl {

class TextPainter {
 public:
  explicit TextPainter(core::MemoryBlock& memory);

  // The canvas holds something else now, and what was read may be stale.
  void forget() { known_ = false; }
  // `dirty` covers the VGA's memory. Returns how many bytes of it were read.
  std::uint64_t paint(const VgaSnapshot& registers, const Scanout& scanout, core::GuestTime now,
                      const DirtyPages& dirty, const core::PixelView& canvas, ChangeRects& changes);

 private:
  static constexpr unsigned kGlyphs = 256;
  static constexpr unsigned kGlyphLines = 32;
  using Font = std::array<std::uint8_t, kGlyphs * kGlyphLines>;

  // All that decides how a cell looks besides its own key.
  struct Style {
    Scanout scanout;
    std::array<std::uint32_t, 2> font_offset{};  // bytes; [0] for attributes with bit 3 clear
    std::uint8_t cursor_start = 0;
    std::uint8_t cursor_end = 0;
    std::uint8_t underline = 0;
    bool line_graphics = false;
    bool blink = false;
    bool operator==(const Style&) const = default;
  };
  // What changes on its own.
  struct Moment {
    std::uint16_t cursor = 0;
    bool cursor_shown = false;
    bool blink_hidden = false;
    bool operator==(const Moment&) const = default;
  };

  static Style style_of(const VgaSnapshot& registers, const Scanout& scanout);
  static Moment moment_of(const VgaSnapshot& registers, const Style& style, core::GuestTime now);
  std::uint64_t read_cells(const DirtyPages& dirty, bool all);
  std::uint64_t read_fonts(const DirtyPages& dirty, bool all);
  std::uint32_t key_of(std::uint16_t cell, std::uint32_t address) const;
  void draw_changes(const core::PixelView& canvas, bool all, ChangeRects& changes);
  // Returns what it has drawn of the cell; nothing of one that panning has moved out of view.
  core::Rect draw_cell(const core::PixelView& canvas, const TextBand& band, unsigned column, std::uint32_t key) const;

  core::MemorySlice memory_;
  bool known_ = false;
  Style style_;
  Moment moment_;
  std::array<Font, 2> fonts_{};
  std::array<std::bitset<kGlyphs>, 2> new_glyphs_;
  std::vector<std::uint16_t> cells_;  // code and attribute, by band and column
  std::vector<std::uint32_t> keys_;   // what the canvas shows
  std::vector<std::uint8_t> raw_;
};

}  // namespace devices::qxl
