// QMP commands: the table, and answers in QEMU's shapes.
#include <algorithm>
#include <fmt/format.h>
#include <functional>
#include <nlohmann/json.hpp>
#include <string_view>

#include "vmm/control/hmp.h"
#include "vmm/control/qmp.h"
#include "vmm/control/qmp_api.h"
#include "vmm/control/qmp_parts.h"
#include "vmm/control/qom.h"
#include "vmm/control/screendump.h"

namespace vmm::control {

using nlohmann::json;

namespace {

std::unexpected<QmpError> no_balloon() {
  return refuse("No balloon device has been activated", "DeviceNotActive");
}

template <void (machine::Controllable::*Action)()>
QmpResult run_action(Context& context, const json&) {
  (context.machine.*Action)();
  return json::object();
}

QmpResult query_status(Context& context, const json&) {
  const auto state = context.machine.state();
  return json{{"running", state == machine::RunState::Running},
              {"singlestep", false},
              {"status", machine::run_state_name(state)}};
}

QmpResult run_wakeup(Context& context, const json&) {
  return done(context.machine.wakeup());
}

QmpResult query_current_machine(Context&, const json&) {
  return json{{"wakeup-suspend-support", true}, {"acpi", true}};
}

QmpResult query_version(Context&, const json&) {
  return qmp_version();
}

QmpResult query_name(Context& context, const json&) {
  return json{{"name", context.machine.name()}};
}

QmpResult query_uuid(Context& context, const json&) {
  auto text = run_hmp_line(context, "info uuid");
  text.pop_back();
  return json{{"UUID", text}};
}

QmpResult query_kvm(Context& context, const json&) {
  return json{{"enabled", context.machine.accelerator() == "kvm"}, {"present", true}};
}

QmpResult query_cpus_fast(Context& context, const json&) {
  auto list = json::array();
  for (unsigned i = 0; i < context.machine.cpus(); ++i) {
    list.push_back(
        {{"cpu-index", i}, {"qom-path", fmt::format("/machine/unattached/device[{}]", i)}, {"target", "x86_64"}});
  }
  return list;
}

json region_object(const core::PciFunction::Window& window) {
  const auto& bar = *window.bar;
  json region{{"bar", bar.kind == core::BarKind::Rom ? 6 : bar.index},
              {"type", bar.kind == core::BarKind::Io ? "io" : "memory"},
              {"size", bar.size},
              {"address", window.base ? static_cast<std::int64_t>(*window.base) : -1}};
  if (bar.kind != core::BarKind::Io) {
    region["prefetch"] = bar.prefetchable;
    region["mem_type_64"] = bar.kind == core::BarKind::Memory64;
  }
  return region;
}

QmpResult query_pci(Context& context, const json&) {
  auto devices = json::array();
  for (const auto& [address, function] : context.machine.pci().slots()) {
    const auto& id = function->identity();
    json device{{"bus", 0},
                {"slot", address.device},
                {"function", address.function},
                {"class_info", {{"class", id.class_code >> 8}}},
                {"id", {{"vendor", id.vendor}, {"device", id.device}}},
                {"qdev_id", ""},
                {"irq_pin", id.interrupt_pin},
                {"regions", json::array()}};
    if (id.subsystem_vendor != 0) {
      device["id"]["subsystem-vendor"] = id.subsystem_vendor;
      device["id"]["subsystem"] = id.subsystem;
    }
    const std::scoped_lock lock(function->lock());
    if (id.interrupt_pin != 0) device["irq"] = function->config_read(core::abi::kInterruptLine, 1);
    for (const auto& window : function->windows())
      device["regions"].push_back(region_object(window));
    devices.push_back(std::move(device));
  }
  return json::array({{{"bus", 0}, {"devices", devices}}});
}

QmpResult query_block(Context& context, const json&) {
  auto list = json::array();
  for (const auto& drive : context.machine.drives()) {
    json item{{"device", drive.name}, {"type", "unknown"}, {"removable", drive.removable}, {"locked", drive.locked}};
    if (drive.removable) item["tray_open"] = drive.tray_open;
    if (!drive.path.empty()) {
      item["inserted"] = {{"file", drive.path}, {"drv", "raw"}, {"ro", drive.read_only}, {"encrypted", false}};
    }
    list.push_back(std::move(item));
  }
  return list;
}

QmpResult query_commands(Context&, const json&) {
  auto list = json::array();
  for (const auto& command : qmp_commands())
    list.push_back({{"name", command.name}});
  return list;
}

QmpResult query_schema(Context&, const json&) {
  return qmp_schema();
}

QmpResult run_screendump(Context& context, const json& arguments) {
  const bool is_png = arguments.value("format", "ppm") == "png";
  machine::ScreenshotOf what{.device = arguments.value("device", ""), .pointer = arguments.value("pointer", false)};
  if (arguments.contains("head")) {
    if (what.device.empty()) return refuse("'head' must be specified together with 'device'");
    what.head = arguments["head"].get<std::int64_t>();
  }
  const auto picture = context.machine.screenshot(what);
  if (!picture) return refuse(picture.error().message);
  return done(write_picture(*picture, is_png ? PictureFormat::Png : PictureFormat::Ppm, text(arguments, "filename")));
}

// Of "id" and, as it was called before, "device".
QmpResult on_drive(Context& context, const json& arguments,
                   const std::function<core::Result<>(const std::string& drive)>& act) {
  const char* key = arguments.contains("id") ? "id" : "device";
  if (!arguments.contains(key)) return refuse("Parameter 'id' is missing");
  const auto& name = text(arguments, key);
  const auto drives = context.machine.drives();
  if (std::ranges::find(drives, name, &machine::Drive::name) == drives.end()) {
    return refuse(fmt::format("Device '{}' not found", name), "DeviceNotFound");
  }
  return done(act(name));
}

QmpResult run_eject(Context& context, const json& arguments) {
  return on_drive(context, arguments, [&](const std::string& drive) {
    return context.machine.eject(drive, arguments.value("force", false));
  });
}

QmpResult run_change_medium(Context& context, const json& arguments) {
  return on_drive(context, arguments, [&](const std::string& drive) {
    return context.machine.change(drive, text(arguments, "filename"), arguments.value("force", false));
  });
}

QmpResult run_balloon(Context& context, const json& arguments) {
  const auto bytes = arguments["value"].get<std::int64_t>();
  if (!context.machine.balloon()) return no_balloon();
  if (bytes <= 0) return refuse("Parameter 'value' expects a size");
  return done(context.machine.set_balloon(static_cast<std::uint64_t>(bytes)));
}

QmpResult query_balloon(Context& context, const json&) {
  const auto bytes = context.machine.balloon();
  if (!bytes) return no_balloon();
  return json{{"actual", *bytes}};
}

QmpResult run_qom_list(Context& context, const json& arguments) {
  return qom_list(context, text(arguments, "path"));
}

QmpResult run_qom_get(Context& context, const json& arguments) {
  return qom_get(context, text(arguments, "path"), text(arguments, "property"));
}

QmpResult run_qom_set(Context& context, const json& arguments) {
  return qom_set(context, text(arguments, "path"), text(arguments, "property"), arguments["value"]);
}

QmpResult run_hmp(Context& context, const json& arguments) {
  return json(run_hmp_line(context, text(arguments, "command-line")));
}

using machine::Controllable;

constexpr QmpCommand kCommands[] = {
    {"qmp_capabilities", &api::kCapabilitiesArg, &kNothing},
    {"add_client", &api::kAddClientArg, &kNothing, run_add_client},
    {"balloon", &api::kBalloonArg, &kNothing, run_balloon},
    {"blockdev-change-medium", &api::kChangeArg, &kNothing, run_change_medium},
    {"closefd", &api::kClosefdArg, &kNothing, run_closefd},
    {"cont", &kNothing, &kNothing, run_action<&Controllable::cont>},
    {"eject", &api::kEjectArg, &kNothing, run_eject},
    {"expire_password", &api::kExpirePasswordArg, &kNothing, run_expire_password},
    {"getfd", &api::kGetfdArg, &kNothing, run_getfd},
    {"human-monitor-command", &api::kHmpArg, &kString, run_hmp},
    {"input-send-event", &api::kInputSendArg, &kNothing, run_input_send_event},
    {"qom-get", &api::kQomGetArg, &kAny, run_qom_get},
    {"qom-list", &api::kQomListArg, &api::kProperties, run_qom_list},
    {"qom-set", &api::kQomSetArg, &kNothing, run_qom_set},
    {"query-balloon", &kNothing, &api::kBalloon, query_balloon},
    {"query-block", &kNothing, &api::kBlocks, query_block},
    {"query-commands", &kNothing, &api::kCommandInfos, query_commands},
    {"query-cpus-fast", &kNothing, &api::kCpus, query_cpus_fast},
    {"query-current-machine", &kNothing, &api::kCurrentMachine, query_current_machine},
    {"query-kvm", &kNothing, &api::kKvm, query_kvm},
    {"query-name", &kNothing, &api::kName, query_name},
    {"query-pci", &kNothing, &api::kPciBuses, query_pci},
    {"query-qmp-schema", &kNothing, &api::kSchemaInfos, query_schema},
    {"query-spice", &kNothing, &api::kSpice, query_spice},
    {"query-spice-clients", &kNothing, &api::kSpiceClients, query_spice_clients},
    {"query-spice-settings", &kNothing, &api::kSpiceSettings, query_spice_settings},
    {"query-spice-stats", &kNothing, &api::kSpiceStats, query_spice_stats},
    {"query-status", &kNothing, &api::kStatus, query_status},
    {"query-uuid", &kNothing, &api::kUuid, query_uuid},
    {"query-version", &kNothing, &api::kVersionInfo, query_version},
    {"quit", &kNothing, &kNothing, run_action<&Controllable::quit>},
    {"screendump", &api::kScreendumpArg, &kNothing, run_screendump},
    {"send-key", &api::kSendKeyArg, &kNothing, run_send_key},
    {"set-spice", &api::kSetSpiceArg, &kNothing, run_set_spice},
    {"set_password", &api::kSetPasswordArg, &kNothing, run_set_password},
    {"stop", &kNothing, &kNothing, run_action<&Controllable::stop>},
    {"system_powerdown", &kNothing, &kNothing, run_action<&Controllable::powerdown>},
    {"system_reset", &kNothing, &kNothing, run_action<&Controllable::reset>},
    {"system_wakeup", &kNothing, &kNothing, run_wakeup},
};

}  // namespace

std::span<const QmpCommand> qmp_commands() {
  return kCommands;
}

}  // namespace vmm::control
