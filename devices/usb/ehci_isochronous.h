// Isochronous descriptors of an enhanced host controller, whole and split. [EHCI 3.3, 3.4, 4.7, 4.12.3]
//
// All transactions of a frame take place at its beginning. Isochronous endpoints answer at once or not at all.
#pragma once

#include <cstdint>
#include <functional>

#include "core/memory/guest_memory.h"
#include "devices/usb/ehci_abi.h"
#include "devices/usb/ehci_events.h"
#include "devices/usb/schedule_watch.h"
#include "devices/usb/usb_device.h"

namespace devices::usb {

class EhciIsochronous {
 public:
  using FindDevice = std::function<UsbDevice*(std::uint8_t address)>;

  EhciIsochronous(const core::GuestMemory& memory, ScheduleWatch& watch, FindDevice find_device)
      : memory_(memory), watch_(watch), find_device_(std::move(find_device)) {}

  // Returns the next link.
  std::uint32_t run(std::uint32_t address, EhciEvents& events);
  std::uint32_t run_split(std::uint32_t address, EhciEvents& events);
  // Leaves the descriptor, of either kind, as it is.
  std::uint32_t pass_by(std::uint32_t address, EhciEvents& events);

 private:
  std::uint32_t transact(const abi::ehci::IsochronousTd& itd, std::uint32_t transaction, EhciEvents& events);
  UsbResult submit(UsbPacket& packet, std::uint8_t address);

  const core::GuestMemory& memory_;
  ScheduleWatch& watch_;
  FindDevice find_device_;
};

}  // namespace devices::usb
