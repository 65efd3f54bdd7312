// State description: each saved object names its fields once, in visit(); saving, loading, dumping and comparing are
// visitors over that one description.
//
//   struct PitState {
//     std::array<Channel, 3> channel;
//     std::uint8_t port61 = 0;
//     void visit(core::StateVisitor& v) { v.field("channel", channel); v.field("port61", port61); }
//   };
//
// Fields may be integers, bool, enums, std::array, std::vector (of integers or visitable structs, with a cap) and
// structs with visit(). A stream is a sequence of sections {name, version, length, bytes}; integers are little-endian.
// A loader treats the bytes as if a guest had written them: it is bounded, and each object's state_loaded() validates.
#pragma once

#include <array>
#include <concepts>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "core/base/result.h"

namespace core::inline state {

class StateVisitor {
 public:
  virtual ~StateVisitor() = default;

  // A scalar of `bytes` (1, 2, 4, 8) bytes; a loader changes it.
  virtual void scalar(std::string_view name, std::uint64_t& value, unsigned bytes) = 0;
  // A block of fixed length.
  virtual void block(std::string_view name, std::span<std::uint8_t> bytes) = 0;
  // The length of a counted field; a loader refuses more than `cap`.
  virtual void count(std::string_view name, std::uint64_t& value, std::uint64_t cap) = 0;
  // A nested object; calls come in pairs.
  virtual void enter(std::string_view name) = 0;
  virtual void leave() = 0;

  template <class T>
  void field(std::string_view name, T& value);
  // A vector with at most `cap` elements.
  template <class T>
  void field(std::string_view name, std::vector<T>& values, std::uint64_t cap);
};

// What can be saved. A device is Stateful, so a device without a state description does not compile.
class Stateful {
 public:
  virtual ~Stateful() = default;
  virtual std::string_view state_name() const = 0;  // unique in the machine: "pit", "ide0"
  virtual unsigned state_version() const = 0;
  virtual void visit_state(StateVisitor& visitor) = 0;
  // After a load: validate what the stream said and bring derived state (lines, timers) in step with it.
  virtual Result<> state_loaded() { return {}; }
};

// One section of bytes for each object, in the given order.
std::vector<std::uint8_t> save_state(std::span<Stateful* const> objects);
// Whether a stream has a section of the right version for each object and no other; the objects are not touched.
Result<> check_state(std::span<const std::uint8_t> stream, std::span<Stateful* const> objects);
// All or an error naming the section; every object must be present once with its version, and nothing else. On an
// error the objects are in an undefined but safe state and must be reset.
Result<> load_state(std::span<const std::uint8_t> stream, std::span<Stateful* const> objects);
// Readable text, one "name.path = value" line a field: for tests and the monitor.
std::string dump_state(Stateful& object);
// The lines in which two objects of one type differ; empty if equal.
std::string diff_state(Stateful& a, Stateful& b);

// ---------------------------------------------------------------------------------------------------------------------

template <class T>
concept Visitable = requires(T value, StateVisitor& visitor) { value.visit(visitor); };

template <class T>
void StateVisitor::field(std::string_view name, T& value) {
  if constexpr (std::is_same_v<T, bool>) {
    std::uint64_t wide = value ? 1 : 0;
    scalar(name, wide, 1);
    value = wide != 0;
  } else if constexpr (std::integral<T>) {
    auto wide = static_cast<std::uint64_t>(static_cast<std::make_unsigned_t<T>>(value));
    scalar(name, wide, sizeof(T));
    value = static_cast<T>(wide);
  } else if constexpr (std::is_enum_v<T>) {
    auto raw = static_cast<std::underlying_type_t<T>>(value);
    field(name, raw);
    value = static_cast<T>(raw);
  } else if constexpr (Visitable<T>) {
    enter(name);
    value.visit(*this);
    leave();
  } else if constexpr (requires { std::span<std::uint8_t>(value); }) {
    block(name, std::span<std::uint8_t>(value));
  } else {
    enter(name);
    std::size_t index = 0;
    for (auto& element : value)
      field(std::to_string(index++), element);
    leave();
  }
}

template <class T>
void StateVisitor::field(std::string_view name, std::vector<T>& values, std::uint64_t cap) {
  enter(name);
  std::uint64_t size = values.size();
  count("count", size, cap);
  values.resize(size);
  if constexpr (std::is_same_v<T, std::uint8_t>) {
    block("bytes", std::span<std::uint8_t>(values));
  } else {
    std::size_t index = 0;
    for (auto& element : values)
      field(std::to_string(index++), element);
  }
  leave();
}

}  // namespace core::inline state
