#include "vmm/control/qom.h"

#include <fmt/format.h>
#include <limits>
#include <nlohmann/json.hpp>

namespace vmm::control {

using nlohmann::json;

namespace {

constexpr std::string_view kPeripherals = "/machine/peripheral";
constexpr std::string_view kBalloon = "balloon0";
constexpr std::string_view kBalloonType = "virtio-balloon-pci";
constexpr std::string_view kStatistics = "guest-stats";
constexpr std::string_view kPolling = "guest-stats-polling-interval";

std::unexpected<QmpError> no_object(std::string_view path) {
  return std::unexpected(QmpError{"DeviceNotFound", fmt::format("Device '{}' not found", path)});
}

std::unexpected<QmpError> no_property(std::string_view name) {
  return std::unexpected(QmpError{.description = fmt::format("Property '{}.{}' not found", kBalloonType, name)});
}

json property(std::string_view name, std::string_view type) {
  return {{"name", name}, {"type", type}};
}

// A path, or the name alone.
bool is_balloon(std::string_view path) {
  return path == kBalloon || path == fmt::format("{}/{}", kPeripherals, kBalloon);
}

json statistics_object(const machine::BalloonStatistics& statistics) {
  json values = json::object();
  for (const auto& [name, value] : statistics.values)
    values[fmt::format("stat-{}", name)] = value.value_or(std::numeric_limits<std::uint64_t>::max());
  return {{"stats", values}, {"last-update", statistics.last_update}};
}

std::string printed(const QmpResult& result) {
  return result ? result->dump(4) + "\n" : fmt::format("Error: {}\n", result.error().description);
}

}  // namespace

QmpResult qom_list(Context& context, std::string_view path) {
  const bool has_balloon = context.machine.balloon().has_value();
  if (path == kPeripherals) {
    auto list = json::array({property("type", "string")});
    if (has_balloon) list.push_back(property(kBalloon, fmt::format("child<{}>", kBalloonType)));
    return list;
  }
  if (!has_balloon || !is_balloon(path)) return no_object(path);
  return json::array(
      {property("type", "string"), property(kStatistics, "guest statistics"), property(kPolling, "int")});
}

QmpResult qom_get(Context& context, std::string_view path, std::string_view name) {
  const auto statistics = context.machine.balloon_statistics();
  if (!statistics || !is_balloon(path)) return no_object(path);
  if (name == "type") return json(kBalloonType);
  if (name == kStatistics) return statistics_object(*statistics);
  if (name == kPolling) return json(statistics->polling_seconds);
  return no_property(name);
}

QmpResult qom_set(Context& context, std::string_view path, std::string_view name, const json& value) {
  if (!context.machine.balloon() || !is_balloon(path)) return no_object(path);
  if (name != kPolling) return no_property(name);
  if (!value.is_number_integer() || value < 0 || value > std::numeric_limits<std::uint32_t>::max()) {
    return std::unexpected(QmpError{.description = "timer value must be 0 to 4294967295 seconds"});
  }
  context.machine.set_balloon_polling(value.get<std::uint32_t>());
  return json::object();
}

std::string run_qom_list(Context& context, const Arguments& arguments) {
  const auto list = qom_list(context, arguments.empty() ? kPeripherals : std::string_view(arguments[0]));
  if (!list) return printed(list);
  std::string text;
  for (const auto& entry : *list)
    text += fmt::format("{} ({})\n", entry["name"].get<std::string>(), entry["type"].get<std::string>());
  return text;
}

std::string run_qom_get(Context& context, const Arguments& arguments) {
  return printed(qom_get(context, arguments[0], arguments[1]));
}

std::string run_qom_set(Context& context, const Arguments& arguments) {
  const auto value = json::parse(arguments[2], nullptr, false);
  if (value.is_discarded()) return fmt::format("Error: '{}' is no value\n", arguments[2]);
  const auto set = qom_set(context, arguments[0], arguments[1], value);
  return set ? "" : printed(set);
}

}  // namespace vmm::control
