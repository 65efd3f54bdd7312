// Writes that may be posted: more than any ring keeps, one to a port that is not, a few more, and then nothing that
// leaves the guest.
#include "tests/guest/bare/bare.h"

void guest_main() {
  constexpr std::uint16_t kPort = 0x600;
  constexpr std::uintptr_t kProbe = 0xd0000000;
  for (unsigned i = 0; i < 500; ++i)
    bare::at<std::uint8_t>(kProbe + i % 16) = static_cast<std::uint8_t>(i);
  bare::out8(kPort + 2, 1);
  bare::out8(kPort + 1, 1);
  for (unsigned i = 0; i < 5; ++i)
    bare::at<std::uint32_t>(kProbe + 4 * i) = i;
  for (;;)
    bare::relax();
}
