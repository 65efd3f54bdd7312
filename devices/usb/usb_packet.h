// One request of a host controller to an endpoint: a transaction, or as many of one direction as a transfer descriptor
// holds. Its data lies in guest memory.
#pragma once

#include <cstdint>
#include <span>

#include "core/memory/memory_block.h"

namespace devices::usb {

// [USB 8.3.1]
enum class Pid : std::uint8_t { Out = 0xe1, In = 0x69, Setup = 0x2d };

enum class UsbResult : std::uint8_t {
  Done,        // acknowledged; `transferred` bytes have moved
  Nak,         // nothing now: to be asked again, at the latest when the device calls data_ready()
  Pending,     // in flight: the owner hears packet_done()
  Stall,       // the endpoint is halted, or the request is not supported
  Babble,      // the device had more than was asked for
  NoResponse,  // nobody is there
};

struct UsbPacket;

class UsbPacketOwner {
 public:
  virtual ~UsbPacketOwner() = default;
  // The result of a packet that was Pending is in it. The bus's lock is held; the packet may be gone afterwards.
  virtual void packet_done(UsbPacket& packet) = 0;
};

struct UsbPacket {
  Pid pid = Pid::Out;
  std::uint8_t endpoint = 0;
  core::GuestIoVector data = {};
  std::uint32_t transferred = 0;  // bytes
  UsbResult result = UsbResult::Nak;
  UsbPacketOwner* owner = nullptr;

  std::uint32_t length() const { return static_cast<std::uint32_t>(data.size()); }
  std::uint32_t left() const { return length() - transferred; }
  // To the host: as much as there is room for; how much that was.
  std::uint32_t put(std::span<const std::uint8_t> bytes) {
    const auto part = bytes.first(bytes.size() < left() ? bytes.size() : left());
    if (!data.write(transferred, part)) return 0;
    transferred += static_cast<std::uint32_t>(part.size());
    return static_cast<std::uint32_t>(part.size());
  }
  // From the host: as much as there is; how much that was.
  std::uint32_t take(std::span<std::uint8_t> bytes) {
    const auto part = bytes.first(bytes.size() < left() ? bytes.size() : left());
    if (!data.read(transferred, part)) return 0;
    transferred += static_cast<std::uint32_t>(part.size());
    return static_cast<std::uint32_t>(part.size());
  }
  void finish(UsbResult outcome) {
    result = outcome;
    if (owner != nullptr) owner->packet_done(*this);
  }
};

}  // namespace devices::usb
