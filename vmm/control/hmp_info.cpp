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

std::string facts_text(const machine::SpiceClient::Line::Facts& facts) {
  return fmt::format(", sent {}, received {}, queued {}, round trip {:.1f} ms", amount(facts.bytes_sent),
                     amount(facts.bytes_received), amount(facts.queued_bytes),
                     static_cast<double>(facts.round_trip_us) / 1000);
}

std::string line_title(const machine::SpiceClient::Line& line) {
  return fmt::format("     channel: {} {}{}", line.name, line.id, line.tls ? " [tls]" : "");
}

std::string client_text(const machine::SpiceClient& client) {
  const auto* role = client.view_only ? "watches" : client.owner ? "owner" : "shares";
  auto text = fmt::format("Client {}:{}: {}\n     session: {}\n", client.peer.host, client.peer.port, role,
                          client.connection_id);
  for (const auto& line : client.lines)
    text += line_title(line) + (line.facts ? facts_text(*line.facts) : "") + "\n";
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
  for (const auto& option : config::spice_picture_options())
    text += fmt::format("     {}: {}\n", option.name, option.value(status.pictures));
  const auto clients = context.machine.spice_clients();
  if (clients.empty()) text += "Clients: none\n";
  for (const auto& client : clients)
    text += client_text(client);
  return text;
}

std::string method_text(const machine::SpiceDisplayFigures::Method& method) {
  const auto ratio =
      static_cast<double>(method.raw_bytes) / static_cast<double>(std::max<std::uint64_t>(method.sent_bytes, 1));
  return fmt::format("    {:>8}: {} images, {} of pixels as {} (1:{:.1f}), {:.1f} ms\n", method.name, method.images,
                     amount(method.raw_bytes), amount(method.sent_bytes), ratio,
                     static_cast<double>(method.encoder_us) / 1000);
}

std::string display_text(const machine::SpiceDisplayFigures& display) {
  auto text = fmt::format("       cache: {} images from it, {} into it, {} dropped\n", display.cache_hits,
                          display.cache_misses, display.cache_drops);
  for (const auto& method : display.methods)
    text += method_text(method);
  const auto& video = display.video;
  if (video.streams > 0) {
    text += fmt::format("       video: {} streams, {} frames as {}, {} left out, {} replaced, {:.1f} ms\n",
                        video.streams, video.frames, amount(video.sent_bytes), video.left_out, video.replaced,
                        static_cast<double>(video.encoder_us) / 1000);
  }
  const auto& queue = display.queue;
  return text + fmt::format("       waits: {} drawings of {}, {} pixels\n", queue.drawings, amount(queue.drawing_bytes),
                            queue.pixels);
}

std::string client_stats_text(const machine::SpiceClient& client) {
  machine::SpiceClient::Line::Facts all;
  std::string lines;
  for (const auto& line : client.lines) {
    lines += line_title(line);
    if (line.facts) {
      all.bytes_sent += line.facts->bytes_sent;
      all.bytes_received += line.facts->bytes_received;
      lines += facts_text(*line.facts) + fmt::format(", takes {}/s", amount(line.facts->bytes_per_second));
    }
    lines += "\n" + (line.display ? display_text(*line.display) : "");
  }
  const auto rate = client.bit_rate == 0
                        ? std::string("not measured")
                        : fmt::format("{:.1f} Mbit/s", static_cast<double>(client.bit_rate) / 1'000'000);
  return fmt::format("Client {}:{}: session {}, sent {}, received {}, line {}\n{}", client.peer.host, client.peer.port,
                     client.connection_id, amount(all.bytes_sent), amount(all.bytes_received), rate, lines);
}

std::string info_spice_stats(Context& context, const Arguments&) {
  std::string text;
  for (const auto& client : context.machine.spice_clients())
    text += client_stats_text(client);
  return text.empty() ? "Clients: none\n" : text;
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
    {"spice-stats", "", "what clients were sent: bytes, images by their encoding, videos, and what waits", 0, 0,
     info_spice_stats},
    {"status", "", "whether the guest runs", 0, 0, info_status},
    {"uuid", "", "the machine's UUID", 0, 0, info_uuid},
    {"version", "", "the version of minivmm", 0, 0, info_version},
};

}  // namespace

std::span<const HmpCommand> info_topics() {
  return kTopics;
}

}  // namespace vmm::control
