#include "devices/qxl/vga_timing.h"

#include "core/base/bits.h"

namespace devices::qxl {

using namespace abi;

namespace {
constexpr std::uint64_t kDotsPerSecond[] = {25'175'000, 28'322'000};
constexpr std::uint64_t kSecondNs = 1'000'000'000;
// 720x400 at 70 Hz.
constexpr VgaTiming kTextTiming{.line_ns = 31'777, .shown_ns = 25'422, .lines = 449, .shown_lines = 400};
}  // namespace

VgaTiming vga_timing(const std::array<std::uint8_t, kCrtCount>& crtc, std::uint8_t clocking, std::uint8_t misc) {
  const auto overflow = crtc[kCrtOverflow];
  const auto overflow_bits = [overflow](unsigned bit8, unsigned bit9) {
    return std::uint32_t{core::bit(overflow, bit8)} << 8 | std::uint32_t{core::bit(overflow, bit9)} << 9;
  };
  const std::uint32_t characters = crtc[kCrtHorizontalTotal] + 5u;
  const std::uint32_t shown_characters = crtc[kCrtHorizontalEnd] + 1u;
  const std::uint32_t lines = (crtc[kCrtVerticalTotal] | overflow_bits(0, 5)) + 2;
  const std::uint32_t shown_lines = (crtc[kCrtVerticalEnd] | overflow_bits(1, 6)) + 1;
  if (shown_characters >= characters || shown_lines >= lines || shown_lines < 2) return kTextTiming;
  std::uint64_t dots = (clocking & kClockingEightDots) != 0 ? 8 : 9;
  if ((clocking & kClockingHalf) != 0) dots *= 2;
  const auto character_ns = [&](std::uint64_t count) {
    return count * dots * kSecondNs / kDotsPerSecond[(misc >> kMiscClockShift) & 1];
  };
  return {.line_ns = character_ns(characters),
          .shown_ns = character_ns(shown_characters),
          .lines = lines,
          .shown_lines = shown_lines};
}

std::uint8_t input_status(const VgaTiming& timing, core::GuestTime now) {
  const auto in_frame = static_cast<std::uint64_t>(now.count()) % (timing.line_ns * timing.lines);
  if (in_frame / timing.line_ns >= timing.shown_lines) return kStatusRetrace | kStatusDisplayOff;
  return in_frame % timing.line_ns >= timing.shown_ns ? kStatusDisplayOff : std::uint8_t{0};
}

}  // namespace devices::qxl
