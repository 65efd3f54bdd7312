// A serial port: the 16550A as PCs have it, its line connected to a CharStream. [PC16550D]
//
// What is sent leaves at once; what is received waits in the stream while there is no room here, so that a line is
// never overrun from outside. The character timeout keeps the time of the programmed rate. Missing on purpose: line
// errors and breaks (a stream has none), the pace of sending, DMA pins. The modem at the other end is always ready.
#pragma once

#include <memory>

#include "core/bus/address_space.h"
#include "core/bus/device.h"
#include "core/bus/irq.h"
#include "core/event/guest_clock.h"
#include "core/ports/char_stream.h"

namespace devices::platform {

class Uart16550 final : public core::Device, private core::IoHandler {
 public:
  struct Config {
    std::string name = "uart0";  // unique in the machine
    std::uint16_t port = 0x3f8;
  };
  struct Wiring {
    core::GuestClock& clock;
    core::IrqLine irq;
    core::CharStream& stream;
  };

  Uart16550(Config config, Wiring wiring);
  ~Uart16550() override;  // own lock not held

  core::Result<> attach(core::AddressSpace& io);

  // Lock held. While the machine stands still nothing comes in: what a load brings would overwrite it.
  void set_running(bool running);

  void reset() override;
  std::string_view state_name() const override { return config_.name; }
  unsigned state_version() const override { return 1; }
  void visit_state(core::StateVisitor& visitor) override { state_.visit(visitor); }
  core::Result<> state_loaded() override;

 private:
  struct State {
    std::uint8_t interrupt_enable = 0;
    std::uint8_t fifo_control = 0;
    std::uint8_t line_control = 0;
    std::uint8_t modem_control = 0;
    std::uint8_t modem_status = 0;
    std::uint8_t scratch = 0;
    std::uint16_t divisor = 12;
    bool overrun = false;
    bool transmit_pending = false;       // the transmitter became empty and nobody has been told
    bool timed_out = false;              // characters waited for four character times
    std::int64_t timeout_ns = 0;         // when they will have, while there are any
    std::vector<std::uint8_t> received;  // at most kFifoBytes, oldest first
    void visit(core::StateVisitor& v);
  };

  std::uint64_t read(std::uint64_t offset, unsigned width) override;
  void write(std::uint64_t offset, unsigned width, std::uint64_t value) override;
  std::size_t receive(std::span<const std::uint8_t> bytes);  // the stream's thread, own lock not held
  void take(std::uint8_t byte);
  std::uint8_t read_received();
  std::uint8_t read_identification();
  std::uint8_t read_modem_status();
  std::uint8_t line_status() const;
  void transmit(std::uint8_t byte);
  void write_enable(std::uint8_t value);
  void write_fifo_control(std::uint8_t value);
  void write_modem_control(std::uint8_t value);

  bool fifos_enabled() const;
  bool looped() const;
  bool latch_open() const;
  std::size_t room() const;
  std::size_t trigger() const;
  std::int64_t character_time_ns() const;
  std::uint8_t modem_lines() const;
  std::uint8_t identification() const;
  void update_modem_status();
  void update_timeout();
  bool takes() const;
  void offer_room();
  void update_irq();

  Config config_;
  Wiring wiring_;
  State state_;
  bool running_ = true;
  bool refused_ = false;  // the stream holds something back until there is room
  std::unique_ptr<core::Timer> timeout_;
  core::Registration range_;
};

}  // namespace devices::platform
