// Fifty modes of a QXL display, native ones and those of VGA (by the Bochs display interface) in turn. Something is
// drawn in each; the last one, native, stays.
#include "examples/qxl-rig/drawings.h"
#include "tests/bench/guest/clock.h"
#include "tests/bench/guest/pci.h"
#include "tests/guest/bare/bare.h"

namespace {

using qxl::box;

struct Size {
  std::uint16_t width;
  std::uint16_t height;
};
constexpr Size kSizes[] = {{640, 480}, {1024, 768}, {320, 200}, {1600, 1200}, {800, 600}, {1280, 1024}, {800, 600}};
constexpr unsigned kModes = 50;
constexpr std::uint64_t kShownMs = 30;

qxl::Driver driver;

void native_mode(const Size& size, std::uint32_t color) {
  driver.start(size.width, size.height);
  qxl::fill(driver, box(0, 0, size.width, size.height), color);
  qxl::text(driver, 8, 8, ~color, 20);
}

// [VBE DISPI]
void vga_mode(const Size& size, std::uint32_t color, std::uintptr_t frame_buffer) {
  const std::uint16_t settings[][2] = {{4, 0}, {1, size.width}, {2, size.height}, {3, 32}, {4, 0x41}};
  for (const auto& [index, value] : settings) {
    bare::out16(0x1ce, index);
    bare::out16(0x1cf, value);
  }
  for (std::uint32_t pixel = 0; pixel < size.width * 16U; ++pixel)
    bare::at<std::uint32_t>(frame_buffer + pixel * 4) = color;
}

}  // namespace

void guest_main() {
  const auto display = bench::find_function(0, 0xffff'ffff, 0x0100'1b36, "a QXL function");
  bare::expect(driver.find(), "a QXL function that is ours");
  const auto ticks_per_ms = bench::calibrate();
  for (unsigned i = 0; i < kModes; ++i) {
    const auto& size = kSizes[i % (sizeof kSizes / sizeof kSizes[0])];
    const auto color = i * 0x05070bU;
    if (i % 2 == 0)
      native_mode(size, color);
    else
      vga_mode(size, color, display.bar(0));
    const auto begun = bench::ticks();
    while (bench::ticks() - begun < kShownMs * ticks_per_ms)
      bare::relax();
    if (i % 2 == 0) driver.stop();
  }
  native_mode({720, 400}, 0x336699);
  driver.update(0, 0, 720, 400);
  bare::print("modes done\n");
  for (;;)
    bare::relax();
}
