// Keeps a client's idea of the lock keys and the guest's lights together. The guest lights up some time after a lock
// key was typed; within 2 s of that we go by what the lights will be, so that a key is not typed twice. All masks are
// core::KeyLed bits, which are also the wire's.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>

#include "core/ports/input.h"

namespace spice::channel {

class LockSync {
 public:
  using Time = std::chrono::nanoseconds;  // of a steady clock
  static constexpr Time kSettle = std::chrono::seconds(2);

  struct LockKey {
    core::KeyCode code;
    std::uint8_t light;
  };
  static constexpr std::array<LockKey, 3> kLockKeys{
      {{0x46, core::kScrollLed}, {0x45, core::kNumLed}, {0x3a, core::kCapsLed}}};
  // 0 for other keys.
  static std::uint8_t light_of(core::KeyCode code);

  // The client wants these lights: which lock keys to type. Those in `held` are left alone.
  std::uint8_t to_type(std::uint8_t wanted, std::uint8_t lights, std::uint8_t held, Time now);
  // Lock keys went down, by to_type's advice or by the client's hand.
  void typed(std::uint8_t keys, std::uint8_t lights, Time now);
  // The guest changed its lights.
  void lights_changed(std::uint8_t lights);

 private:
  std::uint8_t expected_ = 0;
  Time settled_at_{};
};

}  // namespace spice::channel
