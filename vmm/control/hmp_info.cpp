// info TOPIC: what people ask of a machine, in QEMU's wording.
#include <algorithm>
#include <fmt/format.h>

#include "vmm/control/hmp.h"

namespace vmm::control {

namespace {

std::string info_status(Context& context, const Arguments&) {
  const auto state = context.machine.state();
  if (state == machine::RunState::Running) return "VM status: running\n";
  return fmt::format("VM status: paused{}\n",
                     state == machine::RunState::Paused ? "" : fmt::format(" ({})", machine::run_state_name(state)));
}

std::string info_version(Context&, const Arguments&) {
  return fmt::format("minivmm {}\n", MINIVMM_VERSION);
}

std::string info_name(Context& context, const Arguments&) {
  return context.machine.name() + "\n";
}

std::string info_uuid(Context& context, const Arguments&) {
  std::string text;
  for (std::size_t i = 0; i < 16; ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) text += '-';
    text += fmt::format("{:02x}", context.machine.uuid()[i]);
  }
  return text + "\n";
}

std::string bar_text(const core::PciFunction::Window& window) {
  const auto& bar = *window.bar;
  const auto name = bar.kind == core::BarKind::Rom ? std::string("ROM") : fmt::format("BAR{}", bar.index);
  const auto space = bar.kind == core::BarKind::Io         ? "I/O"
                     : bar.kind == core::BarKind::Memory64 ? "64 bit memory"
                                                           : "32 bit memory";
  if (!window.base) return fmt::format("      {}: {}, {:#x} bytes, not mapped\n", name, space, bar.size);
  return fmt::format("      {}: {} at {:#010x} [{:#010x}].\n", name, space, *window.base, *window.base + bar.size - 1);
}

std::string info_pci(Context& context, const Arguments&) {
  std::string text;
  for (const auto& [address, function] : context.machine.pci().slots()) {
    const auto& id = function->identity();
    text += fmt::format("  Bus  0, device {:3}, function {}:\n    Class {:04x}: PCI device {:04x}:{:04x}\n",
                        address.device, address.function, id.class_code >> 8, id.vendor, id.device);
    if (id.subsystem_vendor != 0)
      text += fmt::format("      PCI subsystem {:04x}:{:04x}\n", id.subsystem_vendor, id.subsystem);
    const std::scoped_lock device(function->lock());
    if (id.interrupt_pin != 0) {
      text += fmt::format("      IRQ {}, pin {}\n", function->config_read(core::abi::kInterruptLine, 1),
                          static_cast<char>('A' + id.interrupt_pin - 1));
    }
    for (const auto& window : function->windows())
      text += bar_text(window);
  }
  return text;
}

std::string space_text(std::string_view title, core::AddressSpace& space) {
  auto text = fmt::format("address-space: {}\n", title);
  for (const auto& entry : space.entries()) {
    text += fmt::format("  {:016x}-{:016x}: {}\n", entry.start, entry.start + entry.size - 1, entry.owner);
  }
  return text + fmt::format("  unclaimed accesses so far: {}\n", space.unclaimed_accesses());
}

std::string info_mtree(Context& context, const Arguments&) {
  std::string text = "address-space: memory\n";
  for (const auto& region : context.machine.ram_map().regions()) {
    text += fmt::format("  {:016x}-{:016x}: {} @{:016x}{}{}\n", region.start.value(),
                        region.start.value() + region.size - 1, region.block->name(), region.offset,
                        region.writable ? "" : " (read-only)", region.log_dirty ? " (dirty log)" : "");
  }
  return text + space_text("mmio", context.machine.mmio()) + space_text("I/O", context.machine.io());
}

std::string info_irq(Context& context, const Arguments&) {
  std::string text = "interrupts since start:\n";
  for (const auto& [line, rises] : context.machine.interrupts()) {
    if (rises > 0) text += fmt::format("{:>8}: {}\n", line, rises);
  }
  return text;
}

std::string info_balloon(Context& context, const Arguments&) {
  const auto bytes = context.machine.balloon();
  const auto statistics = context.machine.balloon_statistics();
  if (!bytes || !statistics) return "Error: no balloon; start with --balloon on\n";
  auto text = fmt::format("balloon: actual={}\n", *bytes >> 20);
  for (const auto& [name, value] : statistics->values) {
    if (value) text += fmt::format("    {}: {}\n", name, *value);
  }
  return text;
}

std::string info_block(Context& context, const Arguments&) {
  std::string text;
  for (const auto& drive : context.machine.drives()) {
    text += fmt::format("{}: {}{}\n", drive.name, drive.path.empty() ? "[not inserted]" : drive.path,
                        drive.read_only ? " (read-only)" : "");
    if (drive.removable) {
      text += fmt::format("    Removable device: {}locked, tray {}\n", drive.locked ? "" : "not ",
                          drive.tray_open ? "open" : "closed");
    }
  }
  return text;
}

std::string amount(std::uint64_t bytes) {
  constexpr std::uint64_t kKibi = 1 << 10, kMebi = 1 << 20;
  if (bytes < kKibi) return fmt::format("{} B", bytes);
  if (bytes < kMebi) return fmt::format("{:.1f} KiB", static_cast<double>(bytes) / kKibi);
  return fmt::format("{:.1f} MiB", static_cast<double>(bytes) / kMebi);
}

std::string client_text(const machine::SpiceClient& client) {
  const auto* role = client.view_only ? "watches" : client.owner ? "owner" : "shares";
  auto text = fmt::format("Client {}:{}: {}\n     session: {}\n", client.peer.host, client.peer.port, role,
                          client.connection_id);
  for (const auto& line : client.lines) {
    text += fmt::format("     channel: {} {}{}", line.name, line.id, line.tls ? " [tls]" : "");
    if (line.facts) {
      text += fmt::format(", sent {}, received {}, queued {}, round trip {:.1f} ms", amount(line.facts->bytes_sent),
                          amount(line.facts->bytes_received), amount(line.facts->queued_bytes),
                          static_cast<double>(line.facts->round_trip_us) / 1000);
    }
    text += "\n";
  }
  return text;
}

std::string info_spice(Context& context, const Arguments&) {
  const auto status = context.machine.spice();
  if (!status.enabled) return "Server: disabled\n";
  std::string text = "Server:\n";
  if (status.port != 0) text += fmt::format("     address: {}:{}\n", status.host, status.port);
  if (status.tls_port != 0) text += fmt::format("     address: {}:{} [tls]\n", status.host, status.tls_port);
  if (status.port == 0 && status.tls_port == 0) text += fmt::format("     address: {}\n", status.host);
  text += fmt::format("    migrated: false\n        auth: {}\n    compiled: {}\n  mouse-mode: {}\n     clients: {}\n",
                      status.auth, MINIVMM_VERSION, status.mouse_mode, status.clients);
  const auto clients = context.machine.spice_clients();
  if (clients.empty()) text += "Clients: none\n";
  for (const auto& client : clients)
    text += client_text(client);
  return text;
}

std::string info_spice_stats(Context& context, const Arguments&) {
  std::string text;
  for (const auto& display : context.machine.spice_images()) {
    text +=
        fmt::format("Session {}, display {}: {} images from its cache, {} into it, {} dropped\n", display.connection_id,
                    display.channel_id, display.cache_hits, display.cache_misses, display.cache_drops);
    for (const auto& method : display.methods) {
      const auto ratio =
          static_cast<double>(method.raw_bytes) / static_cast<double>(std::max<std::uint64_t>(method.sent_bytes, 1));
      text += fmt::format("    {:>8}: {} images, {} of pixels as {} (1:{:.1f}), {:.1f} ms\n", method.name,
                          method.images, amount(method.raw_bytes), amount(method.sent_bytes), ratio,
                          static_cast<double>(method.encoder_us) / 1000);
    }
  }
  return text.empty() ? "No client has a display\n" : text;
}

std::string info_cpus(Context& context, const Arguments&) {
  return fmt::format("{} CPUs on {}\n", context.machine.cpus(), context.machine.accelerator());
}

std::string info_device(Context& context, const Arguments& arguments) {
  if (arguments.empty()) {
    std::string text;
    for (const auto& name : context.machine.device_names())
      text += name + "\n";
    return text;
  }
  const auto dump = context.machine.dump_device(arguments[0]);
  return dump ? *dump : fmt::format("Error: no device '{}'; info device lists them\n", arguments[0]);
}

std::string info_qxl(Context& context, const Arguments&) {
  return context.machine.describe_displays();
}

constexpr HmpCommand kTopics[] = {
    {"balloon", "", "the memory that the guest has left, and how it uses it (see qom-set)", 0, 0, info_balloon},
    {"block", "", "disks and CD-ROM drives", 0, 0, info_block},
    {"cpus", "", "CPUs and what runs them", 0, 0, info_cpus},
    {"device", "[NAME]", "the registers of a device", 0, 1, info_device},
    {"irq", "", "interrupts so far, by line", 0, 0, info_irq},
    {"mtree", "", "who has which addresses and ports", 0, 0, info_mtree},
    {"name", "", "the machine's name", 0, 0, info_name},
    {"pci", "", "PCI functions and their BARs", 0, 0, info_pci},
    {"qxl", "", "the displays: modes, rings, surfaces, and what their drivers did wrong", 0, 0, info_qxl},
    {"spice", "", "the SPICE server and its clients", 0, 0, info_spice},
    {"spice-stats", "", "what images of clients' displays cost, by their encoding", 0, 0, info_spice_stats},
    {"status", "", "whether the guest runs", 0, 0, info_status},
    {"uuid", "", "the machine's UUID", 0, 0, info_uuid},
    {"version", "", "the version of minivmm", 0, 0, info_version},
};

}  // namespace

std::span<const HmpCommand> info_topics() {
  return kTopics;
}

}  // namespace vmm::control
