// The walk over a universal host controller's frames: queue heads and transfer descriptors in guest memory.
// [UHCI 1.2, 3.4]
//
// A frame has the bytes of a full-speed frame to give, and a limit of links: descriptors that lead in a circle end with
// the frame, as they do on the wire.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "core/memory/guest_memory.h"
#include "devices/usb/packets_in_flight.h"
#include "devices/usb/schedule_watch.h"
#include "devices/usb/uhci_abi.h"

namespace devices::usb {

class UhciSchedule {
 public:
  using FindDevice = std::function<UsbDevice*(std::uint8_t address)>;

  // What a frame has come to.
  struct Events {
    bool worked = false;         // a descriptor was retired
    bool complete = false;       // one that asked for an interrupt
    bool short_packet = false;   // one that looks for short packets had one
    bool error = false;          // one was retired by an error
    bool system_error = false;   // a descriptor or buffer is not in RAM: the controller halts
    bool process_error = false;  // a descriptor makes no sense: the controller halts
  };

  UhciSchedule(const core::GuestMemory& memory, ScheduleWatch& watch, FindDevice find_device,
               std::function<void()> packet_landed)
      : memory_(memory), watch_(watch), find_device_(std::move(find_device)), in_flight_(std::move(packet_landed)) {}

  // Ahead of its time only the queues of a frame are run.
  enum class When : bool { Now, Ahead };
  Events run_frame(std::uint32_t list, std::uint64_t frame, When when = When::Now);
  void cancel_all() { in_flight_.cancel_all(); }

 private:
  enum class Step : std::uint8_t { Retired, ShortPacket, NotNow, Inactive, Fault };

  std::uint32_t run_queue(std::uint32_t address);
  std::uint32_t run_descriptor(std::uint32_t address);
  Step execute(std::uint32_t address, abi::uhci::TransferDescriptor& td);
  Step conclude(const PacketsInFlight::Outcome& outcome, std::uint32_t length, abi::uhci::TransferDescriptor& td);
  Step fail(abi::uhci::TransferDescriptor& td, std::uint32_t results);
  Step no_response(abi::uhci::TransferDescriptor& td);
  std::optional<PacketsInFlight::Outcome> submit(const PacketsInFlight::Key& key, std::uint32_t token,
                                                 std::uint32_t buffer, std::uint32_t length);
  bool runs_in_circles(std::uint32_t queue);
  std::uint32_t system_error();

  const core::GuestMemory& memory_;
  ScheduleWatch& watch_;
  FindDevice find_device_;
  PacketsInFlight in_flight_;
  // Of the frame under way.
  Events events_;
  When when_ = When::Now;
  std::uint32_t bytes_left_ = 0;
  unsigned links_left_ = 0;
  std::vector<std::uint32_t> queues_met_;  // since something was last retired
};

}  // namespace devices::usb
