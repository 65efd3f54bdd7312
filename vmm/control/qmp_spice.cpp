// QMP commands about the SPICE server and its clients.
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "vmm/control/passwords.h"
#include "vmm/control/qmp_parts.h"

namespace vmm::control {

using nlohmann::json;

namespace {

std::unexpected<QmpError> no_spice() {
  return refuse("SPICE is not in use", "DeviceNotActive");
}

json line_object(const machine::SpiceClient::Line& line) {
  json object{{"channel-type", line.type}, {"channel-id", line.id}, {"tls", line.tls}};
  if (line.facts) {
    object["bytes-sent"] = line.facts->bytes_sent;
    object["bytes-received"] = line.facts->bytes_received;
    object["bytes-queued"] = line.facts->queued_bytes;
    object["round-trip-us"] = line.facts->round_trip_us;
    object["bytes-per-second"] = line.facts->bytes_per_second;
  }
  return object;
}

json display_object(const machine::SpiceDisplayFigures& display) {
  auto methods = json::array();
  for (const auto& method : display.methods) {
    methods.push_back({{"name", method.name},
                       {"images", method.images},
                       {"bytes-raw", method.raw_bytes},
                       {"bytes-sent", method.sent_bytes},
                       {"encoder-us", method.encoder_us}});
  }
  const auto& video = display.video;
  const auto& queue = display.queue;
  return {{"methods", std::move(methods)},
          {"cache-hits", display.cache_hits},
          {"cache-misses", display.cache_misses},
          {"cache-drops", display.cache_drops},
          {"video",
           {{"streams", video.streams},
            {"frames", video.frames},
            {"frames-left-out", video.left_out},
            {"frames-replaced", video.replaced},
            {"bytes-sent", video.sent_bytes},
            {"encoder-us", video.encoder_us}}},
          {"queue", {{"drawings", queue.drawings}, {"drawing-bytes", queue.drawing_bytes}, {"pixels", queue.pixels}}}};
}

}  // namespace

QmpResult query_spice(Context& context, const json&) {
  const auto status = context.machine.spice();
  if (!status.enabled) return json{{"enabled", false}, {"migrated", false}, {"mouse-mode", "unknown"}};
  json answer{{"enabled", true},
              {"migrated", false},
              {"host", status.host},
              {"auth", status.auth},
              {"compiled-version", MINIVMM_VERSION},
              {"mouse-mode", status.mouse_mode},
              {"channels", json::array()}};
  if (status.port != 0) answer["port"] = status.port;
  if (status.tls_port != 0) answer["tls-port"] = status.tls_port;
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

QmpResult query_spice_clients(Context& context, const json&) {
  auto list = json::array();
  for (const auto& client : context.machine.spice_clients()) {
    json object{{"host", client.peer.host},     {"port", client.peer.port},
                {"family", client.peer.family}, {"connection-id", client.connection_id},
                {"owner", client.owner},        {"view-only", client.view_only},
                {"channels", json::array()}};
    for (const auto& line : client.lines)
      object["channels"].push_back(line_object(line));
    list.push_back(std::move(object));
  }
  return list;
}

QmpResult query_spice_stats(Context& context, const json&) {
  auto list = json::array();
  for (const auto& client : context.machine.spice_clients()) {
    std::uint64_t sent = 0, received = 0;
    auto channels = json::array();
    for (const auto& line : client.lines) {
      auto channel = line_object(line);
      if (line.display) channel["display"] = display_object(*line.display);
      channels.push_back(std::move(channel));
      if (!line.facts) continue;
      sent += line.facts->bytes_sent;
      received += line.facts->bytes_received;
    }
    json object{{"connection-id", client.connection_id},
                {"bytes-sent", sent},
                {"bytes-received", received},
                {"channels", std::move(channels)}};
    if (client.bit_rate != 0) object["line-bit-rate"] = client.bit_rate;
    list.push_back(std::move(object));
  }
  return list;
}

QmpResult query_spice_settings(Context& context, const json&) {
  const auto status = context.machine.spice();
  if (!status.enabled) return no_spice();
  auto settings = json::object();
  for (const auto& option : config::spice_picture_options())
    settings[std::string(option.name)] = option.value(status.pictures);
  return settings;
}

QmpResult run_set_spice(Context& context, const json& arguments) {
  const auto status = context.machine.spice();
  if (!status.enabled) return no_spice();
  auto pictures = status.pictures;
  for (const auto& [name, value] : arguments.items()) {
    const auto set = config::set_spice_picture(pictures, name, value.get_ref<const std::string&>());
    if (!set) return done(set);
  }
  return done(context.machine.set_spice_pictures(pictures));
}

QmpResult run_set_password(Context& context, const json& arguments) {
  if (!context.machine.spice().enabled) return no_spice();
  // The table has let no other names through.
  const auto action = when_connected_by_name(arguments.value("connected", "keep"));
  return done(
      set_password(context.machine, text(arguments, "password"), action.value_or(machine::WhenConnected::Keep)));
}

QmpResult run_expire_password(Context& context, const json& arguments) {
  if (!context.machine.spice().enabled) return no_spice();
  return done(expire_password(context.machine, text(arguments, "time")));
}

QmpResult run_getfd(Context& context, const json& arguments) {
  return done(context.descriptors->name(text(arguments, "fdname")));
}

QmpResult run_closefd(Context& context, const json& arguments) {
  const auto& name = text(arguments, "fdname");
  if (context.descriptors->take(name).valid()) return json::object();
  return refuse(fmt::format("File descriptor named '{}' not found", name));
}

QmpResult run_add_client(Context& context, const json& arguments) {
  const auto& name = text(arguments, "fdname");
  auto descriptor = context.descriptors->take(name);
  if (!descriptor.valid()) return refuse(fmt::format("File descriptor named '{}' has not been found", name));
  const auto& protocol = text(arguments, "protocol");
  if (protocol != "spice") return refuse(fmt::format("protocol '{}' is invalid", protocol));
  if (!context.machine.spice().enabled) return no_spice();
  const auto added = context.machine.add_spice_client(std::move(descriptor), arguments.value("skipauth", false),
                                                      arguments.value("tls", false));
  return added ? QmpResult(json::object()) : refuse("spice failed to add client: " + added.error().message);
}

}  // namespace vmm::control
