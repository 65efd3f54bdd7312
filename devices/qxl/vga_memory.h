// The VGA window A0000-BFFFF: four planes of 64 KiB behind the latches and the graphics controller's data path.
// [VGA 2.2, 2.6]
//
// The planes lie interleaved at the start of BAR0, byte 4 * address + plane, so that chained modes and VBE banks are
// plain memory. Addresses are dense: where a real VGA in odd/even and chain-4 addressing leaves gaps that its CRT
// controller then skips (word and double word mode), here neither does. While the window is plain memory, it is mapped
// for the CPU, and the handler is not called; the latches then do not follow reads.
#pragma once

#include <cstdint>
#include <optional>

#include "core/bus/address_space.h"
#include "core/memory/memory_block.h"
#include "core/memory/ram_map.h"
#include "core/state/state.h"
#include "devices/qxl/vbe.h"
#include "devices/qxl/vga_regs.h"

namespace devices::qxl {

class VgaMemory final : public core::IoHandler {
 public:
  // `bytes` of the block belong to the VGA.
  VgaMemory(core::MemoryBlock& block, std::uint32_t bytes, core::RamMap& ram_map);

  std::uint64_t read(std::uint64_t offset, unsigned width) override;
  void write(std::uint64_t offset, unsigned width, std::uint64_t value) override;

  // After a change of registers: how the window decodes and whether the CPU sees it directly.
  void update(const VgaRegisters& registers, const Vbe& vbe);
  void clear(std::uint32_t bytes);
  // What is mapped now; tests ask.
  const std::optional<core::RamRegion>& mapped() const { return mapped_; }

  void reset_latches() { latches_ = 0; }
  void visit(core::StateVisitor& visitor) { visitor.field("latches", latches_); }

 private:
  enum class Layout : std::uint8_t { Planar, OddEven, Chain4, Linear };
  struct Path {
    bool enabled = false;
    std::uint32_t window_start = 0;  // in the window of 128 KiB
    std::uint32_t window_size = 0;
    std::uint32_t bank_offset = 0;
    std::uint32_t word_mask = 0;
    Layout read_layout = Layout::Planar;
    Layout write_layout = Layout::Planar;
    unsigned read_map = 0;
    bool read_compare = false;
    std::uint32_t compare = 0;  // planes expanded to bytes, as below
    std::uint32_t care = 0;
    unsigned write_mode = 0;
    unsigned rotate = 0;
    unsigned function = 0;
    std::uint32_t set_reset = 0;
    std::uint32_t enable_set_reset = 0;
    std::uint32_t bit_mask = 0;
    unsigned map_mask = 0;
  };
  struct Cell {
    std::uint32_t word = 0;
    unsigned plane = 0;
  };

  static Path decode(const VgaRegisters& registers, const Vbe& vbe);
  std::optional<core::RamRegion> direct_region(const Vbe& vbe) const;
  void map_window(const Vbe& vbe);
  std::optional<std::uint32_t> address_in_window(std::uint64_t offset) const;
  Cell locate(Layout layout, std::uint32_t address, unsigned read_map) const;
  std::uint8_t read_byte(std::uint64_t offset);
  void write_byte(std::uint64_t offset, std::uint8_t value);
  std::uint32_t combine(std::uint8_t value) const;

  core::MemoryBlock& block_;
  core::MemorySlice memory_;
  core::RamMap& ram_map_;
  core::RamMapping mapping_;
  std::optional<core::RamRegion> mapped_;
  Path path_;
  std::uint32_t latches_ = 0;
};

}  // namespace devices::qxl
