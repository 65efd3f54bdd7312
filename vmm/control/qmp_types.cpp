#include "vmm/control/qmp_types.h"

#include <algorithm>
#include <fmt/format.h>
#include <limits>
#include <nlohmann/json.hpp>

namespace vmm::control {

using nlohmann::json;

namespace {

using Complaint = std::optional<std::string>;

// Where a value stands: "keys[0].data" in full, and "data", or nothing for an element, by itself.
struct Place {
  std::string path;
  std::string_view name;
};

Complaint wrong_type(const Place& place, std::string_view expected) {
  return fmt::format("Invalid parameter type for '{}', expected: {}", place.path, expected);
}

bool fits_integer(const json& value) {
  if (!value.is_number_integer()) return false;
  return !value.is_number_unsigned() || value.get<std::uint64_t>() <= std::numeric_limits<std::int64_t>::max();
}

Complaint check(const Type& type, const json& value, const Place& place);

Complaint check_enumeration(const Type& type, const json& value, const Place& place) {
  if (!value.is_string()) return wrong_type(place, "string");
  const auto& given = value.get_ref<const std::string&>();
  const auto values = values_of(type);
  if (std::ranges::find(values, given) != values.end()) return std::nullopt;
  return fmt::format("Parameter '{}' does not accept value '{}'", place.name.empty() ? "null" : place.name, given);
}

Complaint check_array(const Type& type, const json& value, const Place& place) {
  if (!value.is_array()) return wrong_type(place, "array");
  for (std::size_t i = 0; i < value.size(); ++i) {
    if (auto wrong = check(*type.element, value[i], {fmt::format("{}[{}]", place.path, i), {}})) return wrong;
  }
  return std::nullopt;
}

Complaint check_members(std::span<const Member> members, const json& value, const std::string& prefix) {
  for (const auto& member : members) {
    const auto found = value.find(member.name);
    const Place inner{prefix + std::string(member.name), member.name};
    if (found != value.end()) {
      if (auto wrong = check(*member.type, *found, inner)) return wrong;
    } else if (!member.optional) {
      return fmt::format("Parameter '{}' is missing", inner.path);
    }
  }
  return std::nullopt;
}

// The members that its tag gives an object whose own have been checked.
std::span<const Member> variant_members(const Type& type, const json& value) {
  if (type.tag.empty()) return {};
  const auto tag = value.find(type.tag);
  if (tag == value.end()) return {};
  const auto& given = tag->get_ref<const std::string&>();
  const auto variant = std::ranges::find(type.variants, given, &Variant::when);
  return variant == type.variants.end() ? std::span<const Member>{} : variant->type->members;
}

Complaint check_object(const Type& type, const json& value, const Place& place) {
  if (!value.is_object()) return wrong_type(place, "object");
  const auto prefix = place.path.empty() ? "" : place.path + ".";
  if (auto wrong = check_members(type.members, value, prefix)) return wrong;
  const auto further = variant_members(type, value);
  if (auto wrong = check_members(further, value, prefix)) return wrong;
  for (const auto& [key, ignored] : value.items()) {
    const bool is_known = std::ranges::find(type.members, key, &Member::name) != type.members.end() ||
                          std::ranges::find(further, key, &Member::name) != further.end();
    if (!is_known) return fmt::format("Parameter '{}{}' is unexpected", prefix, key);
  }
  return std::nullopt;
}

Complaint check(const Type& type, const json& value, const Place& place) {
  switch (type.kind) {
    case Type::Kind::Any: return std::nullopt;
    case Type::Kind::String: return value.is_string() ? std::nullopt : wrong_type(place, "string");
    case Type::Kind::Integer: return fits_integer(value) ? std::nullopt : wrong_type(place, "integer");
    case Type::Kind::Boolean: return value.is_boolean() ? std::nullopt : wrong_type(place, "boolean");
    case Type::Kind::Enumeration: return check_enumeration(type, value, place);
    case Type::Kind::Array: return check_array(type, value, place);
    case Type::Kind::Object: return check_object(type, value, place);
  }
  return std::nullopt;
}

}  // namespace

std::string name_of(const Type& type) {
  return type.kind == Type::Kind::Array ? fmt::format("[{}]", name_of(*type.element)) : std::string(type.name);
}

std::vector<std::string_view> values_of(const Type& enumeration) {
  if (enumeration.listed_values != nullptr) return enumeration.listed_values();
  return {enumeration.values.begin(), enumeration.values.end()};
}

std::optional<std::string> complaint(const Type& type, const json& value) {
  return check(type, value, {});
}

}  // namespace vmm::control
