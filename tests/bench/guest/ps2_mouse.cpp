#include "tests/bench/guest/ps2_mouse.h"

#include "tests/bench/guest/pci.h"
#include "tests/guest/bare/bare.h"

namespace bench::ps2_mouse {

namespace {

constexpr std::uint16_t kData = 0x60;
constexpr std::uint16_t kControl = 0x64;
constexpr std::uint8_t kOutputFull = 1 << 0;
constexpr std::uint8_t kInputFull = 1 << 1;
constexpr std::uint8_t kOutputIsMouse = 1 << 5;

constexpr std::uint8_t kReadCommandByte = 0x20;
constexpr std::uint8_t kWriteCommandByte = 0x60;
constexpr std::uint8_t kEnableMousePort = 0xa8;
constexpr std::uint8_t kToMouse = 0xd4;
constexpr std::uint8_t kKeyboardInterrupt = 1 << 0;
constexpr std::uint8_t kMouseInterrupt = 1 << 1;
constexpr std::uint8_t kMouseClockOff = 1 << 5;

constexpr std::uint8_t kSetDefaults = 0xf6;
constexpr std::uint8_t kEnable = 0xf4;
constexpr std::uint8_t kAck = 0xfa;
constexpr std::uint8_t kRightNegative = 1 << 4;
constexpr std::uint8_t kUpNegative = 1 << 5;
constexpr unsigned kPacketBytes = 3;

constexpr unsigned kIrq = 12;
constexpr std::uint8_t kVector = 0x50;

// The handler only says so: each byte that is read brings the next interrupt, which KVM delivers into the handler of
// the one before where it emulates kernel-mode code.
volatile bool has_interrupted;

void write(std::uint16_t port, std::uint8_t value) {
  while ((bare::in8(kControl) & kInputFull) != 0)
    bare::relax();
  bare::out8(port, value);
}

std::uint8_t read() {
  while ((bare::in8(kControl) & kOutputFull) == 0)
    bare::relax();
  return bare::in8(kData);
}

void tell_mouse(std::uint8_t command) {
  write(kControl, kToMouse);
  write(kData, command);
  bare::expect(read() == kAck, "a mouse that takes commands");
}

// Two's complement of nine bits: eight of the magnitude, and a sign in the first byte.
std::int32_t delta(std::uint8_t low, bool is_negative) {
  return static_cast<std::int32_t>(low) - (is_negative ? 256 : 0);
}

// The next byte, when there is one.
std::uint8_t wait_byte() {
  for (;;) {
    const auto status = bare::in8(kControl);
    if ((status & kOutputFull) != 0) {
      const auto byte = bare::in8(kData);
      if ((status & kOutputIsMouse) != 0) return byte;
      continue;
    }
    while (!has_interrupted)
      bare::relax();
    has_interrupted = false;
  }
}

}  // namespace

void open() {
  while ((bare::in8(kControl) & kOutputFull) != 0)
    bare::in8(kData);
  write(kControl, kEnableMousePort);
  write(kControl, kReadCommandByte);
  const auto command_byte = read();
  tell_mouse(kSetDefaults);
  tell_mouse(kEnable);
  bare::on_interrupt(kVector, [] { has_interrupted = true; });
  route_isa_interrupt(kIrq, kVector);
  write(kControl, kWriteCommandByte);
  write(kData, static_cast<std::uint8_t>((command_byte | kMouseInterrupt) & ~(kKeyboardInterrupt | kMouseClockOff)));
}

Motion wait_motion() {
  std::uint8_t packet[kPacketBytes];
  for (auto& byte : packet)
    byte = wait_byte();
  return {delta(packet[1], (packet[0] & kRightNegative) != 0), -delta(packet[2], (packet[0] & kUpNegative) != 0)};
}

}  // namespace bench::ps2_mouse
