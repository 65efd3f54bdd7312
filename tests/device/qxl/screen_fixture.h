// A rig with a screen: what tests of the renderer share.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "devices/qxl/qxl_source.h"
#include "tests/device/qxl/qxl_rig.h"
#include "tests/device/qxl/vga_modes.h"

namespace tests {

// The palette registers of a mode, looked up in the DAC.
inline std::uint32_t palette(const VgaMode& mode, unsigned index) {
  return shown_colour(mode.attr[index]);
}

struct ScreenTest : testing::Test {
  void load(const VgaMode& mode) { set_mode(rig, mode); }

  // Memory that looks different everywhere.
  void fill_noise(std::uint32_t bytes) {
    std::vector<std::uint8_t> noise(bytes);
    std::uint32_t value = 12345;
    for (auto& byte : noise) {
      value = value * 1664525 + 1013904223;
      byte = static_cast<std::uint8_t>(value >> 24);
    }
    rig.fill_vram(0, noise);
  }
  std::uint8_t byte_at(std::uint32_t offset) { return rig.ram().all().read<std::uint8_t>(offset).value_or(0); }

  void expect_picture(std::int32_t width, std::int32_t height,
                      const std::function<std::uint32_t(std::uint32_t, std::uint32_t)>& pixel) {
    ASSERT_EQ(rig.canvas.width, width);
    ASSERT_EQ(rig.canvas.height, height);
    for (std::int32_t y = 0; y < height; ++y) {
      for (std::int32_t x = 0; x < width; ++x) {
        ASSERT_EQ(rig.canvas.at(x, y), pixel(static_cast<std::uint32_t>(x), static_cast<std::uint32_t>(y)))
            << "at " << x << ", " << y;
      }
    }
  }
  std::uint64_t bytes_read() { return static_cast<devices::qxl::QxlSource&>(rig.device.source()).bytes_read(); }
  // Brings the screen up to date, so that the next refresh reports only what follows.
  void settle() {
    rig.refresh();
    EXPECT_FALSE(rig.refresh());
    EXPECT_TRUE(rig.canvas.reported.empty());
  }
  std::vector<core::Rect> next_report() {
    rig.refresh();
    return rig.canvas.reported;
  }

  QxlRig rig;
};

}  // namespace tests
