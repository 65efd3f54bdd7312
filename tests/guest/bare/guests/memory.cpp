// Memory that moves, memory that cannot be written, memory whose writes are seen.
#include "tests/guest/bare/bare.h"

namespace {

// Orders to the device at port 600h.
constexpr std::uint16_t kOrder = 0x600;
constexpr std::uint32_t kMapLow = 1;
constexpr std::uint32_t kMapHigh = 2;
constexpr std::uint32_t kUnmap = 3;
constexpr std::uint32_t kReadOnly = 4;
constexpr std::uint32_t kCheckDirty = 5;
constexpr std::uint32_t kMoveDirty = 6;

constexpr std::uintptr_t kLow = 0xe0000000;
constexpr std::uintptr_t kHigh = 0xe8000000;
constexpr std::uint32_t kMark = 0x600dcafe;

volatile std::uint32_t& word(std::uintptr_t address) {
  return bare::at<std::uint32_t>(address);
}

}  // namespace

void guest_main() {
  bare::expect(word(kLow) == ~0u, "nothing is mapped");
  for (unsigned round = 0; round < 20; ++round) {
    bare::out32(kOrder, kMapLow);
    word(kLow + 0x2000) = kMark + round;
    bare::expect(word(kHigh + 0x2000) == ~0u, "not there yet");
    bare::out32(kOrder, kMapHigh);
    bare::expect(word(kHigh + 0x2000) == kMark + round, "what was written moved along");
    bare::expect(word(kLow + 0x2000) == ~0u, "not there any more");
  }
  bare::out32(kOrder, kReadOnly);
  word(kHigh + 0x2000) = 1;
  bare::expect(word(kHigh + 0x2000) == kMark + 19, "a store to read-only memory is lost");
  bare::out32(kOrder, kUnmap);
  bare::expect(word(kHigh) == ~0u, "unmapped");

  bare::out32(kOrder, kMapLow);
  bare::out32(kOrder, kCheckDirty);  // starts over
  for (unsigned page = 0; page < 64; page += 3)
    word(kLow + page * 4096) = page;
  bare::out32(kOrder, kCheckDirty);
  word(kLow + 5 * 4096) = 1;
  bare::out32(kOrder, kMoveDirty);  // the log must not be lost with the place
  word(kHigh + 7 * 4096) = 1;
  bare::out32(kOrder, kCheckDirty);
}
