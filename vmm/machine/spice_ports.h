// The guest's ports whose host ends are with the SPICE server: its agent's, and those that clients have as channels.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "core/event/loop.h"
#include "spice/agent/guest_port.h"
#include "vmm/config/machine_config.h"
#include "vmm/machine/host_ends.h"

namespace vmm::machine {

struct SpicePorts {
  spice::agent::GuestPort* agent = nullptr;  // null: none
  std::vector<std::pair<std::string, spice::agent::GuestPort*>> channels;
};

// Adds to `ends`, which own them, what the configuration wants; they live on the control loop.
SpicePorts add_spice_ports(const config::MachineConfig& config, core::Loop& control, HostEnds& ends);

}  // namespace vmm::machine
