// The inputs channel of one client: keys and pointer into the guest, lock lights and motion acks back. Of a client that
// only watches nothing goes into the guest.
#pragma once

#include <cstdint>
#include <set>

#include "core/ports/input.h"
#include "spice/channel/channel.h"
#include "spice/channel/key_codes.h"
#include "spice/channel/key_repeat.h"
#include "spice/channel/pointer.h"
#include "spice/wire/inputs.h"

namespace spice::channel {

// What the inputs channels of all clients share.
class SharedInputs {
 public:
  virtual ~SharedInputs() = default;
  virtual core::KeyboardSink& keyboard() = 0;
  virtual Pointer& pointer() = 0;
  virtual std::uint8_t lights() = 0;
  virtual KeyRepeat::Time now() = 0;
  // A client typed these lock keys (KeyLed bits).
  virtual void lock_keys_typed(std::uint8_t keys) = 0;
  // A client wants these lights; it holds the lock keys `held`.
  virtual void lights_wanted(std::uint8_t wanted, std::uint8_t held) = 0;
};

class InputsChannel final : public Channel {
 public:
  InputsChannel(core::Loop& loop, LinkedConnection linked, SharedInputs& shared);

  void push_lights();

 private:
  void on_start() override;
  void on_writable() override { tell_lights(); }
  void on_closed() override;
  std::span<const Handler> handlers() const override;

  void key_down(const wire::InputsKeyDown& message);
  void key_up(const wire::InputsKeyUp& message);
  void key_scancode(const wire::InputsKeyScancode& message);
  void key_modifiers(const wire::InputsClientKeyModifiers& message);
  void motion(const wire::InputsMouseMotion& message);
  void position(const wire::InputsMousePosition& message);
  void press(const wire::InputsMousePress& message);
  void release(const wire::InputsMouseRelease& message);

  void tell_lights();
  void type(std::uint32_t code);
  void scan(std::uint8_t byte);
  void count_motion();

  SharedInputs& shared_;
  ScancodeReader reader_;
  std::set<core::KeyCode> held_keys_;
  KeyRepeat repeat_;
  std::uint16_t held_buttons_ = 0;  // wire::ButtonBit
  unsigned motions_ = 0;            // since the last ack
  bool lights_are_news_ = false;
};

}  // namespace spice::channel
