// When a scan is in its blanking intervals, from the CRT controller's registers and guest time. [VGA 2.5]
#pragma once

#include <array>
#include <cstdint>

#include "core/event/guest_clock.h"
#include "devices/qxl/vga_abi.h"

namespace devices::qxl {

struct VgaTiming {
  std::uint64_t line_ns = 0;
  std::uint64_t shown_ns = 0;  // of a line
  std::uint32_t lines = 0;     // of a frame
  std::uint32_t shown_lines = 0;
};

// Registers that make no frame (as after reset) give that of an 80x25 text screen.
VgaTiming vga_timing(const std::array<std::uint8_t, abi::kCrtCount>& crtc, std::uint8_t clocking, std::uint8_t misc);

// Input status 1. The retrace bit lasts for the whole vertical blanking (a real pulse has two lines), so that a CPU
// that needs many microseconds for one port read still meets it.
std::uint8_t input_status(const VgaTiming& timing, core::GuestTime now);

}  // namespace devices::qxl
