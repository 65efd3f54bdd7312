#include "devices/platform/ps2_keyboard.h"

#include <algorithm>
#include <utility>

#include "core/base/bits.h"
#include "devices/platform/ps2_keymap.h"

namespace devices::platform {

using namespace ps2_abi::keyboard;
using ps2_abi::kAck;
using ps2_abi::kResend;
using ps2_abi::kReset;
using ps2_abi::kSelfTestPassed;

namespace {

constexpr core::KeyCode kPrintScreenKey = 0xe037;
constexpr core::KeyCode kBreakKey = 0xe046;  // Ctrl+Pause; what clients without E1h send for Pause
constexpr core::KeyCode kFakeLeftShift = 0xe02a;
constexpr core::KeyCode kFakeRightShift = 0xe036;
constexpr std::uint8_t kSysRq = 0x54;  // set 1
constexpr std::uint8_t kLeds = core::kScrollLed | core::kNumLed | core::kCapsLed;

// Presses leave this much room, so that the keys already down can all be released.
constexpr std::size_t kRoomForReleases = 64;

// Keys that send a release in set 3 after power-on: the shifts, left Ctrl and Alt, Caps Lock. [HITR, Set 3 default]
constexpr std::uint8_t kSet3Releasing[] = {0x11, 0x12, 0x14, 0x19, 0x59};

bool test(const std::array<std::uint8_t, 32>& bits, unsigned index) {
  return core::bit(bits[index / 8], index % 8);
}

void assign(std::array<std::uint8_t, 32>& bits, unsigned index, bool on) {
  bits[index / 8] = core::with_bit(bits[index / 8], index % 8, on);
}

// E0 keys follow the plain ones.
unsigned down_index(core::KeyCode code) {
  return (code & 0x7fU) | (code >> 8 == kExtended ? 0x80U : 0U);
}

bool is_known(core::KeyCode code) {
  if (code == core::kPauseKey) return true;
  if (code == kFakeLeftShift || code == kFakeRightShift) return false;  // the keyboard adds these itself
  const auto prefix = code >> 8;
  return (prefix == 0 || prefix == kExtended) && (code & 0x80) == 0 && set2_code(code & 0x7f) != 0;
}

}  // namespace

Ps2Keyboard::State::State() {
  set3_no_release.fill(0xff);
  for (const auto code : kSet3Releasing)
    assign(set3_no_release, code, false);
}

void Ps2Keyboard::State::visit(core::StateVisitor& v) {
  v.field("scan_code_set", scan_code_set);
  v.field("scanning", scanning);
  v.field("leds", leds);
  v.field("rate", rate);
  v.field("expects", expects);
  v.field("last_sent", last_sent);
  v.field("print_form", print_form);
  v.field("replies", replies);
  v.field("keys", keys);
  v.field("down", down);
  v.field("set3_no_release", set3_no_release);
}

void Ps2Keyboard::power_on() {
  set_leds(0);
  state_ = {};
}

void Ps2Keyboard::sanitise() {
  if (state_.scan_code_set < 1 || state_.scan_code_set > 3) state_.scan_code_set = 2;
  if (state_.expects > Expects::MakeKey) state_.expects = Expects::Command;
  if (state_.print_form > PrintForm::SysRq) state_.print_form = PrintForm::Full;
  state_.replies.sanitise();
  state_.keys.sanitise();
  state_.leds &= kLeds;
  if (led_listener_) led_listener_(state_.leds);
}

std::uint8_t Ps2Keyboard::take_output() {
  state_.last_sent = state_.replies.empty() ? state_.keys.pop() : state_.replies.pop();
  return state_.last_sent;
}

// ---- keys

bool Ps2Keyboard::is_down(core::KeyCode code) const {
  return test(state_.down, down_index(code));
}

void Ps2Keyboard::set_down(core::KeyCode code, bool down) {
  assign(state_.down, down_index(code), down);
}

void Ps2Keyboard::key(core::KeyCode code, bool down) {
  if (!is_known(code) || !state_.scanning) {
    if (!down && is_known(code)) set_down(code, false);
    return;
  }
  if (code == core::kPauseKey || code == kBreakKey) {
    if (down) send(pause(down), down);
    return;
  }
  if (!down && !is_down(code)) return;  // its press was not sent
  Sequence sequence;
  if (code == kPrintScreenKey && state_.scan_code_set != 3) {
    sequence = print_screen(down);
  } else {
    add_code(sequence, code, down);
  }
  if (down && state_.keys.room() < sequence.size + kRoomForReleases) return;
  set_down(code, down);
  send(sequence, down);
}

void Ps2Keyboard::send(const Sequence& sequence, bool down) {
  if (state_.keys.room() < sequence.size + (down ? kRoomForReleases : 0)) return;
  for (std::size_t i = 0; i < sequence.size; ++i)
    state_.keys.push(sequence.bytes[i]);
}

// One code of the current set.
void Ps2Keyboard::add_code(Sequence& sequence, core::KeyCode code, bool down) const {
  const auto set1 = static_cast<std::uint8_t>(code & 0x7f);
  if (state_.scan_code_set == 3) {
    const auto set3 = set3_code(code);
    if (set3 == 0 || (!down && test(state_.set3_no_release, set3))) return;
    if (!down) sequence.add(kBreak);
    sequence.add(set3);
    return;
  }
  if (code >> 8 == kExtended) sequence.add(kExtended);
  if (state_.scan_code_set == 1) {
    sequence.add(down ? set1 : set1 | kSet1Release);
  } else {
    if (!down) sequence.add(kBreak);
    sequence.add(set2_code(set1));
  }
}

// Print Screen comes with a shift of its own, bare with Ctrl or Shift, and as SysRq with Alt. [HITR, Scan Code Set 2]
Ps2Keyboard::Sequence Ps2Keyboard::print_screen(bool down) {
  if (down && !is_down(kPrintScreenKey)) {
    state_.print_form = alt_is_down()                       ? PrintForm::SysRq
                        : ctrl_is_down() || shift_is_down() ? PrintForm::Short
                                                            : PrintForm::Full;
  }
  Sequence sequence;
  if (state_.print_form == PrintForm::SysRq) {
    add_code(sequence, kSysRq, down);
    return sequence;
  }
  const bool full = state_.print_form == PrintForm::Full;
  if (full && down) add_code(sequence, kFakeLeftShift, true);
  add_code(sequence, kPrintScreenKey, down);
  if (full && !down) add_code(sequence, kFakeLeftShift, false);
  return sequence;
}

// Pause sends press and release at once, and Break with Ctrl. [HITR, Scan Code Set 2]
Ps2Keyboard::Sequence Ps2Keyboard::pause(bool down) const {
  Sequence sequence;
  if (state_.scan_code_set == 3) {
    add_code(sequence, core::kPauseKey, down);
  } else if (ctrl_is_down()) {
    add_code(sequence, kBreakKey, true);
    add_code(sequence, kBreakKey, false);
  } else {
    for (const bool press : {true, false}) {
      sequence.add(kExtended1);
      add_code(sequence, 0x1d, press);
      add_code(sequence, 0x45, press);
    }
  }
  return sequence;
}

// ---- commands

// A byte from the host ends whatever was being answered.
void Ps2Keyboard::receive(std::uint8_t byte) {
  state_.replies.clear();
  const auto expects = std::exchange(state_.expects, Expects::Command);
  if (expects != Expects::Command && byte < kSetLeds) {
    option(expects, byte);
  } else {
    command(byte);
  }
}

void Ps2Keyboard::command(std::uint8_t byte) {
  const auto expect = [this](Expects what) { state_.expects = what; };
  switch (byte) {
    case kEcho: reply(kEcho); return;
    case kResend: reply(state_.last_sent); return;
    case kSetLeds: expect(Expects::Leds); break;
    case kSetRate: expect(Expects::Rate); break;
    case kScanCodeSet: expect(Expects::ScanCodeSet); break;
    case kKeyTypematic: expect(Expects::TypematicKey); break;
    case kKeyMakeBreak: expect(Expects::MakeBreakKey); break;
    case kKeyMake: expect(Expects::MakeKey); break;
    case kEnable:
      state_.keys.clear();
      state_.scanning = true;
      break;
    case kDisable: restore_defaults(false); break;
    case kDefaults:
    case kReset: restore_defaults(true); break;
    case kAllTypematic:
    case kAllMake: state_.set3_no_release.fill(0xff); break;
    case kAllMakeBreak:
    case kAllTypematicMakeBreak: state_.set3_no_release.fill(0); break;
    case kReadId: break;
    default: reply(kResend); return;
  }
  reply(kAck);
  if (byte == kReset) reply(kSelfTestPassed);
  if (byte == kReadId) {
    for (const auto id : kId)
      reply(id);
  }
}

void Ps2Keyboard::option(Expects what, std::uint8_t byte) {
  switch (what) {
    case Expects::Leds: set_leds(byte & kLeds); break;
    case Expects::Rate: state_.rate = byte & 0x7f; break;
    case Expects::ScanCodeSet: choose_set(byte); return;
    case Expects::TypematicKey:
    case Expects::MakeKey:
    case Expects::MakeBreakKey:
      set_release(byte, what == Expects::MakeBreakKey);
      state_.expects = what;  // more keys may follow, up to the next command
      break;
    case Expects::Command: break;
  }
  reply(kAck);
}

void Ps2Keyboard::choose_set(std::uint8_t byte) {
  if (byte > 3) {
    reply(kResend);
    return;
  }
  reply(kAck);
  if (byte == 0) {
    reply(state_.scan_code_set);
  } else {
    state_.scan_code_set = byte;
    state_.keys.clear();
  }
}

// Which keys are down stays: their releases are yet to come.
void Ps2Keyboard::restore_defaults(bool scanning) {
  set_leds(0);
  const auto down = state_.down;
  const auto last_sent = state_.last_sent;
  state_ = {};
  state_.down = down;
  state_.last_sent = last_sent;
  state_.scanning = scanning;
}

void Ps2Keyboard::set_leds(std::uint8_t leds) {
  if (leds == std::exchange(state_.leds, leds)) return;
  if (led_listener_) led_listener_(leds);
}

void Ps2Keyboard::set_release(std::uint8_t set3, bool sends_release) {
  assign(state_.set3_no_release, set3, !sends_release);
}

}  // namespace devices::platform
