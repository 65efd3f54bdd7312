#include "vmm/machine/spice_ports.h"

namespace vmm::machine {

using spice::agent::GuestPort;

SpicePorts add_spice_ports(const config::MachineConfig& config, core::Loop& control, HostEnds& ends) {
  SpicePorts ports;
  const auto add = [&](std::string_view name, GuestPort::AtClose at_close) {
    auto port = std::make_unique<GuestPort>(control, at_close);
    auto* added = port.get();
    ends.virtio_ports.push_back({std::string(name), std::move(port)});
    return added;
  };
  // What an agent had no time to say before it ended is of no use to anybody.
  if (config.has_agent()) ports.agent = add(config::kAgentPort, GuestPort::AtClose::Drop);
  for (const auto& name : config.spice_channel_ports())
    ports.channels.emplace_back(name, add(name, GuestPort::AtClose::Keep));
  return ports;
}

}  // namespace vmm::machine
