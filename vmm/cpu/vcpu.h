// What a virtual CPU is to the machine, whoever executes its instructions.
//
// A Vcpu is state: it is saved, loaded, reset and described while its runner is paused. A CpuRunner is what a thread
// executes: KVM has one runner a vCPU, a software CPU may run all of its vCPUs in one. VcpuThread drives a runner.
#pragma once

#include <cstdint>
#include <string>

#include "core/state/state.h"

namespace vmm::cpu {

// Why run() came back. All but Kicked concern the machine: the runner's thread pauses itself and reports them.
enum class ExitReason : std::uint8_t {
  Kicked,    // somebody wants the thread's attention
  Reset,     // triple fault, or the guest asked the hypervisor for a reset
  PowerOff,  // the guest asked the hypervisor to end
  Held,      // by Accelerator::hold()
  Failed,    // the accelerator cannot go on
};

struct RunExit {
  ExitReason reason = ExitReason::Kicked;
  // Reset and Failed: what happened, with registers and instruction bytes, for people.
  std::string detail;
};

class CpuRunner {
 public:
  virtual ~CpuRunner() = default;
  // First and last call of the thread that will run it.
  virtual void thread_begins() = 0;
  virtual void thread_ends() = 0;
  // Runs the guest until a kick, at an instruction boundary with all device accesses completed. May return Kicked
  // without a kick. Runner's thread, no lock held: devices are called from inside.
  virtual RunExit run() = 0;
  // Makes the present run(), or the next one, return Kicked soon. Any thread, never blocks.
  virtual void kick() = 0;
};

// All calls: the control loop, with the vCPU's runner paused.
class Vcpu : public core::Stateful {
 public:
  virtual unsigned index() const = 0;
  // Power-on state.
  virtual void reset() = 0;
  // Registers in a few readable lines.
  virtual std::string describe() = 0;
};

}  // namespace vmm::cpu
