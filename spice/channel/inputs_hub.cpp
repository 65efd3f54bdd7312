#include "spice/channel/inputs_hub.h"

#include <utility>

namespace spice::channel {

namespace {
LockSync::Time steady_time() {
  return std::chrono::steady_clock::now().time_since_epoch();
}
}  // namespace

InputsHub::InputsHub(core::Loop& loop, core::KeyboardSink& keyboard, Pointer& pointer,
                     std::function<LockSync::Time()> now)
    : loop_(loop),
      keyboard_(keyboard),
      pointer_(pointer),
      now_(now ? std::move(now) : steady_time),
      lights_(keyboard.leds()),
      settle_timer_(loop, [this] { broadcast_lights(); }),
      lights_changed_(std::make_shared<core::Signal>(loop, [this] { look_at_lights(); })) {
  // On a vCPU thread; the lights themselves are read where nobody holds the keyboard's lock.
  keyboard_.set_led_listener([signal = lights_changed_](std::uint8_t) { signal->ring(); });
}

InputsHub::~InputsHub() {
  keyboard_.set_led_listener(nullptr);
}

void InputsHub::accept(LinkedConnection connection) {
  SharedInputs& shared = *this;
  channels_.add(std::make_unique<InputsChannel>(loop_, std::move(connection), shared));
}

void InputsHub::look_at_lights() {
  lights_ = keyboard_.leds();
  lock_sync_.lights_changed(lights_);
  broadcast_lights();
}

void InputsHub::broadcast_lights() {
  channels_.for_each([](InputsChannel& channel) { channel.push_lights(); });
}

// When the guest has had time to change its lights, clients learn what became of it.
void InputsHub::lock_keys_typed(std::uint8_t keys) {
  lock_sync_.typed(keys, lights_, now());
  settle_timer_.arm(LockSync::kSettle);
}

void InputsHub::lights_wanted(std::uint8_t wanted, std::uint8_t held) {
  const auto keys = lock_sync_.to_type(wanted, lights_, held, now());
  for (const auto& key : LockSync::kLockKeys) {
    if ((keys & key.light) == 0) continue;
    keyboard_.key(key.code, true);
    keyboard_.key(key.code, false);
  }
  if (keys != 0) lock_keys_typed(keys);
}

}  // namespace spice::channel
