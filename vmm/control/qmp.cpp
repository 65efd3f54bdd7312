#include "vmm/control/qmp.h"

#include <algorithm>
#include <chrono>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace vmm::control {

using nlohmann::json;

namespace {

constexpr std::string_view kCrLf = "\r\n";  // QMP ends what it sends so

std::string line_of(const json& object) {
  // Guests and clients name things: bytes that are not UTF-8 must not end the process.
  return object.dump(-1, ' ', false, json::error_handler_t::replace) + std::string(kCrLf);
}

json error_object(const QmpError& error) {
  return {{"error", {{"class", error.error_class}, {"desc", error.description}}}};
}

json timestamp() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  const auto micros = std::chrono::duration_cast<std::chrono::microseconds>(now).count();
  return {{"seconds", micros / 1'000'000}, {"microseconds", micros % 1'000'000}};
}

json peer_object(const machine::SpicePeer& peer) {
  return {{"host", peer.host}, {"port", peer.port}, {"family", peer.family}};
}

json spice_event_data(const machine::Event& event) {
  auto client = peer_object(event.client);
  auto server = peer_object(event.server);
  if (event.kind == machine::EventKind::SpiceInitialized) {
    client["connection-id"] = event.connection_id;
    client["channel-type"] = event.channel_type;
    client["channel-id"] = event.channel_id;
    client["tls"] = false;
    server["auth"] = event.reason;
  }
  return {{"client", client}, {"server", server}};
}

struct EventText {
  std::string_view name;
  json data;
};

EventText describe(const machine::Event& event) {
  using machine::EventKind;
  switch (event.kind) {
    case EventKind::Stop: return {"STOP", nullptr};
    case EventKind::Resume: return {"RESUME", nullptr};
    case EventKind::Powerdown: return {"POWERDOWN", nullptr};
    case EventKind::Suspend: return {"SUSPEND", nullptr};
    case EventKind::SuspendDisk: return {"SUSPEND_DISK", nullptr};
    case EventKind::Wakeup: return {"WAKEUP", nullptr};
    case EventKind::Reset: return {"RESET", {{"guest", event.by_guest}, {"reason", event.reason}}};
    case EventKind::Shutdown: return {"SHUTDOWN", {{"guest", event.by_guest}, {"reason", event.reason}}};
    case EventKind::GuestPanicked: return {"GUEST_PANICKED", {{"action", event.reason}}};
    case EventKind::GuestCrashLoaded: return {"GUEST_CRASHLOADED", {{"action", event.reason}}};
    case EventKind::TrayMoved:
      return {"DEVICE_TRAY_MOVED", {{"device", event.device}, {"id", event.device}, {"tray-open", event.tray_open}}};
    case EventKind::BalloonChange: return {"BALLOON_CHANGE", {{"actual", event.bytes}}};
    case EventKind::SpiceConnected: return {"SPICE_CONNECTED", spice_event_data(event)};
    case EventKind::SpiceInitialized: return {"SPICE_INITIALIZED", spice_event_data(event)};
    case EventKind::SpiceDisconnected: return {"SPICE_DISCONNECTED", spice_event_data(event)};
  }
  return {"", nullptr};
}

}  // namespace

std::string QmpSession::greeting() {
  return line_of(
      {{"QMP",
        {{"version", {{"qemu", {{"major", 0}, {"minor", 1}, {"micro", 0}}}, {"package", "minivmm " MINIVMM_VERSION}}},
         {"capabilities", json::array()}}}});
}

bool QmpSession::receive(std::string_view bytes) {
  if (framer_.feed(bytes, [this](std::string_view object) { execute(object); })) return true;
  output_.send(line_of(error_object({.description = "JSON object too large"})));
  return false;
}

void QmpSession::execute(std::string_view text) {
  const auto request = json::parse(text, nullptr, false);
  if (request.is_discarded() || !request.is_object()) {
    output_.send(line_of(error_object({.description = "JSON parse error, expecting an object"})));
    return;
  }
  const auto result = dispatch(request);
  auto reply = result ? json{{"return", *result}} : error_object(result.error());
  if (request.contains("id")) reply["id"] = request["id"];
  output_.send(line_of(reply));
}

QmpResult QmpSession::dispatch(const json& request) {
  for (const auto& [key, value] : request.items()) {
    if (key != "execute" && key != "arguments" && key != "id") {
      return std::unexpected(QmpError{.description = fmt::format("QMP input member '{}' is unexpected", key)});
    }
  }
  if (!request.contains("execute") || !request["execute"].is_string()) {
    return std::unexpected(QmpError{.description = "QMP input lacks member 'execute'"});
  }
  const auto name = request["execute"].get<std::string>();
  const auto arguments = request.value("arguments", json::object());
  if (!arguments.is_object()) {
    return std::unexpected(QmpError{.description = "QMP input member 'arguments' must be an object"});
  }
  if (!negotiated_ && name != "qmp_capabilities") {
    return std::unexpected(QmpError{"CommandNotFound", "Expecting capabilities negotiation with 'qmp_capabilities'"});
  }
  if (name == "qmp_capabilities") {
    if (negotiated_) {
      return std::unexpected(
          QmpError{"CommandNotFound", "Capabilities negotiation is already complete, command ignored"});
    }
    negotiated_ = true;
    return json::object();
  }
  const auto command = std::ranges::find(qmp_commands(), name, &QmpCommand::name);
  if (command == qmp_commands().end()) {
    return std::unexpected(QmpError{"CommandNotFound", fmt::format("The command {} has not been found", name)});
  }
  return command->run(context_, arguments);
}

void QmpSession::notify(const machine::Event& event) {
  if (!negotiated_) return;
  const auto [name, data] = describe(event);
  json object{{"timestamp", timestamp()}, {"event", name}};
  if (!data.is_null()) object["data"] = data;
  output_.send(line_of(object));
}

}  // namespace vmm::control
