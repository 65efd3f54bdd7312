// Queue heads of an enhanced host controller: the transfer overlay, and the descriptors that pass through it.
// [EHCI 4.10]
//
// One packet moves what a descriptor holds, not one transaction. Split transactions to devices behind a high-speed hub
// begin and complete in one step, and NAK counters and ping states are kept as the guest wrote them: nothing but the
// bandwidth of a wire that is not there depends on them.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>

#include "core/memory/guest_memory.h"
#include "devices/usb/ehci_abi.h"
#include "devices/usb/ehci_events.h"
#include "devices/usb/packets_in_flight.h"
#include "devices/usb/schedule_watch.h"

namespace devices::usb {

class EhciQueues {
 public:
  using FindDevice = std::function<UsbDevice*(std::uint8_t address)>;

  EhciQueues(const core::GuestMemory& memory, ScheduleWatch& watch, FindDevice find_device,
             std::function<void()> packet_landed)
      : memory_(memory), watch_(watch), find_device_(std::move(find_device)), in_flight_(std::move(packet_landed)) {}

  struct Visit {
    bool is_valid = false;  // the queue head is in RAM
    bool is_head = false;   // of the reclamation list
    std::uint32_t next = 0;
    bool is_periodic = false;
    std::uint32_t moved = 0;  // bytes, and something for each descriptor
  };
  // Retires up to `most` descriptors.
  Visit run(std::uint32_t address, unsigned most, EhciEvents& events);

  PacketsInFlight& in_flight() { return in_flight_; }

 private:
  enum class Step : std::uint8_t { Retired, NotNow, Fault };

  Step work(std::uint32_t address, abi::ehci::QueueHead& queue, Visit& visit, EhciEvents& events);
  bool advance(abi::ehci::QueueHead& queue, EhciEvents& events);
  Step execute(std::uint32_t address, abi::ehci::QueueHead& queue, Visit& visit, EhciEvents& events);
  std::optional<PacketsInFlight::Outcome> submit(const PacketsInFlight::Key& key, const abi::ehci::QueueHead& queue,
                                                 EhciEvents& events);
  static Step conclude(const PacketsInFlight::Outcome& outcome, abi::ehci::QueueHead& queue, EhciEvents& events);
  static Step moved(std::uint32_t bytes, abi::ehci::QueueHead& queue, EhciEvents& events);
  static Step halt(abi::ehci::QueueHead& queue, std::uint32_t status, EhciEvents& events);
  bool write_back(std::uint32_t address, const abi::ehci::QueueHead& queue, bool retired, EhciEvents& events);

  const core::GuestMemory& memory_;
  ScheduleWatch& watch_;
  FindDevice find_device_;
  PacketsInFlight in_flight_;
};

}  // namespace devices::usb
