// query-qmp-schema: the tables of commands and events, and every type they lead to.
#include <nlohmann/json.hpp>
#include <set>

#include "vmm/control/qmp.h"

namespace vmm::control {

using nlohmann::json;

namespace {

class Schema {
 public:
  void add_command(const QmpCommand& command) {
    entities_.push_back({{"name", command.name},
                         {"meta-type", "command"},
                         {"arg-type", reference(*command.arguments)},
                         {"ret-type", reference(*command.answer)}});
  }
  void add_event(const QmpEvent& event) {
    entities_.push_back({{"name", event.name}, {"meta-type", "event"}, {"arg-type", reference(*event.data)}});
  }
  json take() { return std::move(entities_); }

 private:
  // The type's name; the type itself is told, too.
  std::string reference(const Type& type) {
    auto name = name_of(type);
    if (told_.insert(name).second) {
      auto entity = describe(type);
      entity["name"] = name;
      entities_.push_back(std::move(entity));
    }
    return name;
  }

  json describe(const Type& type) {
    switch (type.kind) {
      case Type::Kind::String: return {{"meta-type", "builtin"}, {"json-type", "string"}};
      case Type::Kind::Integer: return {{"meta-type", "builtin"}, {"json-type", "int"}};
      case Type::Kind::Boolean: return {{"meta-type", "builtin"}, {"json-type", "boolean"}};
      case Type::Kind::Any: return {{"meta-type", "builtin"}, {"json-type", "value"}};
      case Type::Kind::Array: return {{"meta-type", "array"}, {"element-type", reference(*type.element)}};
      case Type::Kind::Enumeration: return describe_enumeration(type);
      case Type::Kind::Object: return describe_object(type);
    }
    return {};
  }

  static json describe_enumeration(const Type& type) {
    json entity{{"meta-type", "enum"}, {"members", json::array()}, {"values", values_of(type)}};
    for (const auto value : values_of(type))
      entity["members"].push_back({{"name", value}});
    return entity;
  }

  json describe_object(const Type& type) {
    json entity{{"meta-type", "object"}, {"members", json::array()}};
    for (const auto& member : type.members) {
      json description{{"name", member.name}, {"type", reference(*member.type)}};
      if (member.optional) description["default"] = nullptr;
      entity["members"].push_back(std::move(description));
    }
    if (type.tag.empty()) return entity;
    entity["tag"] = type.tag;
    entity["variants"] = json::array();
    for (const auto& variant : type.variants)
      entity["variants"].push_back({{"case", variant.when}, {"type", reference(*variant.type)}});
    return entity;
  }

  std::set<std::string> told_;
  json entities_ = json::array();
};

}  // namespace

json qmp_schema() {
  Schema schema;
  for (const auto& command : qmp_commands())
    schema.add_command(command);
  for (const auto& event : qmp_events())
    schema.add_event(event);
  return schema.take();
}

}  // namespace vmm::control
