#include "devices/qxl/vga_renderer.h"

#include <algorithm>
#include <optional>

#include "devices/qxl/pixel_rows.h"

namespace devices::qxl {

namespace {

// A screen before its first mode.
constexpr std::int32_t kBlankWidth = 720;
constexpr std::int32_t kBlankHeight = 400;

// A canvas of the scanout's size; a blanked screen keeps the one it has.
core::PixelView fit(core::DisplayCanvas& canvas, Scanout& scanout, bool& known, bool& full) {
  const auto view = known ? canvas.pixels() : core::PixelView{};
  if (scanout.kind == ScanoutKind::Blank) {
    scanout.width = view.width > 0 ? view.width : kBlankWidth;
    scanout.height = view.height > 0 ? view.height : kBlankHeight;
  }
  if (view.width == scanout.width && view.height == scanout.height) return view;
  known = full = true;
  return canvas.set_mode(scanout.width, scanout.height);
}

void blacken(const core::PixelView& canvas) {
  for (std::int32_t y = 0; y < canvas.height; ++y)
    std::ranges::fill(canvas.row(y), 0u);
}

}  // namespace

VgaRenderer::VgaRenderer(core::MemoryBlock& memory) : memory_(memory), text_(memory) {}

bool VgaRenderer::refresh(const VgaSnapshot& registers, core::GuestTime now, core::DisplayCanvas& canvas, bool full) {
  bool all = full || !known_;
  if (!known_ || registers != registers_) {
    auto scanout = describe_scanout(registers);
    const auto kind = scanout_.kind;
    if (scanout.kind != ScanoutKind::Blank || kind != ScanoutKind::Blank) all = all || scanout != scanout_;
    if (scanout.kind != ScanoutKind::Text || kind != ScanoutKind::Text) text_.forget();
    registers_ = registers;
    scanout_ = std::move(scanout);
    known_ = true;
  }
  bool whole = full;
  const auto view = fit(canvas, scanout_, canvas_known_, whole);
  all = all || whole;
  changes_.clear();
  if (scanout_.kind == ScanoutKind::Blank) {
    if (!all) return false;
    blacken(view);
    whole = true;
  } else if (scanout_.kind == ScanoutKind::Text) {
    if (whole) text_.forget();
    dirty_.collect(memory_, 0, abi::kVgaMemory);
    bytes_read_ += text_.paint(registers_, scanout_, now, dirty_, view, changes_);
  } else {
    paint_graphics(view, all);
  }
  if (whole) {
    canvas.changed({0, 0, view.width, view.height});
    return true;
  }
  changes_.report(canvas);
  return !changes_.empty();
}

bool VgaRenderer::line_dirty(const ScanLine& line) const {
  if (scanout_.wrap == 0) return dirty_.touches(line.offset, scanout_.line_bytes);
  const auto first = std::min(scanout_.line_bytes, scanout_.wrap - line.offset);
  return dirty_.touches(line.offset, first) || dirty_.touches(0, scanout_.line_bytes - first);
}

void VgaRenderer::read_line(const ScanLine& line) {
  const auto slice = memory_.all();
  const auto end = scanout_.wrap != 0 ? std::uint64_t{scanout_.wrap} : memory_.size();
  const auto first = std::min<std::uint64_t>(scanout_.line_bytes, end - std::min<std::uint64_t>(end, line.offset));
  slice.read(line.offset, std::span(bytes_).first(first));
  slice.read(0, std::span(bytes_).subspan(first));
  bytes_read_ += bytes_.size();
  convert_row(scanout_, bytes_, pixels_);
}

void VgaRenderer::paint_graphics(const core::PixelView& canvas, bool all) {
  const auto& lines = scanout_.lines;
  if (scanout_.wrap != 0) {
    dirty_.collect(memory_, 0, scanout_.wrap);
  } else {
    dirty_.collect(memory_, lines.front().offset, lines.back().offset + scanout_.line_bytes - lines.front().offset);
  }
  if (!all && !dirty_.any()) return;
  bytes_.resize(scanout_.line_bytes);
  pixels_.resize(row_pixels(scanout_));
  std::optional<std::uint32_t> converted;  // the offset of the line in pixels_: doubled lines are read once
  for (std::int32_t y = 0; y < canvas.height; ++y) {
    const auto& line = lines[static_cast<std::size_t>(y)];
    if (!all && !line_dirty(line)) continue;
    if (converted != line.offset) read_line(line);
    converted = line.offset;
    update_row(std::span(pixels_).subspan(line.pan, static_cast<std::size_t>(canvas.width)), canvas.row(y), y,
               changes_);
  }
}

}  // namespace devices::qxl
