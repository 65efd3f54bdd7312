// Counts the interrupts of a QXL display: for each of its causes, behind the mask, and while one is pending already.
#include "examples/qxl-rig/drawings.h"
#include "tests/bench/guest/clock.h"
#include "tests/bench/guest/pci.h"
#include "tests/guest/bare/bare.h"

namespace {

using qxl::box;

constexpr std::uint8_t kVector = 0x41;
constexpr std::uint64_t kPatienceMs = 2000;
constexpr std::uint64_t kQuietMs = 50;

qxl::Driver driver;
volatile QXLRam* ram;
std::uint16_t ports;
std::uint64_t ticks_per_ms;
volatile std::uint32_t interrupts;

void set_mask(std::uint32_t mask) {
  ram->int_mask = mask;
  driver.update_irq();
}

void clear(std::uint32_t bits) {
  __atomic_and_fetch(&ram->int_pending, ~bits, __ATOMIC_SEQ_CST);
  driver.update_irq();
}

void count_one() {
  interrupts = interrupts + 1;
  clear(ram->int_pending & ram->int_mask);
}

template <class Condition>
void wait_for(Condition holds, std::uint64_t ms = kPatienceMs) {
  const auto begun = bench::ticks();
  while (!holds() && bench::ticks() - begun < ms * ticks_per_ms)
    bare::relax();
}

void rest() {
  wait_for([] { return false; }, kQuietMs);
}

void start_update() {
  ram->update_surface = 0;
  ram->update_area.left = 0;
  ram->update_area.top = 0;
  ram->update_area.right = 64;
  ram->update_area.bottom = 64;
  bare::out8(static_cast<std::uint16_t>(ports + QXL_IO_UPDATE_AREA_ASYNC), 0);
}

bool is_pending(std::uint32_t bit) {
  return (ram->int_pending & bit) != 0;
}

void say(const char* what, std::uint32_t count) {
  bare::print(what);
  bare::print(" ");
  bare::print_number(count);
  bare::print("\n");
}

template <class Work>
void counted(const char* what, Work work) {
  ram->int_pending = 0;
  interrupts = 0;
  work();
  rest();
  set_mask(0);
  say(what, interrupts);
}

// Asynchronous commands end with one each.
void asynchronous_commands() {
  set_mask(QXL_INTERRUPT_IO_CMD);
  for (std::uint32_t i = 1; i <= 10; ++i) {
    start_update();
    wait_for([i] { return interrupts == i; });
  }
}

// Nothing comes through the mask; what is pending comes when it is opened, once.
void masked() {
  for (int i = 0; i < 2; ++i) {
    start_update();
    wait_for([] { return is_pending(QXL_INTERRUPT_IO_CMD); });
    rest();
  }
  say("before the mask is opened", interrupts);
  set_mask(QXL_INTERRUPT_IO_CMD);
}

// Opened again and again while nothing happens.
void cleared_without_interrupt() {
  start_update();
  wait_for([] { return is_pending(QXL_INTERRUPT_IO_CMD); });
  clear(QXL_INTERRUPT_IO_CMD);
  for (int i = 0; i < 5; ++i) {
    set_mask(~0U);
    set_mask(0);
  }
}

// The device takes the command that the driver waits for.
template <class Ring>
void ring_moves(volatile Ring& ring, std::uint32_t bit, void (*submit)()) {
  ring.notify_on_cons = ring.cons + 1;
  submit();
  wait_for([bit] { return is_pending(bit); });
  set_mask(bit);
  wait_for([] { return interrupts > 0; });
  set_mask(0);
}

void show_cursor() {
  auto* const command = reinterpret_cast<QXLCursorCmd*>(driver.take_slot());
  command->type = QXL_CURSOR_HIDE;
  driver.submit_cursor(command);
}

// There is no such memory slot. The device takes nothing more then but a reset.
void guest_bug() {
  set_mask(QXL_INTERRUPT_ERROR);
  bare::out8(static_cast<std::uint16_t>(ports + QXL_IO_MEMSLOT_ADD), 0xff);
}

}  // namespace

void guest_main() {
  constexpr unsigned kIdentity = 0x0100'1b36;
  const auto display = bench::find_function(0, 0xffff'ffff, kIdentity, "a QXL function");
  bare::expect(driver.find(), "a QXL function that is ours");
  ram = &bare::at<QXLRam>(display.bar(0) + driver.rom().ram_header_offset);
  ports = static_cast<std::uint16_t>(display.config(0x1c) & ~3U);
  ticks_per_ms = bench::calibrate();
  driver.start(640, 480);
  ram->release_ring.notify_on_prod = ram->release_ring.cons - 1;  // far ahead: not told of what is given back, and when
  bare::on_interrupt(kVector, count_one);
  display.open(kVector);

  counted("asynchronous commands", asynchronous_commands);
  counted("masked", masked);
  counted("cleared without interrupt", cleared_without_interrupt);
  counted("display",
          [] { ring_moves(ram->cmd_ring, QXL_INTERRUPT_DISPLAY, [] { qxl::fill(driver, box(0, 0, 64, 64), 1); }); });
  counted("cursor", [] { ring_moves(ram->cursor_ring, QXL_INTERRUPT_CURSOR, show_cursor); });
  counted("guest bug", guest_bug);
  bare::print("interrupts counted\n");
  bare::exit(0);
}
