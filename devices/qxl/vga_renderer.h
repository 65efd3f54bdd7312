// The display worker's half of VGA: from a snapshot of the registers and the video memory to canvas pixels.
//
// Pages that the guest has written since the last refresh are read again, once; what they hold is compared with the
// canvas, so that only pixels that differ are reported. A screen that nobody touches costs the look at the page flags.
#pragma once

#include <cstdint>
#include <vector>

#include "core/event/guest_clock.h"
#include "core/memory/memory_block.h"
#include "core/ports/display.h"
#include "devices/qxl/change_rects.h"
#include "devices/qxl/dirty_pages.h"
#include "devices/qxl/scanout.h"
#include "devices/qxl/text_painter.h"

namespace devices::qxl {

class VgaRenderer {
 public:
  explicit VgaRenderer(core::MemoryBlock& memory);

  // True if anything changed. Display worker; no lock held.
  bool refresh(const VgaSnapshot& registers, core::GuestTime now, core::DisplayCanvas& canvas, bool full);
  // The canvas was used by somebody else (native mode): it is no frame buffer until a mode is set.
  void forget() { known_ = canvas_known_ = false; }

  // Of video memory, since construction.
  std::uint64_t bytes_read() const { return bytes_read_; }

 private:
  void paint_graphics(const core::PixelView& canvas, bool all);
  void read_line(const ScanLine& line);
  bool line_dirty(const ScanLine& line) const;

  core::MemoryBlock& memory_;
  TextPainter text_;
  bool known_ = false;
  bool canvas_known_ = true;
  VgaSnapshot registers_;
  Scanout scanout_;
  DirtyPages dirty_;
  ChangeRects changes_;
  std::vector<std::uint8_t> bytes_;
  std::vector<std::uint32_t> pixels_;
  std::uint64_t bytes_read_ = 0;
};

}  // namespace devices::qxl
