// One attempt to deliver an event, without escalation: for exceptions.cpp and the INT instructions.
#pragma once

#include <cstdint>

#include "vmm/cpu/soft/exceptions.h"

namespace vmm::cpu::soft {

// An event on its way to its handler.
struct Delivery {
  Event event;
  std::uint64_t return_rip = 0;
  std::uint32_t flags = 0;     // the image to push
  std::uint32_t external = 1;  // the EXT bit of error codes; 0 for software interrupts [SDM 3A 6.13]
  bool is_software() const { return external == 0; }
};

// True: the CPU is at the handler, next_rip() is its address. False: cpu.fault is why not; nothing has changed unless a
// task switch was under way.
bool inject(Cpu& cpu, const Event& event, std::uint64_t return_rip);

// By mode; for inject() only.
bool inject_real(Cpu& cpu, const Delivery& delivery);
bool inject_protected(Cpu& cpu, const Delivery& delivery);
bool inject_long(Cpu& cpu, const Delivery& delivery);

// INT n in virtual-8086 mode. [SDM 3B 20.3]
bool interrupt_virtual_8086(Cpu& cpu, std::uint8_t vector, std::uint64_t return_rip);

}  // namespace vmm::cpu::soft
