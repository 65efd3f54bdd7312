// Port and memory-mapped accesses of every width, and strings.
#include "tests/guest/bare/bare.h"

namespace {

constexpr std::uint16_t kPort = 0x600;
constexpr std::uintptr_t kProbe = 0xd0000000;
std::uint16_t words[256];
std::uint8_t bytes[300];
std::uint32_t longs[64];

}  // namespace

void guest_main() {
  // The device answers a read with its offset in the first byte and the width in the second.
  bare::expect(bare::in8(kPort + 1) == 0x01, "inb");
  bare::expect(bare::in16(kPort + 2) == 0x0202, "inw");
  bare::expect(bare::in32(kPort + 4) == 0x5a5a0404, "inl");
  bare::out8(kPort + 1, 0x11);
  bare::out16(kPort + 2, 0x2222);
  bare::out32(kPort + 4, 0x44444444);
  bare::expect(bare::at<std::uint8_t>(kProbe + 3) == 0x03, "8-bit load");
  bare::expect(bare::at<std::uint16_t>(kProbe + 4) == 0x0204, "16-bit load");
  bare::expect(bare::at<std::uint32_t>(kProbe + 8) == 0x5a5a0408, "32-bit load");
  bare::expect(bare::at<std::uint64_t>(kProbe + 16) == 0x5a5a5a5a5a5a0810, "64-bit load");
  bare::at<std::uint64_t>(kProbe + 16) = 0x8877665544332211;

  // Strings count up in the device.
  bare::in_string16(kPort + 8, words, 256);
  for (unsigned i = 0; i < 256; ++i)
    bare::expect(words[i] == 0x1000 + i, "rep insw in order");
  bare::in_string8(kPort + 8, bytes, 300);
  for (unsigned i = 0; i < 300; ++i)
    bare::expect(bytes[i] == static_cast<std::uint8_t>(i), "rep insb in order");
  bare::in_string32(kPort + 8, longs, 64);
  for (unsigned i = 0; i < 64; ++i)
    bare::expect(longs[i] == 0x1000 + i, "rep insl in order");
  bare::out_string16(kPort + 10, words, 256);
  bare::out_string8(kPort + 10, bytes, 300);
  bare::out_string32(kPort + 10, longs, 64);
  // A port without a device.
  bare::expect(bare::in16(0x9000) == 0xffff, "nobody answers with ones");
}
