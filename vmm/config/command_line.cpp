#include "vmm/config/command_line.h"

#include <CLI/CLI.hpp>
#include <algorithm>

#include "vmm/config/options.h"

namespace vmm::config {

namespace {

core::Result<> apply_values(MachineConfig& config, const Option& option, const std::vector<std::string>& values) {
  if (values.size() > 1 && !option.repeatable) return core::fail("{} is given {} times", option.name, values.size());
  for (const auto& value : values) {
    const auto applied = option.apply(config, value);
    if (!applied) return core::fail("{} {}", option.name, applied.error().message);
  }
  return {};
}

void apply_snapshots_only(MachineConfig& config) {
  const auto apply = [](auto& disk) { disk.snapshot = disk.snapshot || !disk.read_only; };
  std::ranges::for_each(config.disks, apply);
  for (auto& device : config.usb.devices) {
    if (device.kind == UsbKind::Storage) apply(device);
  }
}

std::size_t drives_on(const MachineConfig& config, DiskInterface interface) {
  const auto disks = std::ranges::count(config.disks, interface, &DiskConfig::interface);
  const bool cdrom = config.cdrom && config.cdrom->interface == interface;
  return static_cast<std::size_t>(disks) + (cdrom ? 1 : 0);
}

void add_port_problems(const MachineConfig& config, std::vector<std::string>& found) {
  const auto channels = config.spice_channel_ports();
  constexpr std::size_t kMostPorts = 31;
  if (config.virtio_ports.size() + channels.size() + (config.has_agent() ? 1 : 0) > kMostPorts) {
    found.emplace_back("the virtio-serial device has 31 ports for --virtio-port, --spiceport, --agent and --webdav");
  }
  if (!config.spice.enabled && config.has_agent()) found.emplace_back("--agent needs --spice");
  if (!config.spice.enabled && !channels.empty()) found.emplace_back("--spiceport and --webdav need --spice");
  for (const auto& port : config.virtio_ports) {
    const bool is_agents = config.has_agent() && port.name == kAgentPort;
    if (is_agents || std::ranges::find(channels, port.name) != channels.end()) {
      found.push_back(fmt::format("there are two ports \"{}\"", port.name));
    }
  }
}

void add_display_problems(const MachineConfig& config, std::vector<std::string>& found) {
  for (auto at = config.displays.begin(); at != config.displays.end(); ++at) {
    const auto is_same = std::ranges::find(config.displays.begin(), at, at->record, &QxlConfig::record) != at;
    if (!at->record.empty() && is_same) {
      found.push_back(fmt::format("two displays are to be recorded into {}; give each a file of its own", at->record));
    }
  }
}

}  // namespace

core::Result<CommandLine> parse_command_line(const std::vector<std::string>& arguments) {
  CLI::App app;
  app.set_help_flag();
  app.allow_extras();
  struct Parsed {
    const Option* option = nullptr;
    bool flag = false;
    std::vector<std::string> values;
  };
  std::vector<Parsed> parsed(options().size());
  for (std::size_t i = 0; i < parsed.size(); ++i) {
    parsed[i].option = &options()[i];
    const std::string name(options()[i].name);
    if (options()[i].argument.empty()) {
      app.add_flag(name, parsed[i].flag);
    } else {
      app.add_option(name, parsed[i].values)->expected(1)->take_all()->allow_extra_args(false);
    }
  }
  try {
    app.parse(std::vector<std::string>(arguments.rbegin(), arguments.rend()));
  } catch (const CLI::ParseError& error) {
    return core::fail("{}; see minivmm --help", error.what());
  }
  for (const auto& extra : app.remaining())
    return core::fail("unknown option {}; see minivmm --help", extra);

  MachineConfig config;
  for (const auto& [option, flag, values] : parsed) {
    if (flag && option->name == "--help") return Information::Help;
    if (flag && option->name == "--version") return Information::Version;
    if (flag && option->name == "--man-page") return Information::ManualPage;
    if (auto applied = apply_values(config, *option, values); !applied) return std::unexpected(applied.error());
    if (flag && option->apply != nullptr) {
      if (auto applied = option->apply(config, ""); !applied) return std::unexpected(applied.error());
    }
  }
  if (config.snapshots_only) apply_snapshots_only(config);
  return config;
}

std::vector<std::string> problems(const MachineConfig& config) {
  std::vector<std::string> found;
  if (config.kernel.empty() && !config.initrd.empty()) found.emplace_back("--initrd needs --kernel");
  if (config.kernel.empty() && !config.append.empty()) found.emplace_back("--append needs --kernel");
  if (config.kernel.empty() && config.bios == kNoBios) found.emplace_back("--bios none needs --kernel");
  if (drives_on(config, DiskInterface::Ide) > 4) {
    found.emplace_back("IDE has four places: at most four --disk, or three and a --cdrom");
  }
  if (drives_on(config, DiskInterface::Ahci) > 6) {
    found.emplace_back("AHCI has six ports: at most six --disk with if=ahci, or five and a --cdrom");
  }
  if (drives_on(config, DiskInterface::Virtio) > 8) {
    found.emplace_back("there are eight places for virtio disks: at most eight --disk with if=virtio");
  }
  add_port_problems(config, found);
  add_display_problems(config, found);
  if (config.serial.size() > 2) found.emplace_back("a PC here has two serial ports: give --serial at most twice");
  std::vector<std::string> stdio_users;
  if (std::ranges::count(config.serial, "stdio") > 0) stdio_users.emplace_back("--serial");
  if (config.debugcon.stream == "stdio") stdio_users.emplace_back("--debugcon");
  if (config.virtio_console == "stdio") stdio_users.emplace_back("--virtio-console");
  for (const auto& port : config.virtio_ports) {
    if (port.stream == "stdio") stdio_users.emplace_back("--virtio-port");
  }
  if (config.monitor == "stdio") stdio_users.emplace_back("--monitor");
  if (stdio_users.size() > 1) {
    found.push_back(fmt::format("{} and {} both want stdio: give one of them unix:PATH or file:PATH", stdio_users[0],
                                stdio_users[1]));
  }
  return found;
}

}  // namespace vmm::config
