#include "devices/qxl/scanout.h"

#include <algorithm>

#include "core/base/bits.h"

namespace devices::qxl {

using namespace abi;

namespace {

constexpr std::uint32_t kVgaWords = kVgaMemory / 4;

// Six bits to eight: the lowest bit fills the two new ones, so that white is white.
std::uint32_t widen(std::uint8_t six) {
  const auto low = six & 1u;
  return (six & 0x3fu) << 2 | low << 1 | low;
}

std::uint32_t dac_colour(const VgaSnapshot& registers, std::uint8_t index) {
  const auto* rgb = &registers.dac[(index & registers.dac_mask) * 3u];
  if (registers.dac_eight_bit) return std::uint32_t{rgb[0]} << 16 | std::uint32_t{rgb[1]} << 8 | rgb[2];
  return widen(rgb[0]) << 16 | widen(rgb[1]) << 8 | widen(rgb[2]);
}

// Through the attribute controller's palette and colour select. [VGA 2.7.2, 2.7.7]
void attribute_colours(const VgaSnapshot& registers, Scanout& scanout) {
  const auto select = registers.attr[kAttrColourSelect];
  const bool four_bits = (registers.attr[kAttrMode] & kAttrModeColourSelect) != 0;
  for (unsigned i = 0; i < 16; ++i) {
    const unsigned entry = registers.attr[i];
    const auto index = four_bits ? (select & 0xfu) << 4 | (entry & 0xf) : (select & 0xcu) << 4 | (entry & 0x3f);
    scanout.colours[i] = dac_colour(registers, static_cast<std::uint8_t>(index));
  }
}

void dac_colours(const VgaSnapshot& registers, Scanout& scanout) {
  for (unsigned i = 0; i < 256; ++i)
    scanout.colours[i] = dac_colour(registers, static_cast<std::uint8_t>(i));
}

// Planes that are switched off read as zeros. [VGA 2.7.5]
void mask_planes(const VgaSnapshot& registers, Scanout& scanout) {
  const auto enabled = registers.attr[kAttrPlaneEnable] & 0xfu;
  const auto all = scanout.colours;
  for (unsigned i = 0; i < 16; ++i)
    scanout.colours[i] = all[i & enabled];
}

// What the CRT controller counts through a frame. [VGA 2.5]
struct CrtFrame {
  unsigned characters = 0;
  unsigned height = 0;
  unsigned line_compare = 0;
  unsigned start = 0;  // words
  unsigned pitch = 0;  // words a character row
  unsigned last_scan = 0;
  unsigned preset_scan = 0;
  bool double_scan = false;
  bool split_unpanned = false;
};

CrtFrame frame_of(const VgaSnapshot& registers) {
  const auto& crt = registers.crtc;
  const auto overflow = crt[kCrtOverflow];
  const auto maximum = crt[kCrtMaximumScan];
  const auto at = [](bool set, unsigned position) { return set ? 1u << position : 0u; };
  CrtFrame frame;
  frame.characters = crt[kCrtHorizontalEnd] + 1u;
  frame.height = (crt[kCrtVerticalEnd] | at(core::bit(overflow, 1), 8) | at(core::bit(overflow, 6), 9)) + 1;
  frame.line_compare = crt[kCrtLineCompare] | at(core::bit(overflow, 4), 8) | at(core::bit(maximum, 6), 9);
  frame.start = (crt[kCrtStartHigh] * 256u + crt[kCrtStartLow]) + core::bits(crt[kCrtPresetRowScan], 5, 2);
  frame.pitch = crt[kCrtOffset] * 2u;
  frame.last_scan = maximum & 0x1f;
  frame.preset_scan = crt[kCrtPresetRowScan] & 0x1f;
  frame.double_scan = core::bit(maximum, 7);
  frame.split_unpanned = (registers.attr[kAttrMode] & kAttrModePanCompatible) != 0;
  return frame;
}

// Calls line(y, address, scan, panned) for each line of the frame.
template <class Line>
void walk(const CrtFrame& frame, Line line) {
  unsigned address = frame.start;
  unsigned scan = frame.preset_scan;
  bool repeated = false;
  bool panned = true;
  for (unsigned y = 0; y < frame.height; ++y) {
    line(y, address % kVgaWords, scan, panned);
    if (y == frame.line_compare) {  // [VGA 2.5.25] the split screen begins on the next line
      address = 0;
      scan = 0;
      repeated = false;
      panned = panned && !frame.split_unpanned;
    } else if (frame.double_scan && !repeated) {
      repeated = true;
    } else {
      repeated = false;
      const bool row_done = scan == frame.last_scan;
      scan = row_done ? 0 : (scan + 1) % 32;
      if (row_done) address += frame.pitch;
    }
  }
}

// CGA and Hercules layouts: a row scan bit takes the place of memory address bit 13 or 14. [VGA 2.5.24]
unsigned with_row_scan(const VgaSnapshot& registers, unsigned address, unsigned scan) {
  const auto control = registers.crtc[kCrtModeControl];
  unsigned shift = 0;  // dense addresses have lost the low bits of word and double word mode
  if ((registers.crtc[kCrtUnderline] & kUnderlineDoubleWord) != 0) {
    shift = 2;
  } else if ((control & kModeControlByte) == 0) {
    shift = 1;
  }
  if ((control & kModeControlAddress13) == 0) address = core::with_bit(address, 13 - shift, (scan & 1) != 0);
  if ((control & kModeControlAddress14) == 0) address = core::with_bit(address, 14 - shift, (scan & 2) != 0);
  return address;
}

void describe_text(const VgaSnapshot& registers, Scanout& scanout) {
  const auto frame = frame_of(registers);
  const auto clocking = registers.seq[kSeqClocking];
  const bool eight_dots = (clocking & kClockingEightDots) != 0;
  const auto pan = registers.attr[kAttrPan] & 0xfu;
  scanout.kind = ScanoutKind::Text;
  scanout.columns = static_cast<std::uint16_t>(frame.characters);
  // Half the dot clock doubles eight dots, also where nine are asked for: 40 columns have 640 pixels as in QEMU.
  const bool half = (clocking & kClockingHalf) != 0;
  scanout.cell_width = half ? 16 : eight_dots ? 8 : 9;
  scanout.width = static_cast<std::int32_t>(frame.characters * scanout.cell_width);
  scanout.height = static_cast<std::int32_t>(frame.height);
  scanout.double_scan = frame.double_scan;
  attribute_colours(registers, scanout);
  mask_planes(registers, scanout);
  // [VGA 2.7.6] with nine dots 8 means none and 0 one.
  const unsigned dots = scanout.cell_width == 9 ? (pan >= 8 ? 0 : pan + 1) : (pan & 7);
  const auto shift = static_cast<std::uint8_t>(dots * (half ? 2 : 1));
  unsigned next_scan = 0;
  unsigned last_address = ~0u;
  walk(frame, [&](unsigned y, unsigned address, unsigned scan, bool panned) {
    const auto line_pan = panned ? shift : std::uint8_t{0};
    auto* band = scanout.bands.empty() ? nullptr : &scanout.bands.back();
    const bool continues = band != nullptr && address == last_address && band->pan == line_pan &&
                           (scan == next_scan || (frame.double_scan && scan + 1 == next_scan && band->lines % 2 == 1));
    if (continues) {
      ++band->lines;
    } else {
      scanout.bands.push_back({static_cast<std::uint16_t>(y), 1, static_cast<std::uint16_t>(address),
                               static_cast<std::uint8_t>(scan), line_pan});
    }
    last_address = address;
    next_scan = scan + 1;
  });
}

void describe_vga_graphics(const VgaSnapshot& registers, Scanout& scanout) {
  const auto frame = frame_of(registers);
  const auto mode = registers.gfx[kGfxMode];
  const auto pan = registers.attr[kAttrPan] & 7u;
  scanout.dot_repeat = (registers.seq[kSeqClocking] & kClockingHalf) != 0 ? 2 : 1;
  if ((mode & kMode256) != 0) {
    scanout.kind = ScanoutKind::Packed256;
    dac_colours(registers, scanout);
  } else {
    scanout.kind = (mode & kModeInterleave) != 0 ? ScanoutKind::Interleave : ScanoutKind::Planar;
    attribute_colours(registers, scanout);
    mask_planes(registers, scanout);
  }
  scanout.width = static_cast<std::int32_t>(frame.characters * 8 * scanout.dot_repeat);
  scanout.height = static_cast<std::int32_t>(frame.height);
  scanout.line_bytes = (frame.characters + 1) * 4;
  scanout.wrap = kVgaMemory;
  const auto shift = static_cast<std::uint8_t>(pan * scanout.dot_repeat);
  walk(frame, [&](unsigned, unsigned address, unsigned scan, bool panned) {
    const auto word = with_row_scan(registers, address, scan) % kVgaWords;
    scanout.lines.push_back({word * 4, panned ? shift : std::uint8_t{0}});
  });
}

void describe_vbe(const VgaSnapshot& registers, Scanout& scanout) {
  const auto& vbe = registers.vbe;
  const auto width = std::uint32_t{vbe.width};
  scanout.width = vbe.width;
  scanout.height = vbe.height;
  switch (vbe.bpp) {
    case 4:
      scanout.kind = ScanoutKind::Vbe4;
      scanout.line_bytes = width / 2;
      attribute_colours(registers, scanout);
      mask_planes(registers, scanout);
      break;
    case 15:
      scanout.kind = ScanoutKind::Vbe15;
      scanout.line_bytes = width * 2;
      break;
    case 16:
      scanout.kind = ScanoutKind::Vbe16;
      scanout.line_bytes = width * 2;
      break;
    case 24:
      scanout.kind = ScanoutKind::Vbe24;
      scanout.line_bytes = width * 3;
      break;
    case 32:
      scanout.kind = ScanoutKind::Vbe32;
      scanout.line_bytes = width * 4;
      break;
    default:
      scanout.kind = ScanoutKind::Vbe8;
      scanout.line_bytes = width;
      dac_colours(registers, scanout);
      break;
  }
  scanout.lines.reserve(vbe.height);
  for (std::uint32_t y = 0; y < vbe.height; ++y)
    scanout.lines.push_back({vbe.start_bytes + y * vbe.pitch_bytes, 0});
}

}  // namespace

Scanout describe_scanout(const VgaSnapshot& registers) {
  Scanout scanout;
  const bool off = (registers.seq[kSeqClocking] & kClockingScreenOff) != 0;
  if (!registers.screen_on || off) return scanout;
  if (registers.vbe.enabled) {
    describe_vbe(registers, scanout);
  } else if ((registers.gfx[kGfxMisc] & kMiscGraphics) != 0) {
    describe_vga_graphics(registers, scanout);
  } else {
    describe_text(registers, scanout);
  }
  return scanout;
}

}  // namespace devices::qxl
