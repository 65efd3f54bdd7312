#include "vmm/control/qmp.h"

#include <algorithm>
#include <chrono>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "vmm/control/qmp_parts.h"

namespace vmm::control {

using nlohmann::json;

namespace {

constexpr std::string_view kCrLf = "\r\n";  // QMP ends what it sends so
constexpr std::string_view kCommandNotFound = "CommandNotFound";

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

}  // namespace

std::unexpected<QmpError> refuse(std::string description, std::string_view error_class) {
  return std::unexpected(QmpError{error_class, std::move(description)});
}

QmpResult done(const core::Result<>& result) {
  if (!result) return refuse(result.error().message);
  return json::object();
}

const std::string& text(const json& arguments, const char* name) {
  return arguments[name].get_ref<const std::string&>();
}

json qmp_version() {
  return {{"qemu", {{"major", 0}, {"minor", 1}, {"micro", 0}}}, {"package", "minivmm " MINIVMM_VERSION}};
}

std::string QmpSession::greeting() {
  return line_of({{"QMP", {{"version", qmp_version()}, {"capabilities", json::array()}}}});
}

bool QmpSession::receive(std::string_view bytes) {
  if (framer_.feed(bytes, [this](std::string_view object) { execute(object); })) return true;
  output_.send(line_of(error_object({.description = "JSON token size or nesting limit exceeded"})));
  return false;
}

void QmpSession::execute(std::string_view text) {
  const auto request = json::parse(text, nullptr, false);
  if (request.is_discarded() || !request.is_object()) {
    const auto* problem =
        request.is_discarded() ? "JSON parse error, this is no JSON" : "QMP input must be a JSON object";
    output_.send(line_of(error_object({.description = problem})));
    return;
  }
  const auto result = dispatch(request);
  auto reply = result ? json{{"return", *result}} : error_object(result.error());
  if (request.contains("id")) reply["id"] = request["id"];
  output_.send(line_of(reply));
}

QmpResult QmpSession::dispatch(const json& request) {
  for (const auto& [key, value] : request.items()) {
    if (key == "execute" && !value.is_string()) return refuse("QMP input member 'execute' must be a string");
    if (key == "arguments" && !value.is_object()) return refuse("QMP input member 'arguments' must be an object");
    if (key != "execute" && key != "arguments" && key != "id") {
      return refuse(fmt::format("QMP input member '{}' is unexpected", key));
    }
  }
  if (!request.contains("execute")) return refuse("QMP input lacks member 'execute'");
  const auto name = request["execute"].get<std::string>();
  const auto command = std::ranges::find(qmp_commands(), name, &QmpCommand::name);
  const bool is_negotiation = command != qmp_commands().end() && command->run == nullptr;
  if (!negotiated_ && !is_negotiation) {
    return refuse("Expecting capabilities negotiation with 'qmp_capabilities'", kCommandNotFound);
  }
  if (negotiated_ && is_negotiation) {
    return refuse("Capabilities negotiation is already complete, command ignored", kCommandNotFound);
  }
  if (command == qmp_commands().end()) {
    return refuse(fmt::format("The command {} has not been found", name), kCommandNotFound);
  }
  const auto arguments = request.value("arguments", json::object());
  if (auto wrong = complaint(*command->arguments, arguments)) return refuse(std::move(*wrong));
  return is_negotiation ? negotiate(arguments) : command->run(context_, arguments);
}

QmpResult QmpSession::negotiate(const json& arguments) {
  // None is offered.
  if (arguments.contains("enable") && !arguments["enable"].empty()) {
    return refuse(fmt::format("Capability '{}' is not available", arguments["enable"][0].get<std::string>()));
  }
  negotiated_ = true;
  return json::object();
}

void QmpSession::notify(const machine::Event& event) {
  if (!negotiated_) return;
  const auto described = std::ranges::find(qmp_events(), event.kind, &QmpEvent::kind);
  if (described == qmp_events().end()) return;
  json object{{"timestamp", timestamp()}, {"event", described->name}};
  if (auto data = described->describe(event); !data.is_null()) object["data"] = std::move(data);
  output_.send(line_of(object));
}

}  // namespace vmm::control
