// The i8042 keyboard controller with its keyboard and mouse. [IBM PS/2 HITR, Keyboard and Auxiliary Device Controller]
// Bytes pass as soon as the output buffer is free; the wires have no timing. Missing: passwords, the controller's RAM
// beyond the command byte, active multiplexing (which Linux probes for and finds absent).
#pragma once

#include <functional>

#include "core/bus/address_space.h"
#include "core/bus/device.h"
#include "core/bus/irq.h"
#include "core/ports/input.h"
#include "devices/platform/i8042_abi.h"
#include "devices/platform/ps2_keyboard.h"
#include "devices/platform/ps2_mouse.h"

namespace devices::platform {

class I8042 final : public core::Device, public core::KeyboardSink, public core::MouseSink {
 public:
  struct Wiring {
    core::IrqSink& isa;                     // inputs 1 and 12
    std::function<void(bool enabled)> a20;  // on changes; on after power-on and reset; device lock held
    std::function<void()> reset;            // asks for a machine reset; device lock held: post and return
  };

  explicit I8042(Wiring wiring);

  core::Result<> attach(core::AddressSpace& io);

  // Both sinks take the lock.
  void key(core::KeyCode code, bool down) override;
  std::uint8_t leds() override;
  void set_led_listener(std::function<void(std::uint8_t)> listener) override;
  void move(std::int32_t dx, std::int32_t dy, std::int32_t dz, std::uint8_t buttons) override;

  void reset() override;
  std::string_view state_name() const override { return "i8042"; }
  unsigned state_version() const override { return 1; }
  void visit_state(core::StateVisitor& visitor) override;
  core::Result<> state_loaded() override;

 private:
  struct State {
    std::uint8_t command_byte = i8042_abi::kKeyboardInterrupt | i8042_abi::kMouseInterrupt;
    std::uint8_t output_port = i8042_abi::kOutputPowerOn;
    std::uint8_t awaits_data_for = 0;  // the command whose data byte comes next; 0: none
    bool system_flag = false;
    bool last_was_command = true;
    bool output_full = false;
    bool output_from_mouse = false;
    std::uint8_t output = 0;
    bool reply_waits = false;  // the controller's own byte, for when the output buffer is free
    bool reply_from_mouse = false;
    std::uint8_t reply = 0;
    bool translating_break = false;  // F0h came from the keyboard
    void visit(core::StateVisitor& v);
  };

  std::uint64_t read_data(std::uint64_t offset, unsigned width);
  void write_data(std::uint64_t offset, unsigned width, std::uint64_t value);
  std::uint64_t read_status(std::uint64_t offset, unsigned width);
  void write_command(std::uint64_t offset, unsigned width, std::uint64_t value);

  bool enabled(std::uint8_t disable_bit) const { return (state_.command_byte & disable_bit) == 0; }
  void set_command_bit(std::uint8_t bit, bool on);
  void query(std::uint8_t command);
  void answer(std::uint8_t byte, bool as_mouse = false);
  void set_output_port(std::uint8_t value);
  void update_a20();
  std::uint8_t output_port() const;
  bool translate(std::uint8_t& byte);
  void fill(std::uint8_t byte, bool from_mouse);
  void pump();
  void update_irq();

  Wiring wiring_;
  State state_;
  Ps2Keyboard keyboard_;
  Ps2Mouse mouse_;
  bool told_a20_ = true;
  core::IrqLine keyboard_irq_;
  core::IrqLine mouse_irq_;
  core::Handler<I8042> data_handler_{*this, &I8042::read_data, &I8042::write_data};
  core::Handler<I8042> command_handler_{*this, &I8042::read_status, &I8042::write_command};
  core::Registration data_port_;
  core::Registration command_port_;
};

}  // namespace devices::platform
