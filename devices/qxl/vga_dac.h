// The palette DAC: 256 colours behind ports 3C6-3C9. [VGA 3, "Video Digital-to-Analog Converter"]
//
// Components have 6 bits, or 8 when a VBE mode asks for it.
#pragma once

#include <array>
#include <cstdint>

#include "core/state/state.h"

namespace devices::qxl {

class VgaDac {
 public:
  std::uint8_t read_mask() const { return mask_; }
  std::uint8_t read_state() const { return reading_ ? 0x03 : 0x00; }
  std::uint8_t read_index() const { return write_index_; }
  std::uint8_t read_data();
  void write_mask(std::uint8_t value) { mask_ = value; }
  void write_read_index(std::uint8_t value);
  void write_write_index(std::uint8_t value);
  void write_data(std::uint8_t value);
  void set_eight_bit(bool on) { eight_bit_ = on; }

  // Components as written, three a colour: red, green, blue.
  const std::array<std::uint8_t, 768>& components() const { return components_; }
  bool eight_bit() const { return eight_bit_; }
  void visit(core::StateVisitor& visitor);

 private:
  std::array<std::uint8_t, 768> components_{};
  std::array<std::uint8_t, 3> latch_{};
  std::uint8_t mask_ = 0xff;
  std::uint8_t read_index_ = 0;
  std::uint8_t write_index_ = 0;
  std::uint8_t component_ = 0;  // 0..2, the next of the sequence
  bool reading_ = false;
  bool eight_bit_ = false;
};

}  // namespace devices::qxl
