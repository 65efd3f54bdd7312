// QMP over a fake machine: what is refused and how, and that the schema tells the truth about everything else.
#include "vmm/control/qmp.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <unistd.h>

#include "tests/unit/vmm/control/fake_machine.h"
#include "vmm/control/passwords.h"
#include "vmm/control/qmp_api.h"

namespace {

using nlohmann::json;
using testing::ElementsAre;
using testing::HasSubstr;
using namespace vmm::control;

class QmpTest : public testing::Test {
 protected:
  QmpTest() { machine_.serve_spice(); }

  json ask(const std::string& text) {
    output_.take();
    session_.receive(text);
    return json::parse(output_.take());
  }
  void negotiate() { ask(R"({"execute":"qmp_capabilities"})"); }
  json run(const std::string& command, const json& arguments = json::object()) {
    return ask(json{{"execute", command}, {"arguments", arguments}}.dump());
  }
  // "class: text" of an error, or the answer.
  std::string outcome(const std::string& command, const json& arguments = json::object()) {
    return outcome_of(run(command, arguments));
  }
  static std::string outcome_of(const json& reply) {
    if (!reply.contains("error")) return reply["return"].dump();
    return reply["error"]["class"].get<std::string>() + ": " + reply["error"]["desc"].get<std::string>();
  }
  void pass_descriptor() { session_.receive_descriptor(core::Fd(::dup(0))); }

  tests::FakeMachine machine_;
  core::Loop loop_;
  Typist typist_{loop_, machine_.keyboard()};
  Mouse mouse_{machine_.mouse()};
  tests::TextOutput output_;
  QmpSession session_{{machine_, typist_, mouse_}, output_};
};

TEST_F(QmpTest, greeting_has_version_and_capabilities) {
  const auto greeting = json::parse(session_.greeting());
  EXPECT_EQ(complaint(api::kVersionInfo, greeting["QMP"]["version"]), std::nullopt);
  EXPECT_TRUE(greeting["QMP"]["capabilities"].is_array());
}

TEST_F(QmpTest, nothing_goes_before_the_negotiation) {
  for (const char* command : {"query-status", "nonsense"}) {
    EXPECT_EQ(outcome(command), "CommandNotFound: Expecting capabilities negotiation with 'qmp_capabilities'");
  }
  session_.notify({.kind = vmm::machine::EventKind::Stop});
  EXPECT_EQ(output_.take(), "");
  EXPECT_EQ(outcome("qmp_capabilities", {{"enable", {"oob"}}}), "GenericError: Capability 'oob' is not available");
  EXPECT_EQ(outcome("qmp_capabilities", {{"enable", {"nope"}}}),
            "GenericError: Parameter 'null' does not accept value 'nope'");
  EXPECT_EQ(outcome("qmp_capabilities"), "{}");
  EXPECT_EQ(outcome("qmp_capabilities"),
            "CommandNotFound: Capabilities negotiation is already complete, command ignored");
}

TEST_F(QmpTest, requests_that_are_none) {
  negotiate();
  const std::pair<const char*, const char*> cases[] = {
      {"[]", "QMP input must be a JSON object"},
      {"5\n", "QMP input must be a JSON object"},
      {"foo\n", "JSON parse error, this is no JSON"},
      {R"({"execute":"stop",})", "JSON parse error, this is no JSON"},
      {R"({"arguments":{}})", "QMP input lacks member 'execute'"},
      {R"({"execute":1})", "QMP input member 'execute' must be a string"},
      {R"({"execute":"stop","arguments":1})", "QMP input member 'arguments' must be an object"},
      {R"({"execute":"stop","foo":1})", "QMP input member 'foo' is unexpected"},
      {R"({"exec-oob":"stop"})", "QMP input member 'exec-oob' is unexpected"},
  };
  for (const auto& [text, error] : cases)
    EXPECT_EQ(outcome_of(ask(text)), std::string("GenericError: ") + error) << text;
  EXPECT_EQ(outcome("nope"), "CommandNotFound: The command nope has not been found");
  EXPECT_TRUE(machine_.told.empty());
}

TEST_F(QmpTest, any_id_comes_back) {
  negotiate();
  EXPECT_EQ(ask(R"({"execute":"stop","id":{"a":[1]}})").dump(), R"({"id":{"a":[1]},"return":{}})");
  EXPECT_EQ(ask(R"({"execute":"nope","id":null})")["id"], nullptr);
}

TEST_F(QmpTest, deep_nesting_ends_the_session) {
  negotiate();
  EXPECT_FALSE(session_.receive(R"({"execute":"stop","id":)" + std::string(100'000, '[')));
  EXPECT_THAT(output_.take(), HasSubstr("nesting limit"));
}

// In the words of QEMU 7.2.
TEST_F(QmpTest, wrong_arguments) {
  negotiate();
  struct Case {
    const char* command;
    json arguments;
    const char* error;
  };
  const Case cases[] = {
      {"query-status", {{"a", 1}}, "Parameter 'a' is unexpected"},
      {"set_password", json::object(), "Parameter 'protocol' is missing"},
      {"set_password", {{"protocol", "spice"}}, "Parameter 'password' is missing"},
      {"set_password", {{"protocol", 5}, {"password", "x"}}, "Invalid parameter type for 'protocol', expected: string"},
      {"set_password",
       {{"protocol", "spice"}, {"password", 5}},
       "Invalid parameter type for 'password', expected: string"},
      {"set_password", {{"protocol", "nope"}, {"password", "x"}}, "Parameter 'protocol' does not accept value 'nope'"},
      {"set_password",
       {{"protocol", "spice"}, {"password", "x"}, {"connected", "foo"}},
       "Parameter 'connected' does not accept value 'foo'"},
      {"set_password", {{"protocol", "spice"}, {"password", "x"}, {"zip", 5}}, "Parameter 'zip' is unexpected"},
      {"add_client",
       {{"protocol", "spice"}, {"fdname", "x"}, {"skipauth", "x"}},
       "Invalid parameter type for 'skipauth', expected: boolean"},
      {"screendump", {{"filename", "/tmp/x"}, {"format", "bmp"}}, "Parameter 'format' does not accept value 'bmp'"},
      {"screendump", {{"filename", "/tmp/x"}, {"head", 0}}, "'head' must be specified together with 'device'"},
      {"screendump",
       {{"filename", "/tmp/x"}, {"device", "qxl1"}, {"head", 3}, {"pointer", true}},
       "no picture of qxl1 head 3 with its pointer"},
      {"send-key", {{"keys", 5}}, "Invalid parameter type for 'keys', expected: array"},
      {"send-key", {{"keys", {5}}}, "Invalid parameter type for 'keys[0]', expected: object"},
      {"send-key", {{"keys", json::array({{{"type", "qcode"}}})}}, "Parameter 'keys[0].data' is missing"},
      {"send-key",
       {{"keys", json::array({{{"type", "qcode"}, {"data", "nope"}}})}},
       "Parameter 'data' does not accept value 'nope'"},
      {"balloon", {{"value", "x"}}, "Invalid parameter type for 'value', expected: integer"},
      {"balloon", {{"value", 1.5}}, "Invalid parameter type for 'value', expected: integer"},
      {"balloon", {{"value", 18446744073709551615u}}, "Invalid parameter type for 'value', expected: integer"},
  };
  for (const auto& [command, arguments, error] : cases)
    EXPECT_EQ(outcome(command, arguments), std::string("GenericError: ") + error);
  EXPECT_EQ(outcome("balloon", {{"value", 1}}), "DeviceNotActive: No balloon device has been activated");
  EXPECT_EQ(outcome("eject", {{"id", "nope"}}), "DeviceNotFound: Device 'nope' not found");
  EXPECT_TRUE(machine_.told.empty());
}

TEST_F(QmpTest, commands_reach_the_machine) {
  negotiate();
  run("stop");
  run("cont");
  run("eject", {{"id", "ide1-cd0"}, {"force", true}});
  run("blockdev-change-medium", {{"id", "ide1-cd0"}, {"filename", "b.iso"}});
  EXPECT_EQ(outcome("input-send-event",
                    {{"events",
                      {{{"type", "key"}, {"data", {{"key", {{"type", "qcode"}, {"data", "a"}}}, {"down", true}}}},
                       {{"type", "rel"}, {"data", {{"axis", "x"}, {"value", 3}}}},
                       {{"type", "btn"}, {"data", {{"button", "left"}, {"down", true}}}}}}}),
            "{}");
  EXPECT_THAT(machine_.told, ElementsAre("stop", "cont", "eject ide1-cd0 by force", "change ide1-cd0 b.iso", "key 1e+",
                                         "move 3 0 0 1"));
}

TEST_F(QmpTest, pressed_buttons_are_held_until_they_are_released) {
  negotiate();
  const auto button = [this](const char* name, bool down) {
    outcome("input-send-event", {{"events", {{{"type", "btn"}, {"data", {{"button", name}, {"down", down}}}}}}});
  };
  button("left", true);
  outcome("input-send-event", {{"events", {{{"type", "rel"}, {"data", {{"axis", "x"}, {"value", 50}}}}}}});
  button("right", true);
  button("left", false);
  button("wheel-up", true);
  EXPECT_THAT(machine_.told,
              ElementsAre("move 0 0 0 1", "move 50 0 0 1", "move 0 0 0 3", "move 0 0 0 2", "move 0 0 -1 2"));
}

TEST_F(QmpTest, how_pictures_are_sent) {
  negotiate();
  EXPECT_EQ(outcome("set-spice", {{"image-compression", "quic"}, {"jpeg-wan-compression", "never"}}), "{}");
  EXPECT_EQ(outcome("set-spice", {{"streaming-video", "filter"}}), "{}");
  EXPECT_EQ(outcome("query-spice-settings"),
            R"({"image-compression":"quic","jpeg-wan-compression":"never","streaming-video":"filter",)"
            R"("zlib-glz-wan-compression":"auto"})");
  EXPECT_EQ(outcome("set-spice", {{"streaming-video", "all"}, {"image-compression", "zip"}}),
            "GenericError: Parameter 'image-compression' does not accept value 'zip'");
  EXPECT_EQ(machine_.spice_status.pictures.streaming, vmm::config::SpiceStreaming::Filter);
  machine_.spice_status = {};
  EXPECT_EQ(outcome("set-spice", {{"streaming-video", "all"}}), "DeviceNotActive: SPICE is not in use");
  EXPECT_EQ(outcome("query-spice-settings"), "DeviceNotActive: SPICE is not in use");
}

TEST_F(QmpTest, passwords) {
  negotiate();
  EXPECT_EQ(outcome("set_password", {{"protocol", "spice"}, {"password", "x"}}), "{}");
  EXPECT_EQ(outcome("set_password", {{"protocol", "spice"}, {"password", "y"}, {"connected", "disconnect"}}), "{}");
  EXPECT_EQ(outcome("set_password", {{"protocol", "spice"}, {"password", "z"}, {"connected", "fail"}}), "{}");
  EXPECT_EQ(outcome("expire_password", {{"protocol", "spice"}, {"time", "never"}}), "{}");
  EXPECT_EQ(outcome("expire_password", {{"protocol", "spice"}, {"time", "1234567"}}), "{}");
  EXPECT_THAT(outcome("expire_password", {{"protocol", "spice"}, {"time", "soon"}}),
              HasSubstr("GenericError: Could not set password expire time"));
  EXPECT_THAT(machine_.told,
              ElementsAre("password x 0", "password y 1", "password z 2", "expire never", "expire 1234567"));
  machine_.spice_status.auth = "none";
  EXPECT_THAT(outcome("set_password", {{"protocol", "spice"}, {"password", "x"}}),
              HasSubstr("GenericError: Could not set password"));
  machine_.spice_status.enabled = false;
  EXPECT_EQ(outcome("set_password", {{"protocol", "spice"}, {"password", "x"}}),
            "DeviceNotActive: SPICE is not in use");
}

TEST_F(QmpTest, descriptors_have_names_until_they_are_used) {
  negotiate();
  EXPECT_EQ(outcome("getfd", {{"fdname", "x"}}), "GenericError: No file descriptor supplied via SCM_RIGHTS");
  pass_descriptor();
  EXPECT_EQ(outcome("getfd", {{"fdname", "5x"}}),
            "GenericError: Parameter 'fdname' expects a name not starting with a digit");
  pass_descriptor();
  EXPECT_EQ(outcome("getfd", {{"fdname", "x"}}), "{}");
  EXPECT_EQ(outcome("add_client", {{"protocol", "foo"}, {"fdname", "x"}}), "GenericError: protocol 'foo' is invalid");
  EXPECT_EQ(outcome("add_client", {{"protocol", "spice"}, {"fdname", "x"}}),
            "GenericError: File descriptor named 'x' has not been found");
  pass_descriptor();
  run("getfd", {{"fdname", "y"}});
  EXPECT_EQ(outcome("add_client", {{"protocol", "spice"}, {"fdname", "y"}, {"skipauth", true}}), "{}");
  EXPECT_THAT(machine_.told, ElementsAre("client true without ticket"));
  pass_descriptor();
  run("getfd", {{"fdname", "z"}});
  EXPECT_EQ(outcome("closefd", {{"fdname", "z"}}), "{}");
  EXPECT_EQ(outcome("closefd", {{"fdname", "z"}}), "GenericError: File descriptor named 'z' not found");
}

TEST_F(QmpTest, descriptors_have_an_end) {
  negotiate();
  for (std::size_t i = 0; i < PassedDescriptors::kMostNamed; ++i) {
    pass_descriptor();
    EXPECT_EQ(outcome("getfd", {{"fdname", fmt::format("fd{}", i)}}), "{}");
  }
  pass_descriptor();
  EXPECT_THAT(outcome("getfd", {{"fdname", "more"}}), HasSubstr("GenericError"));
  pass_descriptor();
  EXPECT_EQ(outcome("getfd", {{"fdname", "fd0"}}), "{}");
}

// Every command that only asks is asked, and its answer is what the schema says.
TEST_F(QmpTest, answers_have_the_type_that_the_schema_tells) {
  negotiate();
  machine_.has_balloon = true;
  for (const auto& command : qmp_commands()) {
    if (!command.name.starts_with("query-")) continue;
    const auto reply = run(std::string(command.name));
    ASSERT_TRUE(reply.contains("return")) << command.name << reply;
    const Member wrapped[] = {{"answer", command.answer}};
    EXPECT_EQ(complaint(object("wrapped", wrapped), {{"answer", reply["return"]}}), std::nullopt) << command.name;
  }
  machine_.spice_status = {};
  machine_.clients.clear();
  EXPECT_EQ(complaint(api::kSpice, run("query-spice")["return"]), std::nullopt);
}

TEST_F(QmpTest, events_have_the_type_that_the_schema_tells) {
  negotiate();
  for (const auto& event : qmp_events()) {
    vmm::machine::Event happened{.kind = event.kind};
    happened.client = happened.server = {"::1", "1", "ipv6"};
    happened.reason = event.data == &api::kPanicArg || event.data == &api::kCrashLoadedArg ? "run" : "host-signal";
    session_.notify(happened);
    const auto told = json::parse(output_.take());
    EXPECT_EQ(told["event"], event.name);
    EXPECT_TRUE(told["timestamp"]["microseconds"].is_number_integer());
    EXPECT_EQ(told.contains("data"), event.data != &kNothing) << event.name;
    EXPECT_EQ(complaint(*event.data, told.value("data", json::object())), std::nullopt) << event.name;
  }
}

// The types that an entity of the schema names.
std::vector<json> references_of(const json& entity) {
  std::vector<json> names;
  for (const char* key : {"arg-type", "ret-type", "element-type"}) {
    if (entity.contains(key)) names.push_back(entity[key]);
  }
  for (const char* list : {"members", "variants"}) {
    for (const auto& item : entity.value(list, json::array())) {
      if (item.contains("type")) names.push_back(item["type"]);
    }
  }
  return names;
}

TEST_F(QmpTest, schema_refers_only_to_what_it_tells) {
  negotiate();
  const auto schema = run("query-qmp-schema")["return"];
  std::map<std::string, json> entities;
  for (const auto& entity : schema) {
    EXPECT_TRUE(entities.emplace(entity["name"].get<std::string>(), entity).second) << entity;
  }
  const auto is_type = [&](const json& name) {
    const auto found = entities.find(name.get<std::string>());
    return found != entities.end() && found->second["meta-type"] != "command" && found->second["meta-type"] != "event";
  };
  for (const auto& entity : schema) {
    for (const auto& name : references_of(entity))
      EXPECT_TRUE(is_type(name)) << entity;
  }
  const auto commands = run("query-commands");
  for (const auto& command : commands["return"])
    EXPECT_EQ(entities[command["name"].get<std::string>()]["meta-type"], "command");
}

TEST(Expiry, times) {
  const std::chrono::sys_seconds now{std::chrono::seconds(1000)};
  const auto at = [&](std::string_view text) {
    const auto parsed = parse_expiry(text, now);
    return parsed && *parsed ? (*parsed)->time_since_epoch().count() : -1;
  };
  EXPECT_EQ(at("now"), 1000);
  EXPECT_EQ(at("+20"), 1020);
  EXPECT_EQ(at("5000"), 5000);
  EXPECT_TRUE(parse_expiry("never", now).has_value());
  EXPECT_EQ(*parse_expiry("never", now), std::nullopt);
  EXPECT_GT(at("99999999999999999999999"), 1'000'000'000'000);
  for (const char* text : {"", "+", "-5", "abc", "+1x", "1 "})
    EXPECT_FALSE(parse_expiry(text, now).has_value()) << text;
}

}  // namespace
