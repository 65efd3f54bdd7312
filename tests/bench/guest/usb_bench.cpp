// A stick's bytes a second and a keyboard's reports, as a guest sees them. A report is told by a byte on the debug
// console, for a host that measures how long it takes from its event.
#include "tests/bench/guest/clock.h"
#include "tests/bench/guest/ehci.h"
#include "tests/guest/bare/bare.h"

namespace {

using namespace bench;

constexpr unsigned kKeyboardPort = 0;
constexpr std::uint8_t kKeyboard = 1;
constexpr unsigned kStickPort = 1;
constexpr std::uint8_t kStick = 2;
constexpr unsigned kKeyboardPeriod = 8;  // frames: what its descriptor says
constexpr std::uint64_t kWorkloadMs = 1000;
constexpr std::uint64_t kRestMs = 3000;
constexpr std::uint32_t kSectorBytes = 512;
constexpr std::uint32_t kRequestBytes = 64 << 10;
constexpr std::uint32_t kDiskBytes = 64 << 20;
constexpr std::uint16_t kDebugConsole = 0x402;
constexpr std::uintptr_t kBuffer = 32 << 20;  // above what a BIOS uses

Ehci ehci;
std::uint64_t ticks_per_ms;

void say(const char* name, std::uint64_t number) {
  bare::print("bench: ");
  bare::print(name);
  bare::print(" ");
  bare::print_number(number);
  bare::print("\n");
}

void put_big_endian(std::uint8_t* at, std::uint32_t value, unsigned bytes) {
  for (unsigned i = 0; i < bytes; ++i)
    at[i] = static_cast<std::uint8_t>(value >> 8 * (bytes - 1 - i));
}

// READ (10) or WRITE (10) in a command block wrapper, the data, and the status wrapper. [BOT 5]
void access(bool write, std::uint32_t offset) {
  alignas(64) static std::uint8_t command[31] = {'U', 'S', 'B', 'C', 1, 2, 3, 4};
  alignas(64) static std::uint8_t status[13];
  for (unsigned i = 0; i < 4; ++i)
    command[8 + i] = static_cast<std::uint8_t>(kRequestBytes >> 8 * i);
  command[12] = write ? 0x00 : 0x80;
  command[14] = 10;
  command[15] = write ? 0x2a : 0x28;
  put_big_endian(command + 17, offset / kSectorBytes, 4);
  put_big_endian(command + 22, kRequestBytes / kSectorBytes, 2);
  ehci.bulk_out(command, sizeof command);
  auto* const buffer = reinterpret_cast<std::uint8_t*>(kBuffer);
  if (write) {
    ehci.bulk_out(buffer, kRequestBytes);
  } else {
    ehci.bulk_in(buffer, kRequestBytes);
  }
  ehci.bulk_in(status, sizeof status);
  bare::expect(status[12] == 0, "a command that succeeds");
}

// TEST UNIT READY: the first one tells that the medium is new.
void become_ready() {
  alignas(64) static std::uint8_t command[31] = {'U', 'S', 'B', 'C', 1, 2, 3, 4, 0, 0, 0, 0, 0, 0, 6};
  alignas(64) static std::uint8_t status[13];
  for (unsigned i = 0; i < 2; ++i) {
    ehci.bulk_out(command, sizeof command);
    ehci.bulk_in(status, sizeof status);
  }
}

void measure_rate(const char* name, bool write) {
  std::uint32_t offset = 0;
  std::uint64_t bytes = 0;
  const auto begun = ticks();
  while (ticks() - begun < kWorkloadMs * ticks_per_ms) {
    access(write, offset);
    offset = (offset + kRequestBytes) % kDiskBytes;
    bytes += kRequestBytes;
  }
  say(name, bytes * ticks_per_ms / (ticks() - begun));
}

// After a time without any in which a controller may come to rest.
void measure_first_read() {
  const auto begun = ticks();
  while (ticks() - begun < kRestMs * ticks_per_ms)
    bare::relax();
  const auto woken = ticks();
  access(false, 0);
  say("first_read_us", (ticks() - woken) * 1000 / ticks_per_ms);
}

}  // namespace

void guest_main() {
  ticks_per_ms = calibrate();
  ehci.open();
  ehci.attach(kKeyboardPort, kKeyboard);
  ehci.request(kKeyboard, 0x21, 0x0a, 0);  // SET_IDLE: reports of changes only
  ehci.attach(kStickPort, kStick);
  ehci.open_bulk(kStick, 1, 2);
  become_ready();
  measure_rate("bulk_read_bytes_per_ms", false);
  measure_rate("bulk_write_bytes_per_ms", true);
  measure_first_read();
  ehci.open_interrupt(kKeyboard, 1, kKeyboardPeriod);
  bare::print("bench: keys\n");
  for (;;) {
    ehci.wait_report();
    bare::out8(kDebugConsole, 'k');
  }
}
