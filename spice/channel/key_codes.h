// From the bytes of scancode set 1, as clients send them, to keys.
#pragma once

#include <cstdint>
#include <optional>

#include "core/ports/input.h"

namespace spice::channel {

class ScancodeReader {
 public:
  struct KeyEvent {
    core::KeyCode code = 0;
    bool down = false;
    bool operator==(const KeyEvent&) const = default;
  };

  // A key event when the byte completes one. A sequence may be spread over messages.
  std::optional<KeyEvent> feed(std::uint8_t byte);

 private:
  enum class State : std::uint8_t { Start, Extended, Pause, PauseSecond };
  State state_ = State::Start;
};

}  // namespace spice::channel
