// The types of what QMP takes and answers, as data: arguments are checked against them, and query-qmp-schema tells
// them. [QEMU docs/interop/qmp-spec.rst, docs/devel/qapi-code-gen.rst "Client JSON Protocol introspection"]
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace vmm::control {

struct Type;

struct Member {
  std::string_view name;
  const Type* type = nullptr;
  bool optional = false;
};

// Further members, for one value of the tag.
struct Variant {
  std::string_view when;
  const Type* type = nullptr;
};

struct Type {
  enum class Kind : std::uint8_t { String, Integer, Boolean, Any, Enumeration, Array, Object };
  Kind kind = Kind::Any;
  std::string_view name{};  // arrays have none
  std::span<const std::string_view> values{};
  std::vector<std::string_view> (*listed_values)() = nullptr;  // those of a table elsewhere, instead
  const Type* element = nullptr;
  std::span<const Member> members{};
  std::string_view tag{};  // the member that chooses the variant
  std::span<const Variant> variants{};
};

// As the schema calls it.
std::string name_of(const Type& type);
std::vector<std::string_view> values_of(const Type& enumeration);

// The first thing wrong with `value` as an object of this type, in QEMU's words; nullopt: nothing.
std::optional<std::string> complaint(const Type& type, const nlohmann::json& value);

inline constexpr Type kString{.kind = Type::Kind::String, .name = "str"};
inline constexpr Type kInteger{.kind = Type::Kind::Integer, .name = "int"};
inline constexpr Type kBoolean{.kind = Type::Kind::Boolean, .name = "bool"};
inline constexpr Type kAny{.kind = Type::Kind::Any, .name = "any"};
inline constexpr Type kNothing{.kind = Type::Kind::Object, .name = "q_empty"};

constexpr Type enumeration(std::string_view name, std::span<const std::string_view> values) {
  return {.kind = Type::Kind::Enumeration, .name = name, .values = values};
}
constexpr Type array_of(const Type& element) {
  return {.kind = Type::Kind::Array, .element = &element};
}
constexpr Type object(std::string_view name, std::span<const Member> members) {
  return {.kind = Type::Kind::Object, .name = name, .members = members};
}
constexpr Type tagged(std::string_view name, std::span<const Member> members, std::string_view tag,
                      std::span<const Variant> variants) {
  return {.kind = Type::Kind::Object, .name = name, .members = members, .tag = tag, .variants = variants};
}

}  // namespace vmm::control
