#include "spice/channel/key_codes.h"

namespace spice::channel {

namespace {
constexpr std::uint8_t kExtendedPrefix = 0xe0;
constexpr std::uint8_t kPausePrefix = 0xe1;
constexpr std::uint8_t kReleased = 0x80;
}  // namespace

std::optional<ScancodeReader::KeyEvent> ScancodeReader::feed(std::uint8_t byte) {
  const bool down = (byte & kReleased) == 0;
  const auto key = static_cast<core::KeyCode>(byte & ~kReleased);
  switch (state_) {
    case State::Pause:  // E1 1D 45, then E1 9D C5
      state_ = State::PauseSecond;
      return std::nullopt;
    case State::PauseSecond: state_ = State::Start; return KeyEvent{core::kPauseKey, down};
    case State::Extended:
      state_ = State::Start;
      if (key == 0) return std::nullopt;
      return KeyEvent{static_cast<core::KeyCode>(kExtendedPrefix << 8 | key), down};
    case State::Start: break;
  }
  if (byte == kExtendedPrefix) {
    state_ = State::Extended;
  } else if (byte == kPausePrefix) {
    state_ = State::Pause;
  } else if (key != 0) {
    return KeyEvent{key, down};
  }
  return std::nullopt;
}

}  // namespace spice::channel
