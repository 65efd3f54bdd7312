#include "spice/channel/inputs_channel.h"

#include <algorithm>
#include <array>

#include "spice/channel/lock_sync.h"

namespace spice::channel {

namespace {

// A single motion is no longer than this; keeps sums in devices far from overflow.
constexpr std::int32_t kLongestMotion = 0x7fff;

std::uint8_t to_buttons(std::uint16_t wire_buttons) {
  struct Pair {
    std::uint16_t wire;
    std::uint8_t button;
  };
  // The wheel is no button that is held.
  constexpr std::array<Pair, 5> kPairs{{{wire::kLeftBit, core::kLeftButton},
                                        {wire::kMiddleBit, core::kMiddleButton},
                                        {wire::kRightBit, core::kRightButton},
                                        {wire::kSideBit, core::kSideButton},
                                        {wire::kExtraBit, core::kExtraButton}}};
  std::uint8_t buttons = 0;
  for (const auto& pair : kPairs)
    if ((wire_buttons & pair.wire) != 0) buttons |= pair.button;
  return buttons;
}

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
  if (held_buttons_ != 0) shared_.mouse().move(0, 0, 0, 0);
}

void InputsChannel::push_lights(std::uint8_t lights) {
  send(wire::InputsKeyModifiers{lights});
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
  move(std::clamp(message.dx, -kLongestMotion, kLongestMotion), std::clamp(message.dy, -kLongestMotion, kLongestMotion),
       0, message.buttons);
  count_motion();
}

// Positions belong to client mode, which needs a tablet; until there is one they are only acknowledged.
void InputsChannel::position(const wire::InputsMousePosition&) {
  count_motion();
}

void InputsChannel::press(const wire::InputsMousePress& message) {
  std::int32_t dz = 0;
  if (message.button == wire::Button::WheelUp) dz = -1;
  if (message.button == wire::Button::WheelDown) dz = 1;
  move(0, 0, dz, static_cast<std::uint16_t>(message.buttons | bit_of(message.button)));
}

void InputsChannel::release(const wire::InputsMouseRelease& message) {
  move(0, 0, 0, static_cast<std::uint16_t>(message.buttons & ~bit_of(message.button)));
}

void InputsChannel::move(std::int32_t dx, std::int32_t dy, std::int32_t dz, std::uint16_t wire_buttons) {
  if (session().view_only) return;
  held_buttons_ = to_buttons(wire_buttons);
  shared_.mouse().move(dx, dy, dz, held_buttons_);
}

void InputsChannel::count_motion() {
  if (++motions_ < wire::kMotionAckBunch) return;
  motions_ = 0;
  send(wire::InputsMotionAck{});
}

}  // namespace spice::channel
