// Turns a message into a readable line: name=value, nested objects in braces, long payloads by their size.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <type_traits>
#include <variant>
#include <vector>

#include "spice/wire/payload.h"
#include "spice/wire/scalar.h"

namespace spice::wire {

class Printer {
 public:
  static constexpr bool kReads = false;

  const std::string& text() const { return text_; }

  template <Scalar T>
  void value(const char* name, const T& field) {
    if constexpr (std::is_signed_v<T>) {
      put(name, std::to_string(field));
    } else {
      put(name, std::to_string(static_cast<CarrierOf<T>>(field)));
    }
  }
  template <Scalar T, std::size_t N>
  void fixed(const char* name, const std::array<T, N>& field) {
    open(name, '[');
    for (const auto& element : field)
      value("", element);
    close(']');
  }
  template <class T>
  void object(const char* name, T& field) {
    open(name, '{');
    field.wire(*this);
    close('}');
  }
  template <class T>
  void count8(const char*, const std::vector<T>&) {}
  template <class T>
  void count16(const char*, const std::vector<T>&) {}
  template <class T>
  void count32(const char*, const std::vector<T>&) {}
  template <class T>
  void elements(const char* name, std::vector<T>& elements) {
    open(name, '[');
    for (auto& element : elements) {
      if constexpr (Scalar<T>) {
        value("", element);
      } else {
        object("", element);
      }
    }
    close(']');
  }
  template <class T>
  void array8(const char* name, std::vector<T>& list) {
    elements(name, list);
  }
  template <class T>
  void array16(const char* name, std::vector<T>& list) {
    elements(name, list);
  }
  template <class T>
  void array32(const char* name, std::vector<T>& list) {
    elements(name, list);
  }
  void rest(const char* name, const Payload& field) { bytes(name, field); }
  void payload32(const char* name, const Payload& field) { bytes(name, field); }
  void payload(const char* name, const Payload& field, std::uint64_t) { bytes(name, field); }
  void text32(const char* name, const std::string& field);
  void text32_bare(const char* name, const std::string& field) { text32(name, field); }
  template <class T>
  void pointer(const char* name, std::optional<T>& target) {
    if (target) {
      object(name, *target);
    } else {
      put(name, "none");
    }
  }
  template <class T>
  void reference(const char* name, T& target) {
    object(name, target);
  }
  template <class... Ts>
  void choice(const char* name, std::variant<Ts...>& field, std::size_t) {
    std::visit([this, name](auto& alternative) { this->object(name, alternative); }, field);
  }
  void jump(const char*, bool) {}

 private:
  void put(const char* name, const std::string& what);
  void open(const char* name, char bracket);
  void close(char bracket) { text_ += bracket; }
  void bytes(const char* name, const Payload& field);

  std::string text_;
};

}  // namespace spice::wire
