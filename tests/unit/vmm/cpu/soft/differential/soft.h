// Runs cases on the software CPU: decoder, handlers and MMU, without executor and block cache.
#pragma once

#include <memory>

#include "tests/unit/vmm/cpu/soft/differential/case.h"

namespace vmm::cpu::soft::differential {

class SoftCpu {
 public:
  SoftCpu();
  ~SoftCpu();
  void run(const Case& one, const Memory& memory, Outcome& outcome);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace vmm::cpu::soft::differential
