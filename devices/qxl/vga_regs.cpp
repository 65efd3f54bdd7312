#include "devices/qxl/vga_regs.h"

#include "core/base/bits.h"
#include "devices/qxl/vga_timing.h"

namespace devices::qxl {

using namespace abi;

namespace {

constexpr core::Register kSeqTable[] = {
    {.name = "Reset", .offset = 0, .writable = 0x03},         // [VGA 2.4.1]
    {.name = "Clocking", .offset = 1, .writable = 0x3d},      // [VGA 2.4.2]
    {.name = "MapMask", .offset = 2, .writable = 0x0f},       // [VGA 2.4.3]
    {.name = "CharacterMap", .offset = 3, .writable = 0x3f},  // [VGA 2.4.4]
    {.name = "MemoryMode", .offset = 4, .writable = 0x0e},    // [VGA 2.4.5]
};

constexpr core::Register kCrtcTable[] = {
    {.name = "HorizontalTotal", .offset = 0x00, .writable = 0xff},         // [VGA 2.5.1]
    {.name = "HorizontalDisplayEnd", .offset = 0x01, .writable = 0xff},    // [VGA 2.5.2]
    {.name = "HorizontalBlankStart", .offset = 0x02, .writable = 0xff},    // [VGA 2.5.3]
    {.name = "HorizontalBlankEnd", .offset = 0x03, .writable = 0xff},      // [VGA 2.5.4]
    {.name = "HorizontalRetraceStart", .offset = 0x04, .writable = 0xff},  // [VGA 2.5.5]
    {.name = "HorizontalRetraceEnd", .offset = 0x05, .writable = 0xff},    // [VGA 2.5.6]
    {.name = "VerticalTotal", .offset = 0x06, .writable = 0xff},           // [VGA 2.5.7]
    {.name = "Overflow", .offset = 0x07, .writable = 0xff},                // [VGA 2.5.8]
    {.name = "PresetRowScan", .offset = 0x08, .writable = 0x7f},           // [VGA 2.5.9]
    {.name = "MaximumScan", .offset = 0x09, .writable = 0xff},             // [VGA 2.5.10]
    {.name = "CursorStart", .offset = 0x0a, .writable = 0x3f},             // [VGA 2.5.11]
    {.name = "CursorEnd", .offset = 0x0b, .writable = 0x7f},               // [VGA 2.5.12]
    {.name = "StartHigh", .offset = 0x0c, .writable = 0xff},               // [VGA 2.5.13]
    {.name = "StartLow", .offset = 0x0d, .writable = 0xff},                // [VGA 2.5.14]
    {.name = "CursorHigh", .offset = 0x0e, .writable = 0xff},              // [VGA 2.5.15]
    {.name = "CursorLow", .offset = 0x0f, .writable = 0xff},               // [VGA 2.5.16]
    {.name = "VerticalRetraceStart", .offset = 0x10, .writable = 0xff},    // [VGA 2.5.17]
    {.name = "VerticalRetraceEnd", .offset = 0x11, .writable = 0xff},      // [VGA 2.5.18]
    {.name = "VerticalDisplayEnd", .offset = 0x12, .writable = 0xff},      // [VGA 2.5.19]
    {.name = "Offset", .offset = 0x13, .writable = 0xff},                  // [VGA 2.5.20]
    {.name = "UnderlineLocation", .offset = 0x14, .writable = 0x7f},       // [VGA 2.5.21]
    {.name = "VerticalBlankStart", .offset = 0x15, .writable = 0xff},      // [VGA 2.5.22]
    {.name = "VerticalBlankEnd", .offset = 0x16, .writable = 0xff},        // [VGA 2.5.23]
    {.name = "ModeControl", .offset = 0x17, .writable = 0xef},             // [VGA 2.5.24]
    {.name = "LineCompare", .offset = 0x18, .writable = 0xff},             // [VGA 2.5.25]
};

constexpr core::Register kGfxTable[] = {
    {.name = "SetReset", .offset = 0, .writable = 0x0f},        // [VGA 2.6.1]
    {.name = "EnableSetReset", .offset = 1, .writable = 0x0f},  // [VGA 2.6.2]
    {.name = "ColourCompare", .offset = 2, .writable = 0x0f},   // [VGA 2.6.3]
    {.name = "DataRotate", .offset = 3, .writable = 0x1f},      // [VGA 2.6.4]
    {.name = "ReadMapSelect", .offset = 4, .writable = 0x03},   // [VGA 2.6.5]
    {.name = "Mode", .offset = 5, .writable = 0x7b},            // [VGA 2.6.6]
    {.name = "Miscellaneous", .offset = 6, .writable = 0x0f},   // [VGA 2.6.7]
    {.name = "ColourDontCare", .offset = 7, .writable = 0x0f},  // [VGA 2.6.8]
    {.name = "BitMask", .offset = 8, .writable = 0xff},         // [VGA 2.6.9]
};

constexpr core::Register kAttrTable[] = {
    {.name = "Palette0", .offset = 0x00, .writable = 0x3f},  // [VGA 2.7.2], sixteen of them
    {.name = "Palette1", .offset = 0x01, .writable = 0x3f},
    {.name = "Palette2", .offset = 0x02, .writable = 0x3f},
    {.name = "Palette3", .offset = 0x03, .writable = 0x3f},
    {.name = "Palette4", .offset = 0x04, .writable = 0x3f},
    {.name = "Palette5", .offset = 0x05, .writable = 0x3f},
    {.name = "Palette6", .offset = 0x06, .writable = 0x3f},
    {.name = "Palette7", .offset = 0x07, .writable = 0x3f},
    {.name = "Palette8", .offset = 0x08, .writable = 0x3f},
    {.name = "Palette9", .offset = 0x09, .writable = 0x3f},
    {.name = "PaletteA", .offset = 0x0a, .writable = 0x3f},
    {.name = "PaletteB", .offset = 0x0b, .writable = 0x3f},
    {.name = "PaletteC", .offset = 0x0c, .writable = 0x3f},
    {.name = "PaletteD", .offset = 0x0d, .writable = 0x3f},
    {.name = "PaletteE", .offset = 0x0e, .writable = 0x3f},
    {.name = "PaletteF", .offset = 0x0f, .writable = 0x3f},
    {.name = "ModeControl", .offset = 0x10, .writable = 0xef},   // [VGA 2.7.3]
    {.name = "Overscan", .offset = 0x11, .writable = 0xff},      // [VGA 2.7.4]
    {.name = "PlaneEnable", .offset = 0x12, .writable = 0x3f},   // [VGA 2.7.5]
    {.name = "Pan", .offset = 0x13, .writable = 0x0f},           // [VGA 2.7.6]
    {.name = "ColourSelect", .offset = 0x14, .writable = 0x0f},  // [VGA 2.7.7]
};

constexpr std::uint8_t kUnclaimed = 0xff;
constexpr std::uint8_t kSeqIndexMask = 0x07;
constexpr std::uint8_t kGfxIndexMask = 0x0f;
constexpr std::uint8_t kAttrIndexMask = 0x1f;
constexpr std::uint8_t kAttrIndexBits = 0x3f;

template <std::size_t N>
void copy_bytes(const core::RegisterFile& from, std::array<std::uint8_t, N>& to) {
  for (std::uint32_t i = 0; i < N; ++i)
    to[i] = static_cast<std::uint8_t>(from.value(i, 1));
}

}  // namespace

VgaRegisters::VgaRegisters()
    : crtc_(kCrtcTable, kCrtCount),
      seq_(kSeqTable, kSeqCount),
      gfx_(kGfxTable, kGfxCount),
      attr_(kAttrTable, kAttrCount) {}

void VgaRegisters::reset() {
  *this = VgaRegisters();
}

// The CRT controller and status ports move between 3Bx and 3Dx. [VGA 2.3.1 bit 0]
bool VgaRegisters::decodes(std::uint16_t port) const {
  const bool colour = (misc_ & kMiscColour) != 0;
  if (port < kColourPorts) return !colour;
  return port < 0x3d0 || colour;
}

std::uint8_t VgaRegisters::read(std::uint16_t port, core::GuestTime now) {
  if (!decodes(port)) return kUnclaimed;
  switch (port) {
    case 0x3c0: return attr_data_next_ ? 0 : attr_index_;
    case 0x3c1: return static_cast<std::uint8_t>(attr_.value(attr_index_ & kAttrIndexMask, 1));
    case 0x3c2: return 0;  // input status 0: no interrupt pending, no switch closed
    case 0x3c3: return enable_;
    case 0x3c4: return seq_index_;
    case 0x3c5: return static_cast<std::uint8_t>(seq_.value(seq_index_, 1));
    case 0x3c6: return dac_.read_mask();
    case 0x3c7: return dac_.read_state();
    case 0x3c8: return dac_.read_index();
    case 0x3c9: return dac_.read_data();
    case 0x3ca: return feature_;
    case 0x3cc: return misc_;
    case 0x3ce: return gfx_index_;
    case 0x3cf: return static_cast<std::uint8_t>(gfx_.value(gfx_index_, 1));
    case 0x3b4:
    case 0x3d4: return crtc_index_;
    case 0x3b5:
    case 0x3d5: return static_cast<std::uint8_t>(crtc_.value(crtc_index_, 1));
    case 0x3ba:
    case 0x3da: return read_status(now);
    default: return kUnclaimed;
  }
}

std::uint8_t VgaRegisters::read_status(core::GuestTime now) {
  attr_data_next_ = false;  // [VGA 2.7.1] reading the status makes 3C0 an index again
  VgaSnapshot snapshot;
  copy_bytes(crtc_, snapshot.crtc);
  copy_bytes(seq_, snapshot.seq);
  return input_status(vga_timing(snapshot.crtc, snapshot.seq[kSeqClocking], misc_), now);
}

void VgaRegisters::write(std::uint16_t port, std::uint8_t value) {
  if (!decodes(port)) return;
  switch (port) {
    case 0x3c0: return write_attribute(value);
    case 0x3c2: misc_ = value & 0xef; return;
    case 0x3c3: enable_ = value & 1; return;
    case 0x3c4: seq_index_ = value & kSeqIndexMask; return;
    case 0x3c5: return seq_.write(seq_index_, 1, value);
    case 0x3c6: return dac_.write_mask(value);
    case 0x3c7: return dac_.write_read_index(value);
    case 0x3c8: return dac_.write_write_index(value);
    case 0x3c9: return dac_.write_data(value);
    case 0x3ce: gfx_index_ = value & kGfxIndexMask; return;
    case 0x3cf: return gfx_.write(gfx_index_, 1, value);
    case 0x3b4:
    case 0x3d4: crtc_index_ = value; return;
    case 0x3b5:
    case 0x3d5: return write_crtc(value);
    case 0x3ba:
    case 0x3da: feature_ = value & 0x0b; return;
    default: return;
  }
}

void VgaRegisters::write_attribute(std::uint8_t value) {
  if (attr_data_next_) {
    attr_.write(attr_index_ & kAttrIndexMask, 1, value);
  } else {
    attr_index_ = value & kAttrIndexBits;
  }
  attr_data_next_ = !attr_data_next_;
}

// [VGA 2.5.18 bit 7] protects registers 0-7, but for the line compare bit in 7.
void VgaRegisters::write_crtc(std::uint8_t value) {
  if (crtc_index_ <= kCrtOverflow && (crtc(kCrtVerticalRetraceEnd) & kRetraceEndProtect) != 0) {
    if (crtc_index_ != kCrtOverflow) return;
    constexpr std::uint8_t kLineCompareBit = 1 << 4;
    value = static_cast<std::uint8_t>((crtc(kCrtOverflow) & ~kLineCompareBit) | (value & kLineCompareBit));
  }
  crtc_.write(crtc_index_, 1, value);
}

void VgaRegisters::visit(core::StateVisitor& visitor) {
  visitor.field("crtc", crtc_);
  visitor.field("seq", seq_);
  visitor.field("gfx", gfx_);
  visitor.field("attr", attr_);
  visitor.field("dac", dac_);
  visitor.field("misc", misc_);
  visitor.field("feature", feature_);
  visitor.field("enable", enable_);
  visitor.field("crtc_index", crtc_index_);
  visitor.field("seq_index", seq_index_);
  visitor.field("gfx_index", gfx_index_);
  visitor.field("attr_index", attr_index_);
  visitor.field("attr_data_next", attr_data_next_);
}

void VgaRegisters::copy_to(VgaSnapshot& snapshot) const {
  copy_bytes(crtc_, snapshot.crtc);
  copy_bytes(seq_, snapshot.seq);
  copy_bytes(gfx_, snapshot.gfx);
  copy_bytes(attr_, snapshot.attr);
  snapshot.dac = dac_.components();
  snapshot.dac_mask = dac_.read_mask();
  snapshot.dac_eight_bit = dac_.eight_bit();
  snapshot.screen_on = (attr_index_ & kAttrScreenOn) != 0;
}

}  // namespace devices::qxl
