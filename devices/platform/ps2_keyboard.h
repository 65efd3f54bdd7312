// A 102-key PS/2 keyboard with scan code sets 1, 2 and 3. [IBM PS/2 HITR, Keyboard (101- and 102-Key)] It sends what
// its set says; the controller translates.
//
// No repeats are made here: as with QEMU, whoever presses the keys (the client's window system) repeats them, and the
// typematic rate is stored only. Keys that find no room are dropped whole: presses first, so that a release that
// matters always fits. Missing: the shift codes that real keyboards put around cursor keys while Num Lock is on.
#pragma once

#include <array>
#include <functional>
#include <span>

#include "core/ports/input.h"
#include "devices/platform/ps2_abi.h"
#include "devices/platform/ps2_queue.h"

namespace devices::platform {

// Belongs to one I8042, whose lock guards it.
class Ps2Keyboard {
 public:
  void power_on();
  // A byte from the host.
  void receive(std::uint8_t byte);
  void key(core::KeyCode code, bool down);
  bool has_output() const { return !state_.replies.empty() || !state_.keys.empty(); }
  std::uint8_t take_output();

  std::uint8_t leds() const { return state_.leds; }
  void set_led_listener(std::function<void(std::uint8_t)> listener) { led_listener_ = std::move(listener); }

  void visit(core::StateVisitor& v) { state_.visit(v); }
  void sanitise();  // after a load

 private:
  enum class Expects : std::uint8_t { Command, Leds, Rate, ScanCodeSet, TypematicKey, MakeBreakKey, MakeKey };
  // How a Print Screen that is down was sent: its release has to match.
  enum class PrintForm : std::uint8_t { Full, Short, SysRq };

  struct State {
    std::uint8_t scan_code_set = 2;
    bool scanning = true;
    std::uint8_t leds = 0;
    std::uint8_t rate = ps2_abi::keyboard::kDefaultRate;
    Expects expects = Expects::Command;
    std::uint8_t last_sent = 0;
    PrintForm print_form = PrintForm::Full;
    Ps2Queue<std::uint8_t, 8> replies;
    Ps2Queue<std::uint8_t, 256> keys;
    std::array<std::uint8_t, 32> down{};             // keys whose press was sent: a bit each, E0 keys in the upper half
    std::array<std::uint8_t, 32> set3_no_release{};  // set 3 codes that send no release: a bit each
    State();
    void visit(core::StateVisitor& v);
  };

  // The bytes of one key event.
  struct Sequence {
    std::array<std::uint8_t, 8> bytes{};
    std::size_t size = 0;
    void add(std::uint8_t byte) { bytes[size++] = byte; }
  };

  bool is_down(core::KeyCode code) const;
  void set_down(core::KeyCode code, bool down);
  bool ctrl_is_down() const { return is_down(0x1d) || is_down(0xe01d); }
  bool alt_is_down() const { return is_down(0x38) || is_down(0xe038); }
  bool shift_is_down() const { return is_down(0x2a) || is_down(0x36); }

  void add_code(Sequence& sequence, core::KeyCode code, bool down) const;
  Sequence print_screen(bool down);
  Sequence pause(bool down) const;
  void send(const Sequence& sequence, bool down);

  void reply(std::uint8_t byte) { state_.replies.push(byte); }
  void command(std::uint8_t byte);
  void option(Expects what, std::uint8_t byte);
  void choose_set(std::uint8_t byte);
  void restore_defaults(bool scanning);
  void set_leds(std::uint8_t leds);
  void set_release(std::uint8_t set3, bool sends_release);

  State state_;
  std::function<void(std::uint8_t)> led_listener_;
};

}  // namespace devices::platform
