#include "tests/bench/guest/virtio_console.h"

#include "tests/bench/guest/disk.h"
#include "tests/guest/bare/bare.h"

namespace bench {

namespace {

constexpr std::uint32_t kDeviceId = 0x1003;
constexpr std::uint8_t kVector = 0x42;
constexpr std::uint64_t kMultiport = 1U << 1;

// [5.3.2]
constexpr unsigned kControlFromHost = 2;
constexpr unsigned kControlToHost = 3;
constexpr unsigned receive_queue(unsigned port) {
  return 2 * port + 2;
}

// [5.3.6.2]
constexpr std::uint16_t kDeviceReady = 0;
constexpr std::uint16_t kPortAdd = 1;
constexpr std::uint16_t kPortReady = 3;
constexpr std::uint16_t kPortOpen = 6;
constexpr std::uint32_t kNoPort = 0xffff'ffff;

struct Control {
  std::uint32_t port;
  std::uint16_t event;
  std::uint16_t value;
};
constexpr unsigned kControls = 32;
constexpr unsigned kControlBytes = 64;  // some are followed by a name

volatile std::uint64_t interrupt_count;

void on_interrupt() {
  interrupt_count = interrupt_count + 1;
}

template <class T>
std::uintptr_t address_of(T& object) {
  return reinterpret_cast<std::uintptr_t>(&object);
}

// The device's word with the driver.
class ControlQueues {
 public:
  void enable(VirtioFunction& function) {
    function.enable(kControlFromHost, from_host_);
    function.enable(kControlToHost, to_host_);
    for (unsigned number = 0; number < from_host_.size() && number < kControls; ++number) {
      from_host_.descriptor(number) = {address_of(received_[number]), kControlBytes, VirtioQueue::kWrite, 0};
      from_host_.add(number);
    }
    from_host_.offer();
    from_host_.mask_interrupts();
    to_host_.mask_interrupts();
  }
  void say(const Control& control) {
    said_ = control;
    to_host_.descriptor(0) = {address_of(said_), sizeof said_, 0, 0};
    to_host_.add(0);
    to_host_.start();
    while (!to_host_.has_used())
      bare::relax();
    to_host_.take();
  }
  Control hear() {
    while (!from_host_.has_used())
      bare::relax();
    const auto number = from_host_.take().head % kControls;
    Control control;
    __builtin_memcpy(&control, received_[number], sizeof control);
    from_host_.add(number);
    from_host_.start();
    return control;
  }

 private:
  VirtioQueue from_host_;
  VirtioQueue to_host_;
  alignas(8) std::uint8_t received_[kControls][kControlBytes];
  Control said_;
};

ControlQueues control;

constexpr std::uintptr_t kSendMemory = std::uintptr_t{VirtioQueue::kSize} * VirtioPort::kSendBytes;
constexpr std::uintptr_t kPortMemory = kSendMemory + std::uintptr_t{VirtioQueue::kSize} * VirtioPort::kReceiveBytes;

}  // namespace

void VirtioPort::give_buffers(std::uintptr_t memory) {
  memory_ = memory;
  for (unsigned number = 0; number < from_host_.size(); ++number) {
    to_host_.descriptor(number) = {memory_ + std::uintptr_t{number} * kSendBytes, 0, 0, 0};
    const auto receive_at = memory_ + kSendMemory + std::uintptr_t{number} * kReceiveBytes;
    from_host_.descriptor(number) = {receive_at, kReceiveBytes, VirtioQueue::kWrite, 0};
    from_host_.add(number);
  }
  to_host_.mask_interrupts();
  from_host_.ask_for_interrupt();
  from_host_.start();
}

std::uint8_t* VirtioPort::buffer_to_send() {
  if (used_buffers_ < to_host_.size()) {
    sending_ = used_buffers_++;
  } else {
    while (!to_host_.has_used())
      bare::relax();
    sending_ = to_host_.take().head % VirtioQueue::kSize;
    to_host_.mask_interrupts();
  }
  return reinterpret_cast<std::uint8_t*>(to_host_.descriptor(sending_).address);
}

void VirtioPort::send(std::uint32_t bytes) {
  to_host_.descriptor(sending_).length = bytes;
  to_host_.add(sending_);
  to_host_.start();
}

// As Linux does it: each buffer goes back, with its doorbell, when it has been read.
VirtioPort::Received VirtioPort::receive() {
  if (has_last_) {
    from_host_.add(last_);
    from_host_.start();
  }
  while (!from_host_.has_used()) {
    const auto seen = interrupt_count;
    from_host_.ask_for_interrupt();
    while (!from_host_.has_used() && interrupt_count == seen)
      bare::relax();
  }
  const auto used = from_host_.take();
  last_ = used.head % VirtioQueue::kSize;
  has_last_ = true;
  return {reinterpret_cast<const std::uint8_t*>(from_host_.descriptor(last_).address), used.written};
}

void open_ports(VirtioPort& first, VirtioPort& second) {
  bare::on_interrupt(kVector, on_interrupt);
  VirtioFunction function;
  function.open(kDeviceId, kMultiport, kVector, "a virtio-serial device");
  control.enable(function);
  VirtioPort* const ports[] = {&first, &second};
  for (unsigned number = 1; number <= 2; ++number) {
    function.enable(receive_queue(number), ports[number - 1]->from_host_);
    function.enable(receive_queue(number) + 1, ports[number - 1]->to_host_);
  }
  function.start();
  control.say({kNoPort, kDeviceReady, 1});
  for (unsigned added = 0; added < 2;) {
    const auto heard = control.hear();
    if (heard.event != kPortAdd) continue;
    control.say({heard.port, kPortReady, 1});
    if (heard.port == 1 || heard.port == 2) ++added;
  }
  for (unsigned number = 1; number <= 2; ++number) {
    ports[number - 1]->give_buffers(kBuffers + (number - 1) * kPortMemory);
    control.say({number, kPortOpen, 1});
  }
}

}  // namespace bench
