#include "devices/qxl/vbe.h"

#include <algorithm>

namespace devices::qxl {

using namespace abi;

namespace {
// The most a canvas has (core/ports/display.h).
constexpr std::uint16_t kMaxWidth = 8192;
constexpr std::uint16_t kMaxHeight = 8192;
constexpr std::uint16_t kMaxBpp = 32;
constexpr std::uint16_t kMaxVirtualWidth = 16384;
constexpr std::uint16_t kPixelsAligned = 8;
constexpr std::uint16_t kEnableBits = kVbeEnabled | kVbeCapabilities | kVbeDac8Bit | kVbeLinear | kVbeKeepMemory;

std::uint16_t align_width(std::uint16_t pixels) {
  return static_cast<std::uint16_t>(pixels & ~(kPixelsAligned - 1));
}
}  // namespace

// Bits a pixel takes in memory; 4 stands for four planes, a byte for eight pixels in each.
unsigned Vbe::stored_bits(std::uint16_t bpp) {
  return bpp == 15 ? 16 : bpp;
}

std::uint32_t Vbe::pitch() const {
  return std::uint32_t{regs_.virtual_width} * stored_bits(regs_.bpp) / 8;
}

std::uint32_t Vbe::offset_bytes() const {
  return std::uint32_t{regs_.x_offset} * stored_bits(regs_.bpp) / 8 + std::uint32_t{regs_.y_offset} * pitch();
}

std::uint16_t Vbe::last_bank() const {
  // In planar modes a bank covers 64 KiB of each of the four planes.
  const auto banks = memory_bytes_ >> (regs_.bpp == 4 ? 18 : 16);
  return static_cast<std::uint16_t>(std::max(banks, 1u) - 1);
}

std::uint16_t Vbe::read() const {
  const bool capabilities = (regs_.enable & kVbeCapabilities) != 0;
  switch (static_cast<VbeIndex>(index_)) {
    case VbeIndex::Id: return regs_.id;
    case VbeIndex::XRes: return capabilities ? kMaxWidth : regs_.xres;
    case VbeIndex::YRes: return capabilities ? kMaxHeight : regs_.yres;
    case VbeIndex::Bpp: return capabilities ? kMaxBpp : regs_.bpp;
    case VbeIndex::Enable: return regs_.enable;
    case VbeIndex::Bank: return regs_.bank;
    case VbeIndex::VirtualWidth: return regs_.virtual_width;
    case VbeIndex::VirtualHeight: return regs_.virtual_height;
    case VbeIndex::XOffset: return regs_.x_offset;
    case VbeIndex::YOffset: return regs_.y_offset;
    case VbeIndex::Memory64K: return static_cast<std::uint16_t>(memory_bytes_ >> 16);
  }
  return 0;
}

bool Vbe::write(std::uint16_t value) {
  switch (static_cast<VbeIndex>(index_)) {
    case VbeIndex::Id:
      if (value >= kVbeIdFirst && value <= kVbeIdLast) regs_.id = value;
      return false;
    case VbeIndex::XRes: regs_.xres = value; break;
    case VbeIndex::YRes: regs_.yres = value; break;
    case VbeIndex::Bpp: regs_.bpp = value; break;
    case VbeIndex::VirtualWidth: regs_.virtual_width = value; break;
    case VbeIndex::XOffset: regs_.x_offset = value; break;
    case VbeIndex::YOffset: regs_.y_offset = value; break;
    case VbeIndex::Bank: regs_.bank = std::min(value, last_bank()); return false;
    case VbeIndex::Enable: return write_enable(value);
    default: return false;  // read only, or nothing there
  }
  if (enabled()) settle();
  return false;
}

bool Vbe::write_enable(std::uint16_t value) {
  const bool switched_on = (value & kVbeEnabled) != 0 && !enabled();
  regs_.enable = value & kEnableBits;
  if (switched_on) {
    // A mode begins unpanned, its lines as long as the screen is wide.
    regs_.virtual_width = 0;
    regs_.x_offset = 0;
    regs_.y_offset = 0;
    settle();
    return (value & kVbeKeepMemory) == 0;
  }
  if (!enabled()) regs_.bank = 0;
  return false;
}

// Brings a mode that is on into the memory: the guest reads back what it got.
void Vbe::settle() {
  constexpr std::uint16_t kDepths[] = {4, 8, 15, 16, 24, 32};
  if (std::ranges::find(kDepths, regs_.bpp) == std::end(kDepths)) regs_.bpp = 8;
  regs_.xres = std::clamp(align_width(regs_.xres), kPixelsAligned, kMaxWidth);
  regs_.virtual_width = std::clamp(align_width(regs_.virtual_width), regs_.xres, kMaxVirtualWidth);
  // The memory has at least 8 MiB, so that the widest line fits many times.
  const auto lines = std::min<std::uint32_t>(memory_bytes_ / pitch(), 0xffff);
  regs_.yres =
      static_cast<std::uint16_t>(std::clamp<std::uint32_t>(regs_.yres, 1, std::min<std::uint32_t>(lines, kMaxHeight)));
  regs_.virtual_height = static_cast<std::uint16_t>(lines);
  regs_.x_offset = std::min(regs_.x_offset, kMaxVirtualWidth);
  const auto fits = [this] {
    return std::uint64_t{offset_bytes()} + std::uint64_t{regs_.yres} * pitch() <= memory_bytes_;
  };
  if (!fits()) regs_.y_offset = 0;
  if (!fits()) regs_.x_offset = 0;
  regs_.bank = std::min(regs_.bank, last_bank());
}

VbeScanout Vbe::scanout() const {
  if (!enabled()) return {};
  return {.enabled = true,
          .width = regs_.xres,
          .height = regs_.yres,
          .bpp = regs_.bpp,
          .pitch_bytes = pitch(),
          // Planes are words of four bytes: a finer start is not shown.
          .start_bytes = regs_.bpp == 4 ? offset_bytes() & ~3u : offset_bytes()};
}

void Vbe::reset() {
  index_ = 0;
  regs_ = {};
}

void Vbe::visit(core::StateVisitor& visitor) {
  visitor.field("index", index_);
  visitor.field("id", regs_.id);
  visitor.field("xres", regs_.xres);
  visitor.field("yres", regs_.yres);
  visitor.field("bpp", regs_.bpp);
  visitor.field("enable", regs_.enable);
  visitor.field("bank", regs_.bank);
  visitor.field("virtual_width", regs_.virtual_width);
  visitor.field("virtual_height", regs_.virtual_height);
  visitor.field("x_offset", regs_.x_offset);
  visitor.field("y_offset", regs_.y_offset);
}

// A stream is no more trusted than a guest.
void Vbe::state_loaded() {
  regs_.enable &= kEnableBits;
  if (enabled()) settle();
  regs_.bank = std::min(regs_.bank, last_bank());
}

}  // namespace devices::qxl
