// A virtio-serial device and two of its ports, with buffers as Linux has them: 32 KiB to the host, 4 KiB from it.
// [virtio 1.2, 5.3]
#pragma once

#include <cstdint>

#include "tests/bench/guest/virtio.h"

namespace bench {

class VirtioPort {
 public:
  static constexpr std::uint32_t kSendBytes = 32 << 10;
  static constexpr std::uint32_t kReceiveBytes = 4 << 10;

  // A free buffer of kSendBytes; waits until the host has taken what was in it.
  std::uint8_t* buffer_to_send();
  void send(std::uint32_t bytes);  // of that buffer
  // How many bytes came, and the first of them; waits for an interrupt if nothing is there. They stay until the next
  // call.
  struct Received {
    const std::uint8_t* bytes = nullptr;
    std::uint32_t size = 0;
  };
  Received receive();
  bool has_received() const { return from_host_.has_used(); }

 private:
  friend void open_ports(VirtioPort& first, VirtioPort& second);

  void give_buffers(std::uintptr_t memory);

  VirtioQueue to_host_;
  VirtioQueue from_host_;
  std::uintptr_t memory_ = 0;
  unsigned used_buffers_ = 0;  // to send: those that were used once
  unsigned sending_ = 0;       // of buffer_to_send()
  bool has_last_ = false;      // of receive()
  unsigned last_ = 0;
};

// Ports 1 and 2 of the device, open at the guest's end.
void open_ports(VirtioPort& first, VirtioPort& second);

}  // namespace bench
