// Messages over one socket. All methods on the loop's thread.
//
// Nothing is queued that need not be: a channel asks writable() before it makes its next message, and is told by
// on_writable when it may go on. What is sent all the same waits in a bounded queue; a client that lets it overflow is
// dropped.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "core/event/loop.h"
#include "spice/net/stream.h"
#include "spice/wire/coding.h"
#include "spice/wire/protocol.h"

namespace spice::net {

struct ConnectionOptions {
  wire::ChannelType channel = wire::ChannelType::Main;
  bool mini_header = true;
};

class Connection {
 public:
  // Called on the loop. on_message must not destroy the connection; it may close it.
  struct Events {
    // Every message of the table but ACK_SYNC, ACK and the probe's PONG; unknown ones are skipped. The body is valid
    // during the call.
    std::move_only_function<void(std::uint16_t type, std::span<const std::uint8_t> body)> on_message;
    // After writable() was false it is true again.
    std::move_only_function<void()> on_writable;
    // Once, from the loop and never from inside a call of ours, whoever closed it. May destroy the connection.
    std::move_only_function<void(const std::string& reason)> on_closed;
  };

  Connection(core::Loop& loop, Stream stream, const ConnectionOptions& options, Events events);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  void start();  // begins reading; nothing is called before
  // Sends SET_ACK: the window counts from here on.
  void start_acks(std::uint32_t window);
  // Measures the round trip when the channel has become idle, and again after each interval.
  void start_latency_probe(std::chrono::nanoseconds interval);
  // Whether the channel waits for an answer of its own kind: a peer silent meanwhile is given up after 30 s.
  void expect_answer(bool is_expected);

  template <class M>
  void send(const M& message) {
    send_encoded(M::kType, wire::encode(message));
  }
  // Whether what the peer sends waits in its line, messages that are here already included. A peer that has to wait is
  // not given up for its silence.
  void hold_input(bool holds);

  void send_encoded(std::uint16_t type, wire::Gather body);

  // Whether a message sent now goes out at once: window open, nothing queued.
  bool writable() const;
  // The serial that the next message gets. The first is 1.
  std::uint64_t next_serial() const;
  std::optional<std::chrono::nanoseconds> round_trip() const;
  std::uint64_t unknown_messages() const;  // skipped

  bool is_open() const;
  // Idempotent. `reason` is for the log: "protocol violation: ..." and the like.
  void close(const std::string& reason);

  const Endpoint& local() const;
  const Endpoint& remote() const;
  bool encrypted() const;

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace spice::net
