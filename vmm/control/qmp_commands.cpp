// QMP commands: argument checks and answers in QEMU's shapes.
#include <algorithm>
#include <chrono>
#include <fmt/format.h>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>

#include "vmm/control/key_names.h"
#include "vmm/control/qmp.h"
#include "vmm/control/qom.h"
#include "vmm/control/screendump.h"

namespace vmm::control {

using nlohmann::json;

namespace {

std::unexpected<QmpError> refuse(std::string description) {
  return std::unexpected(QmpError{.description = std::move(description)});
}

// The arguments of one command, checked: each is asked for once, and finish() refuses what nobody asked for.
class Checked {
 public:
  explicit Checked(const json& arguments) : left_(arguments) {}

  std::string text(const char* name, const char* fallback = nullptr) {
    return take<std::string>(name, "string", fallback != nullptr ? std::optional<std::string>(fallback) : std::nullopt,
                             [](const json& value) { return value.is_string(); });
  }
  std::int64_t integer(const char* name, std::int64_t low, std::int64_t high, std::optional<std::int64_t> fallback) {
    const auto value =
        take<std::int64_t>(name, "integer", fallback, [](const json& v) { return v.is_number_integer(); });
    if (error_.empty() && (value < low || value > high)) {
      error_ = fmt::format("Parameter '{}' expects a number from {} to {}", name, low, high);
    }
    return value;
  }
  bool flag(const char* name) {
    return take<bool>(name, "boolean", false, [](const json& value) { return value.is_boolean(); });
  }
  json list(const char* name) {
    return take<json>(name, "array", std::nullopt, [](const json& value) { return value.is_array(); });
  }
  json any(const char* name) {
    return take<json>(name, "any", std::nullopt, [](const json&) { return true; });
  }
  void ignore(const char* name) { left_.erase(name); }

  // The first thing wrong, or nothing.
  std::optional<QmpError> finish() {
    if (error_.empty() && !left_.empty()) error_ = fmt::format("Parameter '{}' is unexpected", left_.begin().key());
    if (error_.empty()) return std::nullopt;
    return QmpError{.description = error_};
  }

 private:
  template <class T, class Fits>
  T take(const char* name, const char* type, const std::optional<T>& fallback, Fits fits) {
    const auto found = left_.find(name);
    if (found == left_.end()) {
      if (!fallback && error_.empty()) error_ = fmt::format("Parameter '{}' is missing", name);
      return fallback.value_or(T{});
    }
    if (!fits(*found)) {
      if (error_.empty()) error_ = fmt::format("Invalid parameter type for '{}', expected: {}", name, type);
      return T{};
    }
    auto value = found->template get<T>();
    left_.erase(name);
    return value;
  }

  json left_;
  std::string error_;
};

QmpResult done(const core::Result<>& result) {
  if (!result) return refuse(result.error().message);
  return json::object();
}

template <void (machine::Machine::*Action)()>
QmpResult run_action(Context& context, const json& arguments) {
  Checked checked(arguments);
  if (auto error = checked.finish()) return std::unexpected(*error);
  (context.machine.*Action)();
  return json::object();
}

QmpResult query_status(Context& context, const json&) {
  const auto state = context.machine.state();
  return json{{"running", state == machine::RunState::Running},
              {"singlestep", false},
              {"status", machine::run_state_name(state)}};
}

QmpResult run_wakeup(Context& context, const json& arguments) {
  Checked checked(arguments);
  if (auto error = checked.finish()) return std::unexpected(*error);
  return done(context.machine.wakeup());
}

QmpResult query_current_machine(Context&, const json&) {
  return json{{"wakeup-suspend-support", true}, {"acpi", true}};
}

QmpResult query_version(Context&, const json&) {
  return json{{"qemu", {{"major", 0}, {"minor", 1}, {"micro", 0}}}, {"package", "minivmm " MINIVMM_VERSION}};
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

QmpResult query_spice(Context& context, const json&) {
  const auto status = context.machine.spice();
  if (!status.enabled) return json{{"enabled", false}, {"migrated", false}, {"mouse-mode", "unknown"}};
  json answer{{"enabled", true},
              {"migrated", false},
              {"host", status.host},
              {"port", status.port},
              {"auth", status.auth},
              {"compiled-version", MINIVMM_VERSION},
              {"mouse-mode", status.mouse_mode},
              {"channels", json::array()}};
  for (const auto& channel : status.channels) {
    answer["channels"].push_back({{"host", channel.client.host},
                                  {"port", channel.client.port},
                                  {"family", channel.client.family},
                                  {"connection-id", channel.connection_id},
                                  {"channel-type", channel.type},
                                  {"channel-id", channel.id},
                                  {"tls", channel.tls}});
  }
  return answer;
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
  auto list = json::array({{{"name", "qmp_capabilities"}}});
  for (const auto& command : qmp_commands())
    list.push_back({{"name", command.name}});
  return list;
}

QmpResult run_screendump(Context& context, const json& arguments) {
  Checked checked(arguments);
  const auto file = checked.text("filename");
  const auto format = checked.text("format", "ppm");
  if (auto error = checked.finish()) return std::unexpected(*error);
  if (format != "ppm" && format != "png") return refuse(fmt::format("Invalid parameter '{}'", format));
  const auto kind = format == "png" ? PictureFormat::Png : PictureFormat::Ppm;
  return done(write_picture(context.machine.screenshot(), kind, file));
}

// A KeyValue union: {"type": "qcode", "data": "ret"} or {"type": "number", "data": 28}.
std::optional<core::KeyCode> key_of(const json& value) {
  if (!value.is_object() || !value.contains("type") || !value.contains("data")) return std::nullopt;
  const auto& data = value["data"];
  if (value["type"] == "qcode" && data.is_string()) return key_by_name(data.get<std::string>());
  if (value["type"] == "number" && data.is_number_unsigned() && data.get<std::uint64_t>() <= 0xff) {
    // QEMU's numbers: bit 7 stands for the E0 prefix.
    const auto number = data.get<std::uint64_t>();
    return static_cast<core::KeyCode>((number & 0x80) != 0 ? 0xe000 | (number & 0x7f) : number);
  }
  return std::nullopt;
}

QmpResult run_send_key(Context& context, const json& arguments) {
  constexpr std::size_t kMaxKeys = 16;
  Checked checked(arguments);
  const auto names = checked.list("keys");
  const auto hold = checked.integer("hold-time", 0, 60'000, 100);
  if (auto error = checked.finish()) return std::unexpected(*error);
  std::vector<core::KeyCode> keys;
  for (const auto& name : names) {
    const auto key = key_of(name);
    if (!key) return refuse("Invalid parameter 'keys'");
    keys.push_back(*key);
  }
  if (keys.empty() || keys.size() > kMaxKeys) return refuse("Parameter 'keys' expects 1 to 16 keys");
  if (!context.typist.press(std::move(keys), std::chrono::milliseconds(hold))) return refuse("Too many keys wait");
  return json::object();
}

// Collects one input-send-event: keys act at once, mouse parts are joined into one report.
class InputEvents {
 public:
  explicit InputEvents(Context& context) : context_(context) {}

  bool add(const json& event) {
    if (!event.is_object() || !event.contains("type") || !event.contains("data") || !event["data"].is_object()) {
      return false;
    }
    const auto& data = event["data"];
    if (event["type"] == "key") return add_key(data);
    if (event["type"] == "rel") return add_motion(data);
    if (event["type"] == "btn") return add_button(data);
    return false;
  }

  void commit() {
    for (const auto& [key, down] : keys_)
      context_.machine.keyboard().key(key, down);
    if (moved_) context_.machine.mouse().move(dx_, dy_, dz_, buttons_);
  }

 private:
  bool add_key(const json& data) {
    if (!data.contains("down") || !data["down"].is_boolean() || !data.contains("key")) return false;
    const auto key = key_of(data["key"]);
    if (!key) return false;
    keys_.emplace_back(*key, data["down"].get<bool>());
    return true;
  }
  bool add_motion(const json& data) {
    if (!data.contains("value") || !data["value"].is_number_integer() || !data.contains("axis")) return false;
    const auto value =
        static_cast<std::int32_t>(std::clamp<std::int64_t>(data["value"].get<std::int64_t>(), -10'000, 10'000));
    if (data["axis"] != "x" && data["axis"] != "y") return false;
    (data["axis"] == "x" ? dx_ : dy_) += value;
    moved_ = true;
    return true;
  }
  bool add_button(const json& data) {
    if (!data.contains("down") || !data["down"].is_boolean() || !data.contains("button")) return false;
    const bool down = data["down"].get<bool>();
    moved_ = true;
    if (data["button"] == "wheel-up" || data["button"] == "wheel-down") {
      if (down) dz_ += data["button"] == "wheel-up" ? -1 : 1;
      return true;
    }
    constexpr std::pair<std::string_view, std::uint8_t> kButtons[] = {{"left", core::kLeftButton},
                                                                      {"right", core::kRightButton},
                                                                      {"middle", core::kMiddleButton},
                                                                      {"side", core::kSideButton},
                                                                      {"extra", core::kExtraButton}};
    for (const auto& [name, bit] : kButtons) {
      if (data["button"] != name) continue;
      buttons_ = static_cast<std::uint8_t>(down ? buttons_ | bit : buttons_ & ~bit);
      return true;
    }
    return false;
  }

  Context& context_;
  std::vector<std::pair<core::KeyCode, bool>> keys_;
  std::int32_t dx_ = 0;
  std::int32_t dy_ = 0;
  std::int32_t dz_ = 0;
  std::uint8_t buttons_ = 0;
  bool moved_ = false;
};

QmpResult run_input_send_event(Context& context, const json& arguments) {
  constexpr std::size_t kMaxEvents = 256;
  Checked checked(arguments);
  const auto events = checked.list("events");
  checked.ignore("device");
  checked.ignore("head");
  if (auto error = checked.finish()) return std::unexpected(*error);
  if (events.size() > kMaxEvents) return refuse("Parameter 'events' expects at most 256 events");
  InputEvents input(context);
  for (const auto& event : events) {
    if (!input.add(event)) return refuse("Invalid parameter 'events'");
  }
  input.commit();
  return json::object();
}

std::string drive_name(Checked& checked) {
  const auto id = checked.text("id", "");
  return id.empty() ? checked.text("device") : (checked.ignore("device"), id);
}

QmpResult run_eject(Context& context, const json& arguments) {
  Checked checked(arguments);
  const auto drive = drive_name(checked);
  const bool force = checked.flag("force");
  if (auto error = checked.finish()) return std::unexpected(*error);
  return done(context.machine.eject(drive, force));
}

QmpResult run_change_medium(Context& context, const json& arguments) {
  Checked checked(arguments);
  const auto drive = drive_name(checked);
  const auto file = checked.text("filename");
  const bool force = checked.flag("force");
  if (auto error = checked.finish()) return std::unexpected(*error);
  return done(context.machine.change(drive, file, force));
}

QmpResult run_balloon(Context& context, const json& arguments) {
  Checked checked(arguments);
  const auto bytes = checked.integer("value", 1, std::numeric_limits<std::int64_t>::max(), std::nullopt);
  if (auto error = checked.finish()) return std::unexpected(*error);
  return done(context.machine.set_balloon(static_cast<std::uint64_t>(bytes)));
}

QmpResult query_balloon(Context& context, const json&) {
  const auto bytes = context.machine.balloon();
  if (!bytes) return std::unexpected(QmpError{"DeviceNotActive", "No balloon device has been activated"});
  return json{{"actual", *bytes}};
}

QmpResult run_qom_list(Context& context, const json& arguments) {
  Checked checked(arguments);
  const auto path = checked.text("path");
  if (auto error = checked.finish()) return std::unexpected(*error);
  return qom_list(context, path);
}

QmpResult run_qom_get(Context& context, const json& arguments) {
  Checked checked(arguments);
  const auto path = checked.text("path");
  const auto property = checked.text("property");
  if (auto error = checked.finish()) return std::unexpected(*error);
  return qom_get(context, path, property);
}

QmpResult run_qom_set(Context& context, const json& arguments) {
  Checked checked(arguments);
  const auto path = checked.text("path");
  const auto property = checked.text("property");
  const auto value = checked.any("value");
  if (auto error = checked.finish()) return std::unexpected(*error);
  return qom_set(context, path, property, value);
}

QmpResult run_hmp(Context& context, const json& arguments) {
  Checked checked(arguments);
  const auto line = checked.text("command-line");
  checked.ignore("cpu-index");
  if (auto error = checked.finish()) return std::unexpected(*error);
  return json(run_hmp_line(context, line));
}

using machine::Machine;

constexpr QmpCommand kCommands[] = {
    {"balloon", run_balloon},
    {"blockdev-change-medium", run_change_medium},
    {"cont", run_action<&Machine::cont>},
    {"eject", run_eject},
    {"human-monitor-command", run_hmp},
    {"input-send-event", run_input_send_event},
    {"qom-get", run_qom_get},
    {"qom-list", run_qom_list},
    {"qom-set", run_qom_set},
    {"query-balloon", query_balloon},
    {"query-block", query_block},
    {"query-commands", query_commands},
    {"query-cpus-fast", query_cpus_fast},
    {"query-current-machine", query_current_machine},
    {"query-kvm", query_kvm},
    {"query-name", query_name},
    {"query-pci", query_pci},
    {"query-spice", query_spice},
    {"query-status", query_status},
    {"query-uuid", query_uuid},
    {"query-version", query_version},
    {"quit", run_action<&Machine::quit>},
    {"screendump", run_screendump},
    {"send-key", run_send_key},
    {"stop", run_action<&Machine::stop>},
    {"system_powerdown", run_action<&Machine::powerdown>},
    {"system_reset", run_action<&Machine::reset>},
    {"system_wakeup", run_wakeup},
};

}  // namespace

std::span<const QmpCommand> qmp_commands() {
  return kCommands;
}

}  // namespace vmm::control
