// A stream attached to a loop: bytes come in, pieces go out.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>

#include "core/event/loop.h"
#include "spice/net/stream.h"
#include "spice/wire/gather.h"

namespace spice::net {

class Socket {
 public:
  // Called on the loop. Any of them may close, detach or destroy the socket.
  struct Events {
    // There is new input; what is not consumed stays and is offered again with more behind it.
    std::move_only_function<void()> on_input;
    // Everything sent so far is with the kernel; called after a send() that could not be finished at once.
    std::move_only_function<void()> on_drained;
    // The peer closed, or an error: the socket is closed. Not called after close() or detach().
    std::move_only_function<void(const std::string& reason)> on_closed;
  };

  Socket(core::Loop& loop, Stream stream, Events events);
  ~Socket();
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;

  // Begins reading; what the stream had unread is offered first, from the loop.
  void start();

  // Nothing is read while it holds; afterwards what is here is offered again, from the loop.
  void hold_input(bool holds);
  std::span<const std::uint8_t> input() const;
  void consume(std::size_t bytes);

  // Never blocks and never fails here: an error shows as on_closed, later.
  void send(wire::Gather data);
  std::size_t queued_bytes() const;  // of send(), not yet with the kernel
  std::uint64_t bytes_sent() const;  // with the kernel
  bool is_open() const;

  const Endpoint& local() const;
  const Endpoint& remote() const;
  bool encrypted() const;

  // From here on a layer more lies between the network and us; the input there is came through it. A violation in that
  // shows as on_closed, later.
  void push(std::unique_ptr<Layer> layer);

  // Nothing will be sent any more: the peer sees the end when it has everything.
  void shutdown_output();
  void close();
  // Leaves the loop. What is queued and unread goes along.
  Stream detach();

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace spice::net
