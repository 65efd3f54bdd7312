#include "vmm/config/machine_config.h"

#include <algorithm>

namespace vmm::config {

namespace {

bool has_port(const MachineConfig& config, std::string_view name) {
  return std::ranges::find(config.virtio_ports, name, &PortConfig::name) != config.virtio_ports.end();
}

}  // namespace

bool MachineConfig::has_agent() const {
  return agent.value_or(spice.enabled && !has_port(*this, kAgentPort));
}

std::vector<std::string> MachineConfig::spice_channel_ports() const {
  auto names = spice_ports;
  const bool is_named = std::ranges::find(names, kWebdavPort) != names.end();
  const bool has_webdav = webdav.value_or(spice.enabled && !has_port(*this, kWebdavPort));
  if (has_webdav && !is_named) names.emplace_back(kWebdavPort);
  return names;
}

}  // namespace vmm::config
