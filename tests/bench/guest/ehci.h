// A driver for an enhanced host controller with high-speed devices in its ports: control transfers by polling, bulk
// transfers and an interrupt endpoint by interrupts. [EHCI 1.0]
#pragma once

#include <cstdint>

namespace bench {

class Ehci {
 public:
  // Resets the controller and takes all ports.
  void open();
  // Resets the device in this port, from 0, and gives it `address` and its first configuration.
  void attach(unsigned port, std::uint8_t address);
  // A request without data.
  void request(std::uint8_t address, std::uint8_t type, std::uint8_t request, std::uint16_t value);

  // Of one device.
  void open_bulk(std::uint8_t address, std::uint8_t in, std::uint8_t out);
  // Returns when the interrupt of the end has come; page-aligned if longer than a page.
  void bulk_out(const void* data, std::uint32_t bytes);
  void bulk_in(void* data, std::uint32_t bytes);

  // Asks the endpoint in one of `period` frames, a power of 2, for a report of 8 bytes.
  void open_interrupt(std::uint8_t address, std::uint8_t endpoint, unsigned period);
  void wait_report();  // until its interrupt has come
};

}  // namespace bench
