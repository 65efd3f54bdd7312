// The Bochs VBE display interface: ports 1CE (index) and 1CF or 1D0 (data), id B0C5. [VBE DISPI]
//
// Modes of 4, 8, 15, 16, 24 and 32 bits in the video memory at the start of BAR0. Whatever the guest writes, the
// registers are brought to values that describe a picture inside that memory. Missing: the Bochs DDC register.
#pragma once

#include <cstdint>

#include "core/state/state.h"
#include "devices/qxl/vga_snapshot.h"

namespace devices::qxl {

class Vbe {
 public:
  explicit Vbe(std::uint32_t memory_bytes) : memory_bytes_(memory_bytes) {}

  std::uint16_t index() const { return index_; }
  void select(std::uint16_t index) { index_ = index; }
  std::uint16_t read() const;
  // True if a mode was switched on that wants its memory cleared: clear_bytes() from the start.
  bool write(std::uint16_t value);
  std::uint32_t clear_bytes() const { return std::uint32_t{regs_.yres} * pitch(); }

  bool enabled() const { return (regs_.enable & abi::kVbeEnabled) != 0; }
  bool dac_eight_bit() const { return (regs_.enable & abi::kVbeDac8Bit) != 0; }
  std::uint16_t bpp() const { return regs_.bpp; }
  // Where the 64 KiB window begins, in window bytes.
  std::uint32_t bank_offset() const { return enabled() ? std::uint32_t{regs_.bank} << 16 : 0; }
  VbeScanout scanout() const;

  void reset();
  void visit(core::StateVisitor& visitor);
  void state_loaded();

 private:
  struct Registers {
    std::uint16_t id = abi::kVbeIdLast;
    std::uint16_t xres = 0;
    std::uint16_t yres = 0;
    std::uint16_t bpp = 0;
    std::uint16_t enable = 0;
    std::uint16_t bank = 0;
    std::uint16_t virtual_width = 0;
    std::uint16_t virtual_height = 0;
    std::uint16_t x_offset = 0;
    std::uint16_t y_offset = 0;
  };
  static unsigned stored_bits(std::uint16_t bpp);
  std::uint32_t pitch() const;
  std::uint32_t offset_bytes() const;
  std::uint16_t last_bank() const;
  bool write_enable(std::uint16_t value);
  void settle();

  std::uint32_t memory_bytes_;
  std::uint16_t index_ = 0;
  Registers regs_;
};

}  // namespace devices::qxl
