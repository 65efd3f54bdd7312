#include "spice/channel/lock_sync.h"

#include <algorithm>

namespace spice::channel {

namespace {
constexpr std::uint8_t kAllLights = core::kScrollLed | core::kNumLed | core::kCapsLed;
}

std::uint8_t LockSync::light_of(core::KeyCode code) {
  const auto* key = std::ranges::find(kLockKeys, code, &LockKey::code);
  return key == kLockKeys.end() ? std::uint8_t{0} : key->light;
}

std::uint8_t LockSync::to_type(std::uint8_t wanted, std::uint8_t lights, std::uint8_t held, Time now) {
  const auto present = now < settled_at_ ? expected_ : lights;
  return static_cast<std::uint8_t>((wanted ^ present) & ~held & kAllLights);
}

void LockSync::typed(std::uint8_t keys, std::uint8_t lights, Time now) {
  const auto present = now < settled_at_ ? expected_ : lights;
  expected_ = present ^ keys;
  settled_at_ = now + kSettle;
}

void LockSync::lights_changed(std::uint8_t lights) {
  if (lights == expected_) settled_at_ = Time::zero();
}

}  // namespace spice::channel
