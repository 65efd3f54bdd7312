// Draws with everything a simple driver needs, looks whether the pixels are right, and then draws as fast as it can.
// Says what it does on the debug console and ends the machine with 0 if all was well.
#include "examples/qxl-rig/drawings.h"
#include "examples/qxl-rig/driver.h"
#include "tests/guest/bare/bare.h"

namespace {

constexpr std::int32_t kWidth = 800;
constexpr std::int32_t kHeight = 600;
constexpr unsigned kRounds = 2000;

qxl::Driver driver;

void expect_pixel(std::uint32_t x, std::uint32_t y, std::uint32_t wanted, const char* what) {
  driver.update(x, y, x + 1, y + 1);
  bare::expect((driver.pixel(x, y) & 0xffffff) == wanted, what);
}

void draw_one_of_each() {
  const auto screen = qxl::box(0, 0, kWidth, kHeight);
  qxl::fill(driver, screen, 0x336699);
  qxl::fill(driver, qxl::box(100, 100, 50, 40), 0xff0000);
  expect_pixel(99, 100, 0x336699, "what is not filled stays");
  expect_pixel(149, 139, 0xff0000, "a fill");
  qxl::copy(driver, 200, 100);
  expect_pixel(203, 105, 0x005030, "a copy of a bitmap");
  qxl::text(driver, 300, 100, 0xffffff);
  expect_pixel(302, 100, 0xffffff, "a bit of a letter that is set");
  expect_pixel(300, 100, 0x336699, "a bit of a letter that is clear");
  qxl::scroll(driver, screen, 20);
  expect_pixel(149, 119, 0xff0000, "what was scrolled");
  expect_pixel(149, 121, 0x336699, "what came from below");
  qxl::create_surface(driver, 1, 32, 32);
  qxl::fill(driver, qxl::box(0, 0, 32, 32), 0x00ff00, 1);
  qxl::copy_surface(driver, 1, 400, 300, 32);
  expect_pixel(431, 331, 0x00ff00, "a copy of an off-screen surface");
  driver.wait_for_releases(1);
  qxl::destroy_surface(driver, 1);
  driver.wait_for_releases();
}

std::uint64_t ticks() {
  return __builtin_ia32_rdtsc();
}

template <class Draw>
void measure(const char* what, Draw draw) {
  const auto released = driver.released();
  const auto start = ticks();
  for (unsigned i = 0; i < kRounds; ++i)
    draw(static_cast<std::int32_t>(i));
  driver.update(0, 0, kWidth, kHeight);
  driver.wait_for_releases();
  bare::expect(driver.released() - released == kRounds, "every command is released once");
  bare::print(what);
  bare::print_number(kRounds);
  bare::print(" commands, ");
  bare::print_number((ticks() - start) / kRounds);
  bare::print(" ticks each\n");
}

}  // namespace

void guest_main() {
  bare::expect(driver.find(), "a QXL function");
  bare::print("QXL revision ");
  bare::print_number(driver.revision());
  bare::print("\n");
  driver.start(kWidth, kHeight);
  draw_one_of_each();
  bare::print("one of each: right\n");
  measure("fills:   ", [](std::int32_t i) {
    qxl::fill(driver, qxl::box(i * 7 % 700, i * 13 % 500, 100, 100), static_cast<std::uint32_t>(i) * 0x010305U);
  });
  measure("copies:  ", [](std::int32_t i) { qxl::copy(driver, i * 7 % 784, i * 13 % 584); });
  measure("texts:   ", [](std::int32_t i) {
    qxl::text(driver, i * 7 % 776, i * 13 % 592, static_cast<std::uint32_t>(i) * 0x030105U);
  });
  measure("scrolls: ", [](std::int32_t) { qxl::scroll(driver, qxl::box(0, 0, kWidth, kHeight), 1); });
  qxl::pointer(driver, 400, 300);  // a device may keep this one until there is another pointer
  bare::print("done\n");
  driver.stop();
}
