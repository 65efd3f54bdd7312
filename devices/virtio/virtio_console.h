// virtio-serial: a console and any number of named ports, each with a stream to the host. [virtio 1.2, 5.3]
//
// Port 0 is a console or, if there is none, not there, so that named ports start at 1 as guests' tools expect. What the
// guest sends waits in its buffers while the host end has no room; what the host sends waits at the host end until the
// guest has opened the port and given it buffers.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/event/guest_clock.h"
#include "core/ports/char_stream.h"
#include "devices/virtio/virtio_device.h"

namespace devices::virtio {

class VirtioConsole final : public VirtioDevice {
 public:
  struct PortConfig {
    std::string name;  // empty: a console
    core::CharStream* stream = nullptr;
  };
  static constexpr unsigned kMaxPorts = 31;  // beside port 0, as QEMU has them

  // At most one console and kMaxPorts named ports.
  VirtioConsole(std::vector<PortConfig> ports, core::GuestClock& clock);
  ~VirtioConsole() override;

  std::uint16_t type() const override;
  std::string_view name() const override { return "virtio-serial"; }
  std::uint32_t class_code() const override { return 0x078000; }
  std::uint64_t features() const override;
  std::vector<std::uint16_t> queue_sizes() const override;
  std::vector<std::uint8_t> config() const override;
  void write_config(std::uint64_t offset, std::span<const std::uint8_t> bytes) override;
  void queue_notified(unsigned queue) override;
  void set_running(bool running) override;
  void reset() override;
  void visit(core::StateVisitor& visitor) override;
  core::Result<> state_loaded() override;

 private:
  class Port;
  // A control message for the driver, which waits for a buffer to go into.
  struct Pending {
    std::uint32_t port = 0;
    std::uint16_t event = 0;
    std::uint16_t value = 0;
    void visit(core::StateVisitor& visitor);
  };

  void attached() override;
  Port* port_at(std::uint32_t number) const;
  Port* port_of_queue(unsigned queue) const;
  bool has_ports() const;  // the driver knows more than one console

  void take_control_messages();
  void handle_control(std::uint32_t number, std::uint16_t event, std::uint16_t value);
  void tell(std::uint32_t port, std::uint16_t event, std::uint16_t value);
  void send_pending();
  void transmit(Port& port);
  bool transmit_chain(Port& port, const Chain& chain, std::uint64_t& budget);
  std::size_t fill(Port& port, std::span<const std::uint8_t> bytes);
  std::size_t receive(Port& port, std::span<const std::uint8_t> bytes);
  void tell_received(const Port& port);

  core::GuestClock& clock_;
  std::vector<std::unique_ptr<Port>> ports_;  // by number; port 0 may be empty
  std::vector<Pending> pending_;
  bool running_ = true;
  std::unique_ptr<core::Timer> timer_;  // goes on with what was too much for one go
};

}  // namespace devices::virtio
