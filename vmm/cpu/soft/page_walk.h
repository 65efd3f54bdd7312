// The walk of the guest's page tables in all paging modes. [SDM 3A 4]
#pragma once

#include <cstdint>

#include "vmm/cpu/soft/cpu.h"

namespace vmm::cpu::soft {

struct PageRequest {
  std::uint64_t linear = 0;
  bool write = false;
  bool fetch = false;
  bool user = false;        // else with supervisor privilege
  bool spare_user = false;  // SMAP: not even a supervisor may touch the data of user pages
};

struct PageFrame {
  std::uint64_t physical = 0;  // of the 4 KiB page that holds the address
  bool global = false;
  bool large = false;  // part of a larger page, of 2 or 4 MiB
  bool huge = false;   // ... of 1 GiB
};

// Sets accessed and dirty bits if the access is allowed; else false, and #PF is recorded.
bool walk_pages(Cpu& cpu, const PageRequest& request, PageFrame& frame);

}  // namespace vmm::cpu::soft
