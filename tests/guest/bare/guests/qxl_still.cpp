// A picture that a QXL display draws out of a few hundred commands of each kind and then shows for ever. The guest says
// what it reads back of it, as a checksum.
#include "examples/qxl-rig/drawings.h"
#include "tests/guest/bare/bare.h"

namespace {

using qxl::box;

constexpr std::int32_t kWidth = 640;
constexpr std::int32_t kHeight = 480;

qxl::Driver driver;

void draw(std::int32_t i) {
  const auto color = static_cast<std::uint32_t>(i) * 0x070b0dU;
  qxl::fill(driver, box(i * 29 % 560, i * 17 % 420, 40 + i % 40, 20 + i % 40), color);
  qxl::copy(driver, i * 31 % (kWidth - 16), i * 23 % (kHeight - 16));
  qxl::text(driver, i * 13 % 400, i * 11 % (kHeight - 8), ~color, i % 30 + 1);
  if (i % 5 == 0) qxl::scroll(driver, box(i % 100, i % 70, 500, 400), i % 9 + 1);
  if (i % 7 == 0) qxl::fill(driver, box(0, 0, 48, 48), color ^ 0xffffffU, 1);
  if (i % 7 == 0) qxl::copy_surface(driver, 1, i * 3 % (kWidth - 48), i * 5 % (kHeight - 48), 48);
}

// FNV-1a, 64 bits.
std::uint64_t checksum() {
  std::uint64_t sum = 0xcbf29ce484222325;
  for (std::uint32_t y = 0; y < kHeight; ++y) {
    for (std::uint32_t x = 0; x < kWidth; ++x)
      sum = (sum ^ (driver.pixel(x, y) & 0xffffffU)) * 0x100000001b3;
  }
  return sum;
}

}  // namespace

void guest_main() {
  bare::expect(driver.find(), "a QXL function");
  driver.start(kWidth, kHeight);
  qxl::create_surface(driver, 1, 48, 48);
  qxl::fill(driver, box(0, 0, kWidth, kHeight), 0x336699);
  for (std::int32_t i = 0; i < 300; ++i)
    draw(i);
  driver.update(0, 0, kWidth, kHeight);
  bare::print("checksum ");
  bare::print_number(checksum());
  bare::print("\n");
  for (;;)
    bare::relax();
}
