#include "devices/qxl/vga_memory.h"

#include <array>
#include <bit>

#include "core/base/assert.h"
#include "core/base/bits.h"

namespace devices::qxl {

using namespace abi;

namespace {

// Above RAM and BARs, below whatever a chipset may lay over the window.
constexpr int kWindowPriority = 1;
constexpr std::uint32_t kVgaWords = kVgaMemory / 4;
constexpr std::uint8_t kNobody = 0xff;

// A plane mask as bytes of ones: plane 0 is the lowest byte.
constexpr std::uint32_t expand(unsigned planes) {
  std::uint32_t word = 0;
  for (unsigned plane = 0; plane < 4; ++plane)
    if ((planes >> plane & 1) != 0) word |= 0xffu << (8 * plane);
  return word;
}

constexpr auto kExpanded = [] {
  std::array<std::uint32_t, 16> table{};
  for (unsigned planes = 0; planes < table.size(); ++planes)
    table[planes] = expand(planes);
  return table;
}();

constexpr std::uint32_t replicate(std::uint8_t byte) {
  return byte * 0x01010101u;
}

// [VGA 2.6.7 bits 2-3]
struct MemoryMap {
  std::uint32_t start;
  std::uint32_t size;
};
constexpr MemoryMap kMemoryMaps[] = {{0, 0x20000}, {0, 0x10000}, {0x10000, 0x8000}, {0x18000, 0x8000}};

}  // namespace

VgaMemory::VgaMemory(core::MemoryBlock& block, std::uint32_t bytes, core::RamMap& ram_map)
    : block_(block), ram_map_(ram_map) {
  const auto slice = block.slice(0, bytes);
  MV_ASSERT(slice && bytes >= kVgaMemory, "the VGA's memory lies in its block");
  memory_ = *slice;
}

VgaMemory::Path VgaMemory::decode(const VgaRegisters& registers, const Vbe& vbe) {
  Path path;
  const bool linear = vbe.enabled() && vbe.bpp() != 4;
  const auto memory_mode = registers.seq(kSeqMemoryMode);
  const auto mode = registers.gfx(kGfxMode);
  const auto rotate = registers.gfx(kGfxRotate);
  // A VBE mode has its window at A0000, whatever the VGA registers say.
  const auto map = vbe.enabled() ? kMemoryMaps[1] : kMemoryMaps[(registers.gfx(kGfxMisc) >> 2) & 3];
  path.enabled = vbe.enabled() || (registers.misc() & kMiscRamEnable) != 0;
  path.window_start = map.start;
  path.window_size = map.size;
  path.bank_offset = vbe.bank_offset();
  path.word_mask = vbe.enabled() ? ~0u : kVgaWords - 1;
  if (linear) {
    path.read_layout = path.write_layout = Layout::Linear;
  } else if ((memory_mode & kMemoryChain4) != 0) {
    path.read_layout = path.write_layout = Layout::Chain4;
  } else {
    path.read_layout = (mode & kModeOddEven) != 0 ? Layout::OddEven : Layout::Planar;
    path.write_layout = (memory_mode & kMemoryOddEvenOff) == 0 ? Layout::OddEven : Layout::Planar;
  }
  path.read_map = registers.gfx(kGfxReadMap) & 3;
  path.read_compare = (mode & kModeReadCompare) != 0;
  path.compare = kExpanded[registers.gfx(kGfxColourCompare) & 0xf];
  path.care = kExpanded[registers.gfx(kGfxColourCare) & 0xf];
  path.write_mode = mode & 3;
  path.rotate = rotate & 7;
  path.function = (rotate >> 3) & 3;
  path.set_reset = kExpanded[registers.gfx(kGfxSetReset) & 0xf];
  path.enable_set_reset = kExpanded[registers.gfx(kGfxEnableSetReset) & 0xf];
  path.bit_mask = replicate(registers.gfx(kGfxBitMask));
  path.map_mask = registers.seq(kSeqMapMask) & 0xf;
  return path;
}

void VgaMemory::update(const VgaRegisters& registers, const Vbe& vbe) {
  path_ = decode(registers, vbe);
  map_window(vbe);
}

// The part of video memory that the window shows byte for byte, if it does.
std::optional<core::RamRegion> VgaMemory::direct_region(const Vbe& vbe) const {
  const bool untouched = path_.write_mode == 0 && path_.rotate == 0 && path_.function == 0 &&
                         path_.enable_set_reset == 0 && path_.bit_mask == ~0u && path_.map_mask == 0xf &&
                         !path_.read_compare;
  const bool direct = path_.write_layout == Layout::Linear || (path_.write_layout == Layout::Chain4 && untouched);
  if (!path_.enabled || !direct) return std::nullopt;
  if (!core::range_inside<std::uint64_t>(vbe.bank_offset(), path_.window_size, memory_.size())) return std::nullopt;
  return core::RamRegion{.start = core::Gpa(kWindow + path_.window_start),
                         .size = path_.window_size,
                         .block = &block_,
                         .offset = vbe.bank_offset(),
                         .writable = true,
                         .log_dirty = true};
}

void VgaMemory::map_window(const Vbe& vbe) {
  const auto region = direct_region(vbe);
  if (region == mapped_) return;
  const core::RamMap::Batch batch(ram_map_);
  mapping_.reset();
  if (region) mapping_ = ram_map_.map(*region, kWindowPriority);
  mapped_ = region;
}

void VgaMemory::clear(std::uint32_t bytes) {
  memory_.fill(0, bytes, 0);
}

std::optional<std::uint32_t> VgaMemory::address_in_window(std::uint64_t offset) const {
  if (!path_.enabled || offset < path_.window_start || offset - path_.window_start >= path_.window_size) {
    return std::nullopt;
  }
  return static_cast<std::uint32_t>(offset - path_.window_start) + path_.bank_offset;
}

VgaMemory::Cell VgaMemory::locate(Layout layout, std::uint32_t address, unsigned read_map) const {
  switch (layout) {
    case Layout::Linear: return {address >> 2, address & 3};
    case Layout::Chain4: return {(address >> 2) & path_.word_mask, address & 3};
    case Layout::OddEven: return {(address >> 1) & path_.word_mask, (read_map & 2) | (address & 1)};
    case Layout::Planar: break;
  }
  return {address & path_.word_mask, read_map};
}

std::uint64_t VgaMemory::read(std::uint64_t offset, unsigned width) {
  std::uint64_t value = 0;
  for (unsigned i = 0; i < width; ++i)
    value |= std::uint64_t{read_byte(offset + i)} << (8 * i);
  return value;
}

void VgaMemory::write(std::uint64_t offset, unsigned width, std::uint64_t value) {
  for (unsigned i = 0; i < width; ++i)
    write_byte(offset + i, static_cast<std::uint8_t>(value >> (8 * i)));
}

std::uint8_t VgaMemory::read_byte(std::uint64_t offset) {
  const auto address = address_in_window(offset);
  if (!address) return kNobody;
  const auto cell = locate(path_.read_layout, *address, path_.read_map);
  const auto word = memory_.read<std::uint32_t>(std::uint64_t{cell.word} * 4);
  if (!word) return kNobody;
  latches_ = *word;
  if (!path_.read_compare || path_.read_layout == Layout::Linear) {
    return static_cast<std::uint8_t>(*word >> (8 * cell.plane));
  }
  // Read mode 1: ones where all planes that matter match the colour. [VGA 2.6.6 bit 3]
  const auto differs = (*word ^ path_.compare) & path_.care;
  return static_cast<std::uint8_t>(~(differs | differs >> 8 | differs >> 16 | differs >> 24));
}

// What the data path makes of a byte, for all four planes. [VGA 2.6.6 bits 0-1]
std::uint32_t VgaMemory::combine(std::uint8_t value) const {
  if (path_.write_mode == 1) return latches_;
  const auto rotated = replicate(std::rotr(value, static_cast<int>(path_.rotate)));
  auto mask = path_.bit_mask;
  std::uint32_t data = 0;
  switch (path_.write_mode) {
    case 0: data = (rotated & ~path_.enable_set_reset) | (path_.set_reset & path_.enable_set_reset); break;
    case 2: data = kExpanded[value & 0xf]; break;
    default:
      data = path_.set_reset;
      mask &= rotated;
      break;
  }
  switch (path_.function) {  // [VGA 2.6.4 bits 3-4]
    case 1: data &= latches_; break;
    case 2: data |= latches_; break;
    case 3: data ^= latches_; break;
    default: break;
  }
  return (data & mask) | (latches_ & ~mask);
}

void VgaMemory::write_byte(std::uint64_t offset, std::uint8_t value) {
  const auto address = address_in_window(offset);
  if (!address) return;
  const auto layout = path_.write_layout;
  if (layout == Layout::Linear) {
    memory_.write(*address, value);
    return;
  }
  const auto cell = locate(layout, *address, 0);
  auto planes = path_.map_mask;
  if (layout == Layout::Chain4) planes &= 1u << cell.plane;
  if (layout == Layout::OddEven) planes &= 5u << cell.plane;
  if (planes == 0) return;
  const auto at = std::uint64_t{cell.word} * 4;
  const auto old = memory_.read<std::uint32_t>(at);
  if (!old) return;
  const auto chosen = kExpanded[planes];
  memory_.write(at, (*old & ~chosen) | (combine(value) & chosen));
}

}  // namespace devices::qxl
