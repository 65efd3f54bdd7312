// A virtio disk: one queue, three descriptors a request. [virtio 1.2, 5.2]
#pragma once

#include <cstdint>

#include "tests/bench/guest/disk.h"
#include "tests/bench/guest/virtio.h"

namespace bench {

class VirtioBlk {
 public:
  static constexpr const char* kName = "virtio";

  void open();
  std::uint64_t size_bytes() const { return size_bytes_; }

  // Requests are prepared one by one and started together; `slots` is a mask.
  void prepare(unsigned slot, const Request& request);
  void prepare_id(unsigned slot);  // a request that no disk is needed for
  void start(std::uint32_t slots);
  // Waits for an interrupt and answers the slots that are done, maybe none. A failed request ends the guest.
  std::uint32_t wait();

  // For measurements: the steps of start(), and of a wait without interrupts.
  void offer(std::uint32_t slots);
  void ring_doorbell();
  bool has_used() const;
  void mask_interrupts();
  std::uint32_t reap();
  std::uint64_t interrupt_ticks() const;  // when the last one's handler was entered

 private:
  void add(std::uint32_t slots);
  void fill(unsigned slot, std::uint32_t type, std::uint64_t sector, std::uint32_t bytes, bool to_guest);

  std::uint64_t size_bytes_ = 0;
  std::uint64_t seen_interrupts_ = 0;
};

}  // namespace bench
