#include "devices/qxl/text_painter.h"

#include <algorithm>
#include <chrono>

#include "core/base/assert.h"
#include "core/base/bits.h"

namespace devices::qxl {

using namespace abi;

namespace {

constexpr std::uint32_t kWords = kVgaMemory / 4;
constexpr std::uint64_t kFontBytes = 256 * 32 * 4;  // interleaved with the other planes
constexpr unsigned kFontPlane = 2;
// [VGA 2.5.11] the cursor changes every 16 frames, a blinking character every 32; at 70 frames a second.
constexpr auto kCursorPhase = std::chrono::nanoseconds(228'571'428);
constexpr auto kBlinkPhase = 2 * kCursorPhase;

// Keys: the cell in the low half, then these.
constexpr std::uint32_t kKeyCursor = 1 << 16;
constexpr std::uint32_t kKeyHidden = 1 << 17;
constexpr std::uint8_t kAttrBlink = 0x80;
constexpr unsigned kAttrFont = 3;

// Line graphics reach into the ninth dot. [VGA 2.7.3 bit 2] A real VGA begins at C0; with B0, as in QEMU, the shades
// B0-B2 have no gaps, and of the others up to BF none touches the right edge.
constexpr std::uint8_t kFirstLineGraphic = 0xb0;
constexpr std::uint8_t kLastLineGraphic = 0xdf;

// Where a font of the character map select register lies in plane 2. [VGA 2.4.4]
std::uint32_t font_bytes(unsigned number) {
  constexpr std::uint32_t kOffsets[] = {0, 0x4000, 0x8000, 0xc000, 0x2000, 0x6000, 0xa000, 0xe000};
  return kOffsets[number & 7] * 4;
}

void draw_dots(std::uint8_t dots, unsigned cell_width, bool ninth, std::uint32_t fore, std::uint32_t back,
               std::uint32_t* out) {
  const unsigned repeat = cell_width == 16 ? 2 : 1;
  for (unsigned i = 0; i < 8; ++i) {
    const auto colour = (dots >> (7 - i) & 1) != 0 ? fore : back;
    for (unsigned r = 0; r < repeat; ++r)
      *out++ = colour;
  }
  if (cell_width == 9) *out = ninth && (dots & 1) != 0 ? fore : back;
}

}  // namespace

TextPainter::TextPainter(core::MemoryBlock& memory) {
  const auto slice = memory.slice(0, kVgaMemory);
  MV_ASSERT(slice, "the block holds the VGA's memory");
  memory_ = *slice;
}

TextPainter::Style TextPainter::style_of(const VgaSnapshot& registers, const Scanout& scanout) {
  Style style;
  style.scanout = scanout;
  const unsigned map = registers.seq[kSeqCharacterMap];
  style.font_offset[0] = font_bytes((map & 3) | (map >> 4 & 1) << 2);
  style.font_offset[1] = font_bytes((map >> 2 & 3) | (map >> 5 & 1) << 2);
  style.cursor_start = registers.crtc[kCrtCursorStart] & 0x1f;
  style.cursor_end = registers.crtc[kCrtCursorEnd] & 0x1f;
  style.underline = registers.crtc[kCrtUnderline] & 0x1f;
  style.line_graphics = (registers.attr[kAttrMode] & kAttrModeLineGraphics) != 0;
  style.blink = (registers.attr[kAttrMode] & kAttrModeBlink) != 0;
  return style;
}

TextPainter::Moment TextPainter::moment_of(const VgaSnapshot& registers, const Style& style, core::GuestTime now) {
  Moment moment;
  moment.cursor = static_cast<std::uint16_t>(registers.crtc[kCrtCursorHigh] << 8 | registers.crtc[kCrtCursorLow]);
  moment.cursor_shown = (registers.crtc[kCrtCursorStart] & kCursorOff) == 0 && now / kCursorPhase % 2 == 0;
  moment.blink_hidden = style.blink && now / kBlinkPhase % 2 == 1;
  return moment;
}

std::uint64_t TextPainter::paint(const VgaSnapshot& registers, const Scanout& scanout, core::GuestTime now,
                                 const DirtyPages& dirty, const core::PixelView& canvas, ChangeRects& changes) {
  auto style = style_of(registers, scanout);
  const auto moment = moment_of(registers, style, now);
  const bool new_style = !known_ || style != style_;
  if (!new_style && !dirty.any() && moment == moment_) return 0;
  const bool new_cells =
      !known_ || style.scanout.bands != style_.scanout.bands || style.scanout.columns != style_.scanout.columns;
  const bool new_fonts = !known_ || style.font_offset != style_.font_offset;
  style_ = std::move(style);
  moment_ = moment;
  known_ = true;
  const auto read = read_cells(dirty, new_cells) + read_fonts(dirty, new_fonts);
  draw_changes(canvas, new_style, changes);
  return read;
}

std::uint64_t TextPainter::read_cells(const DirtyPages& dirty, bool all) {
  const auto& bands = style_.scanout.bands;
  const std::size_t columns = style_.scanout.columns + 1u;
  cells_.resize(bands.size() * columns);
  raw_.resize(columns * 4);
  std::uint64_t read = 0;
  for (std::size_t b = 0; b < bands.size(); ++b) {
    const auto start = std::uint64_t{bands[b].address} * 4;
    const auto first = std::min<std::uint64_t>(raw_.size(), kVgaMemory - start);
    const auto wrapped = raw_.size() - first;
    if (!all && !dirty.touches(start, first) && !dirty.touches(0, wrapped)) continue;
    memory_.read(start, std::span(raw_).first(first));
    memory_.read(0, std::span(raw_).subspan(first));
    read += raw_.size();
    for (std::size_t c = 0; c < columns; ++c)
      cells_[b * columns + c] = static_cast<std::uint16_t>(raw_[4 * c] | raw_[4 * c + 1] << 8);
  }
  return read;
}

std::uint64_t TextPainter::read_fonts(const DirtyPages& dirty, bool all) {
  std::uint64_t read = 0;
  raw_.resize(std::max<std::size_t>(raw_.size(), core::kPageSize));
  const auto page = std::span(raw_).first(core::kPageSize);
  for (unsigned f = 0; f < fonts_.size(); ++f) {
    new_glyphs_[f].reset();
    for (std::uint64_t at = 0; at < kFontBytes; at += core::kPageSize) {
      const auto start = style_.font_offset[f] + at;
      if (!all && !dirty.touches(start, core::kPageSize)) continue;
      memory_.read(start, page);
      read += page.size();
      for (std::size_t word = 0; word < page.size() / 4; ++word) {
        const auto index = at / 4 + word;
        const auto dots = page[4 * word + kFontPlane];
        if (fonts_[f][index] == dots) continue;
        fonts_[f][index] = dots;
        new_glyphs_[f].set(index / kGlyphLines);
      }
    }
  }
  return read;
}

std::uint32_t TextPainter::key_of(std::uint16_t cell, std::uint32_t address) const {
  std::uint32_t key = cell;
  if (style_.blink && (cell >> 8 & kAttrBlink) != 0) {
    key &= ~(std::uint32_t{kAttrBlink} << 8);
    if (moment_.blink_hidden) key |= kKeyHidden;
  }
  if (moment_.cursor_shown && address % kWords == moment_.cursor) key |= kKeyCursor;
  return key;
}

void TextPainter::draw_changes(const core::PixelView& canvas, bool all, ChangeRects& changes) {
  const auto& bands = style_.scanout.bands;
  const std::size_t columns = style_.scanout.columns + 1u;
  keys_.resize(bands.size() * columns);
  for (std::size_t b = 0; b < bands.size(); ++b) {
    core::Rect run;  // neighbours are reported as one
    for (unsigned c = 0; c < columns; ++c) {
      const auto index = b * columns + c;
      const auto key = key_of(cells_[index], bands[b].address + c);
      const auto font = key >> (8 + kAttrFont) & 1;
      if (!all && keys_[index] == key && !new_glyphs_[font].test(key & 0xff)) continue;
      keys_[index] = key;
      const auto drawn = draw_cell(canvas, bands[b], c, key);
      if (!run.empty() && run.right == drawn.left) {
        run.right = drawn.right;
      } else {
        changes.add(run);
        run = drawn;
      }
    }
    changes.add(run);
  }
}

core::Rect TextPainter::draw_cell(const core::PixelView& canvas, const TextBand& band, unsigned column,
                                  std::uint32_t key) const {
  const auto& scanout = style_.scanout;
  const std::int32_t width = scanout.cell_width;
  const auto x = static_cast<std::int32_t>(column) * width - band.pan;
  const core::Rect area{std::max(x, 0), band.top, std::min(x + width, canvas.width),
                        std::min<std::int32_t>(band.top + band.lines, canvas.height)};
  if (area.empty()) return {};
  const auto code = static_cast<std::uint8_t>(key);
  const auto attribute = key >> 8 & 0xff;
  const auto fore = scanout.colours[attribute & 0xf];
  const auto back = scanout.colours[attribute >> 4];
  const auto* glyph = &fonts_[attribute >> kAttrFont & 1][code * std::size_t{kGlyphLines}];
  const bool ninth = style_.line_graphics && code >= kFirstLineGraphic && code <= kLastLineGraphic;
  const bool underlined = (attribute & 0x77) == 0x01;  // [VGA 2.5.21]
  std::array<std::uint32_t, 16> dots{};
  for (auto y = area.top; y < area.bottom; ++y) {
    const auto line = static_cast<unsigned>(y - band.top);
    const auto scan = (band.first_scan + (scanout.double_scan ? line / 2 : line)) % kGlyphLines;
    const bool cursor = (key & kKeyCursor) != 0 && scan >= style_.cursor_start && scan <= style_.cursor_end;
    const bool solid = cursor || (underlined && scan == style_.underline);
    const auto bits = solid ? std::uint8_t{0xff} : (key & kKeyHidden) != 0 ? std::uint8_t{0} : glyph[scan];
    draw_dots(bits, scanout.cell_width, ninth || solid, fore, back, dots.data());
    const auto from =
        std::span(dots).subspan(static_cast<std::size_t>(area.left - x), static_cast<std::size_t>(area.width()));
    std::ranges::copy(from, canvas.row(y).begin() + area.left);
  }
  return area;
}

}  // namespace devices::qxl
