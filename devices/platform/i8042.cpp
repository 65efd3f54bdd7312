#include "devices/platform/i8042.h"

#include <utility>

#include "devices/platform/ps2_keymap.h"

namespace devices::platform {

using namespace i8042_abi;

void I8042::State::visit(core::StateVisitor& v) {
  v.field("command_byte", command_byte);
  v.field("output_port", output_port);
  v.field("awaits_data_for", awaits_data_for);
  v.field("system_flag", system_flag);
  v.field("last_was_command", last_was_command);
  v.field("output_full", output_full);
  v.field("output_from_mouse", output_from_mouse);
  v.field("output", output);
  v.field("reply_waits", reply_waits);
  v.field("reply_from_mouse", reply_from_mouse);
  v.field("reply", reply);
  v.field("translating_break", translating_break);
}

I8042::I8042(Wiring wiring)
    : wiring_(std::move(wiring)), keyboard_irq_(wiring_.isa, kKeyboardIrq), mouse_irq_(wiring_.isa, kMouseIrq) {}

core::Result<> I8042::attach(core::AddressSpace& io) {
  auto data = io.add({.start = kDataPort, .size = 1, .max_width = 1}, data_handler_, lock(), state_name());
  if (!data) return core::fail_with(state_name(), data);
  auto command = io.add({.start = kCommandPort, .size = 1, .max_width = 1}, command_handler_, lock(), state_name());
  if (!command) return core::fail_with(state_name(), command);
  data_port_ = std::move(*data);
  command_port_ = std::move(*command);
  return {};
}

void I8042::reset() {
  state_ = {};
  keyboard_.power_on();
  mouse_.power_on();
  update_a20();
  update_irq();
}

void I8042::visit_state(core::StateVisitor& visitor) {
  state_.visit(visitor);
  visitor.field("keyboard", keyboard_);
  visitor.field("mouse", mouse_);
}

core::Result<> I8042::state_loaded() {
  keyboard_.sanitise();
  mouse_.sanitise();
  update_a20();
  update_irq();
  return {};
}

// ---- the host's side

void I8042::key(core::KeyCode code, bool down) {
  const std::scoped_lock guard(lock());
  keyboard_.key(code, down);
  pump();
}

std::uint8_t I8042::leds() {
  const std::scoped_lock guard(lock());
  return keyboard_.leds();
}

void I8042::set_led_listener(std::function<void(std::uint8_t)> listener) {
  const std::scoped_lock guard(lock());
  keyboard_.set_led_listener(std::move(listener));
}

void I8042::move(std::int32_t dx, std::int32_t dy, std::int32_t dz, std::uint8_t buttons) {
  const std::scoped_lock guard(lock());
  mouse_.move(dx, dy, dz, buttons);
  pump();
}

// ---- the output buffer

// Moves the next byte into the output buffer if that is free: the controller's own first.
void I8042::pump() {
  if (!state_.output_full && std::exchange(state_.reply_waits, false)) fill(state_.reply, state_.reply_from_mouse);
  while (!state_.output_full && enabled(kKeyboardDisabled) && keyboard_.has_output()) {
    auto byte = keyboard_.take_output();
    if (translate(byte)) fill(byte, false);
  }
  if (!state_.output_full && enabled(kMouseDisabled) && mouse_.has_output()) fill(mouse_.take_output(), true);
  update_irq();
}

void I8042::fill(std::uint8_t byte, bool from_mouse) {
  state_.output = byte;
  state_.output_full = true;
  state_.output_from_mouse = from_mouse;
}

// Set 2 to set 1 while the command byte says so. False: the byte is the prefix of a release, which shows in the next
// code; an answer in between passes it by.
bool I8042::translate(std::uint8_t& byte) {
  if ((state_.command_byte & kTranslate) == 0) return true;
  if (byte == kBreakPrefix) {
    state_.translating_break = true;
    return false;
  }
  const auto code = translated(byte);
  if (code < kReleaseBit && std::exchange(state_.translating_break, false)) {
    byte = code | kReleaseBit;
  } else {
    byte = code;
  }
  return true;
}

// The keyboard's line stays down while the keyboard is disabled, even for the controller's own bytes, as with QEMU.
void I8042::update_irq() {
  const bool keyboard = state_.output_full && !state_.output_from_mouse;
  const bool mouse = state_.output_full && state_.output_from_mouse;
  keyboard_irq_.set(keyboard && (state_.command_byte & kKeyboardInterrupt) != 0 && enabled(kKeyboardDisabled));
  mouse_irq_.set(mouse && (state_.command_byte & kMouseInterrupt) != 0);
}

// An empty buffer reads as its last byte.
std::uint64_t I8042::read_data(std::uint64_t, unsigned) {
  const auto byte = state_.output;
  state_.output_full = false;
  update_irq();  // down, so that the next byte is an edge
  pump();
  return byte;
}

std::uint64_t I8042::read_status(std::uint64_t, unsigned) {
  return kUnlocked | (state_.output_full ? kOutputFull : 0U) |
         (state_.output_full && state_.output_from_mouse ? kMouseOutputFull : 0U) |
         (state_.system_flag ? kSystemFlag : 0U) | (state_.last_was_command ? kLastWasCommand : 0U);
}

void I8042::answer(std::uint8_t byte, bool as_mouse) {
  state_.reply = byte;
  state_.reply_from_mouse = as_mouse;
  state_.reply_waits = true;
}

// ---- commands

void I8042::write_command(std::uint64_t, unsigned, std::uint64_t value) {
  const auto command = static_cast<std::uint8_t>(value);
  state_.last_was_command = true;
  state_.awaits_data_for = 0;
  switch (command) {
    case kWriteCommandByte:
    case kWriteOutputPort:
    case kLoopKeyboard:
    case kLoopMouse:
    case kWriteMouse: state_.awaits_data_for = command; break;
    case kDisableMouse:
    case kEnableMouse: set_command_bit(kMouseDisabled, command == kDisableMouse); break;
    case kDisableKeyboard:
    case kEnableKeyboard: set_command_bit(kKeyboardDisabled, command == kDisableKeyboard); break;
    case kDisableA20: set_output_port(state_.output_port & static_cast<std::uint8_t>(~kA20)); break;
    case kEnableA20: set_output_port(state_.output_port | kA20); break;
    default:
      if (command >= kPulseOutput) {
        if ((command & kNoReset) == 0 && wiring_.reset) wiring_.reset();
      } else {
        query(command);
      }
      break;
  }
  pump();
}

// Commands that are answered with a byte; others are not known and stay without.
void I8042::query(std::uint8_t command) {
  switch (command) {
    case kReadCommandByte: answer(state_.command_byte); break;
    case kTestPassword: answer(kNoPassword); break;
    case kSelfTest:
      state_.system_flag = true;
      answer(kSelfTestPassed);
      break;
    case kTestMouse:
    case kTestKeyboard: answer(kLineTestPassed); break;
    case kReadInputPort: answer(kInputPort); break;
    case kReadOutputPort: answer(output_port()); break;
    default: break;
  }
}

void I8042::write_data(std::uint64_t, unsigned, std::uint64_t value) {
  const auto byte = static_cast<std::uint8_t>(value);
  state_.last_was_command = false;
  switch (std::exchange(state_.awaits_data_for, std::uint8_t{0})) {
    case kWriteCommandByte: state_.command_byte = byte; break;
    case kWriteOutputPort: set_output_port(byte); break;
    case kLoopKeyboard: answer(byte); break;
    case kLoopMouse: answer(byte, true); break;
    // A byte for a device opens its wire. [HITR, Command Byte]
    case kWriteMouse:
      set_command_bit(kMouseDisabled, false);
      mouse_.receive(byte);
      break;
    default:
      set_command_bit(kKeyboardDisabled, false);
      keyboard_.receive(byte);
      break;
  }
  pump();
}

void I8042::set_command_bit(std::uint8_t bit, bool on) {
  state_.command_byte = static_cast<std::uint8_t>(on ? state_.command_byte | bit : state_.command_byte & ~bit);
}

std::uint8_t I8042::output_port() const {
  const std::uint8_t full = state_.output_from_mouse ? kOutputMouseFull : kOutputKeyboardFull;
  const auto stored = state_.output_port & static_cast<std::uint8_t>(~(kOutputMouseFull | kOutputKeyboardFull));
  return static_cast<std::uint8_t>(stored | (state_.output_full ? full : 0));
}

void I8042::set_output_port(std::uint8_t value) {
  state_.output_port = value | kNoReset;  // the CPU's reset is a pulse; nobody sees it held
  update_a20();
  if ((value & kNoReset) == 0 && wiring_.reset) wiring_.reset();
}

void I8042::update_a20() {
  const bool enabled = (state_.output_port & kA20) != 0;
  if (enabled == std::exchange(told_a20_, enabled)) return;
  if (wiring_.a20) wiring_.a20(enabled);
}

}  // namespace devices::platform
