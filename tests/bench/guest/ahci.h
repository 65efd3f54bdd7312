// The first disk of an AHCI controller, by native command queuing; the interrupt is a message if the controller has
// them, else its line. [AHCI 1.3.1; ACS-3 7.24]
#pragma once

#include <cstdint>

#include "tests/bench/guest/disk.h"

namespace bench {

class Ahci {
 public:
  static constexpr const char* kName = "ahci";

  void open();
  bool uses_messages() const { return uses_messages_; }
  std::uint64_t size_bytes() const { return size_bytes_; }

  // As those of VirtioBlk.
  void prepare(unsigned slot, const Request& request);
  void start(std::uint32_t slots);
  std::uint32_t wait();

 private:
  void find_disk();
  void identify();

  bool uses_messages_ = false;
  std::uint64_t size_bytes_ = 0;
};

}  // namespace bench
