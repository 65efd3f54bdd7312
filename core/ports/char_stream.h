// Character stream seam: a guest's byte stream (UART, debug console, virtio port) and its host end (stdio, file,
// socket, pty, SPICE channel).
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>

namespace core::inline ports {

// What a device with flow control wants to know of its stream's host end. Called with no device lock held.
class CharStreamObserver {
 public:
  virtual ~CharStreamObserver() = default;
  virtual void peer_changed(bool present) = 0;  // somebody came to the host end, or left it
  virtual void room_again() = 0;                // write_some() would take something again
};

// Whether more is offered soon, nothing if need be. Until the batch ends the guest need not be told of it.
enum class Batch : std::uint8_t { Ends, GoesOn };

// Offers bytes to the device, which returns how many it took.
using CharReceiver = std::function<std::size_t(std::span<const std::uint8_t>, Batch)>;

// The host end, as the device sees it.
class CharStream {
 public:
  virtual ~CharStream() = default;
  // From guest to host. Any thread, device lock held: never blocks; returns how many bytes it took. A stream with
  // nobody at its host end takes and drops them.
  virtual std::size_t write(std::span<const std::uint8_t> bytes) = 0;
  // The same for a device that can wait: takes what there is room for. After it took less than everything the observer
  // hears when there is room again.
  virtual std::size_t write_some(std::span<const std::uint8_t> bytes) { return write(bytes); }
  // Tells at once whether somebody is there, then of changes, on the stream's own thread. nullptr detaches and returns
  // when the old observer is not running. No device lock may be held. A stream that is just this has its peer always.
  virtual void set_observer(CharStreamObserver* observer) {
    if (observer != nullptr) observer->peer_changed(true);
  }
  // From host to guest: `receive` is called on the stream's own thread with no device lock held; what the device does
  // not take is offered again after ready_to_receive(). nullptr detaches.
  virtual void set_receiver(CharReceiver receive) = 0;
  // The guest opened or closed its end, where it has one (virtio ports); closed to begin with. Any thread, device lock
  // held: never blocks.
  virtual void guest_opened(bool) {}
  // The device has room again. Any thread, device lock held: never blocks.
  virtual void ready_to_receive() = 0;
};

}  // namespace core::inline ports
