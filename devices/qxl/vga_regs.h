// The VGA's ports 3B0-3DF: miscellaneous, sequencer, CRT controller, graphics and attribute controllers, DAC.
//
// Registers are rows of the tables in vga_regs.cpp. Missing on purpose: the light pen, the vertical interrupt (the PC
// does not route it), and the EGA switch sense.
#pragma once

#include <cstdint>

#include "core/bus/registers.h"
#include "core/event/guest_clock.h"
#include "devices/qxl/vga_dac.h"
#include "devices/qxl/vga_snapshot.h"

namespace devices::qxl {

class VgaRegisters {
 public:
  VgaRegisters();

  // `port` is the whole port number; now is for the retrace bits.
  std::uint8_t read(std::uint16_t port, core::GuestTime now);
  void write(std::uint16_t port, std::uint8_t value);

  std::uint8_t seq(unsigned index) const { return static_cast<std::uint8_t>(seq_.value(index, 1)); }
  std::uint8_t gfx(unsigned index) const { return static_cast<std::uint8_t>(gfx_.value(index, 1)); }
  std::uint8_t crtc(unsigned index) const { return static_cast<std::uint8_t>(crtc_.value(index, 1)); }
  std::uint8_t misc() const { return misc_; }
  VgaDac& dac() { return dac_; }
  const VgaDac& dac() const { return dac_; }

  void reset();
  void visit(core::StateVisitor& visitor);
  void copy_to(VgaSnapshot& snapshot) const;

 private:
  bool decodes(std::uint16_t port) const;
  std::uint8_t read_status(core::GuestTime now);
  void write_attribute(std::uint8_t value);
  void write_crtc(std::uint8_t value);

  core::RegisterFile crtc_;
  core::RegisterFile seq_;
  core::RegisterFile gfx_;
  core::RegisterFile attr_;
  VgaDac dac_;
  std::uint8_t misc_ = 0;
  std::uint8_t feature_ = 0;
  std::uint8_t enable_ = 0;
  std::uint8_t crtc_index_ = 0;
  std::uint8_t seq_index_ = 0;
  std::uint8_t gfx_index_ = 0;
  std::uint8_t attr_index_ = 0;
  bool attr_data_next_ = false;  // the flip-flop of port 3C0
};

}  // namespace devices::qxl
