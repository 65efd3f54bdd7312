// Hardware task switches. [SDM 3A 7.3] None in long mode.
#pragma once

#include <cstdint>
#include <optional>

#include "vmm/cpu/soft/cpu.h"

namespace vmm::cpu::soft {

enum class TaskCause : std::uint8_t { Jump, Call, Return, Event };

struct TaskSwitch {
  TaskCause cause = TaskCause::Jump;
  std::uint16_t selector = 0;    // of the TSS
  std::uint64_t return_rip = 0;  // saved in the old task, as are `flags`
  std::uint32_t flags = 0;
  std::uint32_t external = 0;               // the EXT bit of error codes
  std::optional<std::uint32_t> error_code;  // pushed on the new task's stack
};

// True: the CPU is in the new task at next_rip(). False: cpu.fault; either nothing has changed, or the fault belongs to
// the new task, which cpu.rip points into then.
bool switch_task(Cpu& cpu, const TaskSwitch& order);

}  // namespace vmm::cpu::soft
