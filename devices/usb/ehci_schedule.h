// The two schedules of an enhanced host controller: the periodic frame list and the asynchronous ring of queue heads.
// [EHCI 4.6, 4.8]
//
// Each run has a budget, so that lists without an end take no time without an end.
#pragma once

#include <cstdint>

#include "devices/usb/ehci_isochronous.h"
#include "devices/usb/ehci_queue.h"

namespace devices::usb {

class EhciSchedule {
 public:
  EhciSchedule(const core::GuestMemory& memory, ScheduleWatch& watch, const EhciQueues::FindDevice& find_device,
               const std::function<void()>& packet_landed)
      : memory_(memory),
        watch_(watch),
        periodic_(memory, watch, find_device, packet_landed),
        asynchronous_(memory, watch, find_device, packet_landed),
        isochronous_(memory, watch, find_device) {}

  // Ahead of its time only the queues of a frame are run.
  enum class When : bool { Now, Ahead };
  EhciEvents run_frame(std::uint32_t list, std::uint64_t frame, When when = When::Now);
  // Goes round the ring until nothing moves; `head` becomes the head of the list, once met.
  EhciEvents run_ring(std::uint32_t& head);
  // What the guest has unlinked before it rang is forgotten. [EHCI 4.8.2]
  void forget_unlinked(std::uint32_t head);
  void cancel_all();

 private:
  struct Budget {
    std::uint32_t bytes = 0;
    unsigned links = 0;
  };
  bool go_round(std::uint32_t& head, Budget& budget, EhciEvents& events);

  const core::GuestMemory& memory_;
  ScheduleWatch& watch_;
  EhciQueues periodic_;
  EhciQueues asynchronous_;
  EhciIsochronous isochronous_;
};

}  // namespace devices::usb
