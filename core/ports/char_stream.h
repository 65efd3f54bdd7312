// Character stream seam: a guest's byte stream (UART, debug console, later virtio ports) and its host end (stdio, file,
// socket, pty).
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>

namespace core::inline ports {

// The host end, as the device sees it.
class CharStream {
 public:
  virtual ~CharStream() = default;
  // From guest to host. Any thread, device lock held: never blocks; returns how many bytes it took. A stream with
  // nobody at its host end takes and drops them.
  virtual std::size_t write(std::span<const std::uint8_t> bytes) = 0;
  // From host to guest: `receive` is called on the stream's own thread with no device lock held and returns how many
  // bytes the device took; the rest is offered again after ready_to_receive(). nullptr detaches.
  virtual void set_receiver(std::function<std::size_t(std::span<const std::uint8_t>)> receive) = 0;
  // The device has room again. Any thread, device lock held: never blocks.
  virtual void ready_to_receive() = 0;
};

}  // namespace core::inline ports
