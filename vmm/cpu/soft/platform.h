// What a software CPU meets outside of itself: ports, time, and its fellow CPUs' block cache.
#pragma once

#include <cstdint>

#include "core/bus/address_space.h"
#include "vmm/cpu/soft/block_cache.h"
#include "vmm/cpu/soft/physical_map.h"

namespace vmm::cpu::soft {

class Platform {
 public:
  virtual ~Platform() = default;
  virtual core::AddressSpace& io() = 0;
  virtual PhysicalMap& physical() = 0;
  virtual BlockCache& blocks() = 0;
  virtual std::uint64_t time_stamp() = 0;  // the time stamp counter, before any guest's offset
  // Before each access to a port or to MMIO.
  virtual void reaches_device() {}
  // For RDRAND and RDSEED: the host's. False: there is none now.
  virtual bool random(std::uint64_t& value);
  // An x87 exception while CR0.NE is clear: FERR#, which a PC's board turns into IRQ 13. [SDM 1 8.7.2]
  virtual void report_x87_error() {}
  // No CPU's quick stores reach this page any more.
  virtual void drop_writes(const std::uint8_t* host_page) = 0;
};

}  // namespace vmm::cpu::soft
