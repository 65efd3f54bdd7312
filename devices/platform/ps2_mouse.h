// A PS/2 mouse with the IntelliMouse wheel (id 3) and the five buttons of the Explorer (id 4). [IBM PS/2 HITR,
// Auxiliary Device] [Microsoft IntelliMouse]
//
// Motion that the guest is slow to fetch adds up; changes of the buttons are queued apart from it, so that no click is
// lost. The sample rate is stored and is how a guest knocks for the wheel; it paces nothing, as with QEMU.
#pragma once

#include <array>

#include "devices/platform/ps2_abi.h"
#include "devices/platform/ps2_queue.h"

namespace devices::platform {

// Belongs to one I8042, whose lock guards it.
class Ps2Mouse {
 public:
  void power_on() { state_ = {}; }
  // A byte from the host.
  void receive(std::uint8_t byte);
  // As core::MouseSink has it.
  void move(std::int32_t dx, std::int32_t dy, std::int32_t dz, std::uint8_t buttons);
  bool has_output() const { return !state_.replies.empty() || !state_.packets.empty(); }
  std::uint8_t take_output();

  void visit(core::StateVisitor& v) { state_.visit(v); }
  void sanitise();  // after a load

 private:
  enum class Expects : std::uint8_t { Command, Rate, Resolution };

  struct Packet {
    std::uint8_t size = 3;
    std::array<std::uint8_t, 4> bytes{};
    void visit(core::StateVisitor& v);
    void sanitise() { size = size == 4 ? 4 : 3; }
  };

  struct State {
    bool enabled = false;
    bool remote = false;
    bool wrap = false;
    bool scaling = false;  // 2:1
    std::uint8_t id = ps2_abi::mouse::kIdPlain;
    std::uint8_t rate = ps2_abi::mouse::kDefaultRate;
    std::uint8_t resolution = ps2_abi::mouse::kDefaultResolution;
    std::array<std::uint8_t, 3> knock{};  // the last sample rates set, latest last
    Expects expects = Expects::Command;
    std::uint8_t last_sent = 0;
    std::int32_t dx = 0;  // not yet in a packet; up is positive
    std::int32_t dy = 0;
    std::int32_t dz = 0;
    std::uint8_t buttons = 0;
    std::uint8_t reported_buttons = 0;
    std::uint8_t sent_bytes = 0;  // of the first packet
    Ps2Queue<std::uint8_t, 8> replies;
    Ps2Queue<Packet, 16> packets;
    void visit(core::StateVisitor& v);
  };

  bool reports() const { return state_.enabled && !state_.remote && !state_.wrap; }
  bool has_motion() const { return state_.dx != 0 || state_.dy != 0 || state_.dz != 0; }
  std::uint8_t visible_buttons() const;
  void report();
  Packet make_packet();
  std::int32_t scaled(std::int32_t delta) const;

  void reply(std::uint8_t byte) { state_.replies.push(byte); }
  void command(std::uint8_t byte);
  void option(Expects what, std::uint8_t byte);
  void set_rate(std::uint8_t rate);
  void restore_defaults();
  void forget_motion();
  void drop_packets();
  void reply_status();
  void reply_data();

  State state_;
};

}  // namespace devices::platform
