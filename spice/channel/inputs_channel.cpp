#include "spice/channel/inputs_channel.h"

#include <algorithm>
#include <array>

#include "spice/channel/lock_sync.h"

namespace spice::channel {

namespace {

std::uint16_t bit_of(wire::Button button) {
  const auto number = static_cast<unsigned>(button);
  constexpr unsigned kButtons = 7;
  return number == 0 || number > kButtons ? std::uint16_t{0} : static_cast<std::uint16_t>(1U << (number - 1));
}

}  // namespace

InputsChannel::InputsChannel(core::Loop& loop, LinkedConnection linked, SharedInputs& shared)
    : Channel(loop, std::move(linked)), shared_(shared) {}

std::span<const Channel::Handler> InputsChannel::handlers() const {
  static constexpr std::array kHandlers{on<&InputsChannel::key_down>,     on<&InputsChannel::key_up>,
                                        on<&InputsChannel::key_scancode>, on<&InputsChannel::key_modifiers>,
                                        on<&InputsChannel::motion>,       on<&InputsChannel::position>,
                                        on<&InputsChannel::press>,        on<&InputsChannel::release>};
  return kHandlers;
}

void InputsChannel::on_start() {
  send(wire::InputsInit{shared_.lights()});
}

// Nobody is left to let go of what this client held.
void InputsChannel::on_closed() {
  for (const auto code : held_keys_)
    shared_.keyboard().key(code, false);
  if (held_buttons_ != 0) shared_.pointer().press(0, 0);
}

void InputsChannel::push_lights() {
  lights_are_news_ = true;
  tell_lights();
}

// Lights that come and go while the client takes nothing are not queued for it.
void InputsChannel::tell_lights() {
  if (!lights_are_news_ || !writable()) return;
  lights_are_news_ = false;
  send(wire::InputsKeyModifiers{shared_.lights()});
}

// The release bit is in the scancodes, so both messages are the same bytes to us.
void InputsChannel::key_down(const wire::InputsKeyDown& message) {
  type(message.code);
}

void InputsChannel::key_up(const wire::InputsKeyUp& message) {
  type(message.code);
}

void InputsChannel::key_scancode(const wire::InputsKeyScancode& message) {
  for (const auto byte : message.scancodes.bytes())
    scan(byte);
}

void InputsChannel::type(std::uint32_t code) {
  for (; (code & 0xff) != 0; code >>= 8)
    scan(static_cast<std::uint8_t>(code));
}

void InputsChannel::scan(std::uint8_t byte) {
  const auto event = reader_.feed(byte);
  if (!event || session().view_only) return;
  // A repeated press is the client's auto-repeat and toggles nothing.
  const bool fresh = event->down ? held_keys_.insert(event->code).second : held_keys_.erase(event->code) > 0;
  if (event->down) {
    const auto now = shared_.now();
    if (!fresh && !repeat_.passes(now)) return;
    repeat_.pressed(now);
  }
  if (const auto light = LockSync::light_of(event->code); light != 0 && event->down && fresh) {
    shared_.lock_keys_typed(light);
  }
  shared_.keyboard().key(event->code, event->down);
}

void InputsChannel::key_modifiers(const wire::InputsClientKeyModifiers& message) {
  if (session().view_only) return;
  std::uint8_t held = 0;
  for (const auto& key : LockSync::kLockKeys)
    if (held_keys_.contains(key.code)) held |= key.light;
  shared_.lights_wanted(static_cast<std::uint8_t>(message.modifiers), held);
}

void InputsChannel::motion(const wire::InputsMouseMotion& message) {
  if (!session().view_only && shared_.pointer().move(message.dx, message.dy, message.buttons))
    held_buttons_ = message.buttons;
  count_motion();
}

void InputsChannel::position(const wire::InputsMousePosition& message) {
  if (!session().view_only && shared_.pointer().place(message.x, message.y, message.buttons, message.display))
    held_buttons_ = message.buttons;
  count_motion();
}

void InputsChannel::press(const wire::InputsMousePress& message) {
  if (session().view_only) return;
  std::int32_t wheel_steps = 0;
  if (message.button == wire::Button::WheelUp) wheel_steps = -1;
  if (message.button == wire::Button::WheelDown) wheel_steps = 1;
  held_buttons_ = message.buttons | bit_of(message.button);
  shared_.pointer().press(wheel_steps, held_buttons_);
}

void InputsChannel::release(const wire::InputsMouseRelease& message) {
  if (session().view_only) return;
  held_buttons_ = static_cast<std::uint16_t>(message.buttons & ~bit_of(message.button));
  shared_.pointer().press(0, held_buttons_);
}

void InputsChannel::count_motion() {
  if (++motions_ < wire::kMotionAckBunch) return;
  motions_ = 0;
  send(wire::InputsMotionAck{});
}

}  // namespace spice::channel
