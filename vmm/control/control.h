// The monitors of one machine: opens their endpoints and serves them on the control loop.
#pragma once

#include <memory>

#include "core/base/result.h"
#include "vmm/config/machine_config.h"
#include "vmm/machine/machine.h"

namespace vmm::control {

class Control {
 public:
  // Opens --monitor and --qmp, and serves nobody yet. Main thread, before the machine starts; the machine must outlive
  // it and its control loop must have stopped when it is destroyed.
  static core::Result<std::unique_ptr<Control>> create(const config::MachineConfig& config, machine::Machine& machine);
  ~Control();
  // Takes clients from now on. Main thread, once the machine has been started: nobody is to see it before.
  void serve();
  Control(const Control&) = delete;
  Control& operator=(const Control&) = delete;

 private:
  struct Impl;
  explicit Control(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace vmm::control
