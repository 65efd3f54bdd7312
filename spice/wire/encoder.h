// Writes a message into a Gather. What is pointed to lies behind the fixed part in the order of the pointers, each
// level behind the one that points to it, as the reference server lays it out.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "core/base/assert.h"
#include "core/base/endian.h"
#include "spice/wire/gather.h"
#include "spice/wire/scalar.h"

namespace spice::wire {

class Encoder {
 public:
  static constexpr bool kReads = false;

  // The message and what it points to must live until finish().
  explicit Encoder(Gather& out) : out_(out) {}
  void finish();

  template <Scalar T>
  void value(const char*, const T& field) {
    core::store_le(out_.append(sizeof(T)), static_cast<CarrierOf<T>>(field));
  }
  template <Scalar T, std::size_t N>
  void fixed(const char*, const std::array<T, N>& field) {
    for (const auto& element : field)
      value("", element);
  }
  template <class T>
  void object(const char*, T& field) {
    field.wire(*this);
  }

  template <class T>
  void count8(const char*, const std::vector<T>& elements) {
    put_count<std::uint8_t>(elements.size());
  }
  template <class T>
  void count16(const char*, const std::vector<T>& elements) {
    put_count<std::uint16_t>(elements.size());
  }
  template <class T>
  void count32(const char*, const std::vector<T>& elements) {
    put_count<std::uint32_t>(elements.size());
  }
  template <class T>
  void elements(const char*, std::vector<T>& elements) {
    for (auto& element : elements) {
      if constexpr (Scalar<T>) {
        value("", element);
      } else {
        element.wire(*this);
      }
    }
  }
  template <class T>
  void array8(const char* name, std::vector<T>& list) {
    count8(name, list);
    elements(name, list);
  }
  template <class T>
  void array16(const char* name, std::vector<T>& list) {
    count16(name, list);
    elements(name, list);
  }
  template <class T>
  void array32(const char* name, std::vector<T>& list) {
    count32(name, list);
    elements(name, list);
  }

  void rest(const char*, const Payload& field) { out_.append(field); }
  void payload32(const char*, const Payload& field) {
    put_count<std::uint32_t>(field.size());
    out_.append(field);
  }
  void payload(const char*, const Payload& field, std::uint64_t) { out_.append(field); }
  void text32(const char*, const std::string& field);
  void text32_bare(const char*, const std::string& field);

  template <class T>
  void pointer(const char*, std::optional<T>& target) {
    if (target) {
      postpone(*target);
    } else {
      value("", std::uint32_t{0});
    }
  }
  template <class T>
  void reference(const char*, T& target) {
    postpone(target);
  }
  template <class... Ts>
  void choice(const char*, std::variant<Ts...>& field, std::size_t index) {
    MV_ASSERT(field.index() == index, "the tag of a message we built fits its content");
    std::visit([this](auto& alternative) { alternative.wire(*this); }, field);
  }
  void jump(const char*, bool) { value("", static_cast<std::uint32_t>(out_.size() + 4)); }

 private:
  struct Postponed {
    std::size_t head_position;  // of the offset to fill in
    void* target;
    void (*write)(Encoder&, void*);
  };

  template <class Count>
  void put_count(std::size_t count) {
    MV_ASSERT(count <= static_cast<Count>(-1), "what we send fits the width of its count");
    value("", static_cast<Count>(count));
  }
  template <class T>
  void postpone(T& target) {
    postponed_.push_back(
        {out_.head_size(), &target, [](Encoder& io, void* object) { static_cast<T*>(object)->wire(io); }});
    value("", std::uint32_t{0});
  }

  Gather& out_;
  std::vector<Postponed> postponed_;
};

}  // namespace spice::wire
