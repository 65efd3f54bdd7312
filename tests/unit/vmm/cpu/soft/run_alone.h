// One instruction without executor and block cache.
#pragma once

#include <array>

#include "vmm/cpu/soft/cpu.h"

namespace vmm::cpu::soft {

// `op` at the CPU's RIP. Flow::Next when it went on to what follows it; next_rip() says where that is.
inline Flow run_alone(Cpu& cpu, const Op& op) {
  std::array<Op, 2> ops{op, op};
  ops[1].run = [](Cpu& c, const Op& beyond, std::uint64_t) {
    c.current = &beyond;
    return Flow::Restart;
  };
  cpu.settle(ops[0]);
  const Flow flow = ops[0].run(cpu, ops[0], 0);
  const bool went_on = cpu.current == &ops[1];
  cpu.current = nullptr;
  return went_on ? Flow::Next : flow;
}

}  // namespace vmm::cpu::soft
