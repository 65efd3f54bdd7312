// Counts the bytes that an Encoder would write.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "spice/wire/payload.h"
#include "spice/wire/scalar.h"

namespace spice::wire {

class Sizer {
 public:
  static constexpr bool kReads = false;

  std::size_t size() const { return size_; }

  template <Scalar T>
  void value(const char*, const T&) {
    size_ += sizeof(T);
  }
  template <Scalar T, std::size_t N>
  void fixed(const char*, const std::array<T, N>&) {
    size_ += sizeof(T) * N;
  }
  template <class T>
  void object(const char*, T& field) {
    field.wire(*this);
  }
  template <class T>
  void count8(const char*, const std::vector<T>&) {
    size_ += 1;
  }
  template <class T>
  void count16(const char*, const std::vector<T>&) {
    size_ += 2;
  }
  template <class T>
  void count32(const char*, const std::vector<T>&) {
    size_ += 4;
  }
  template <class T>
  void elements(const char*, std::vector<T>& elements) {
    if constexpr (Scalar<T>) {
      size_ += sizeof(T) * elements.size();
    } else {
      for (auto& element : elements)
        element.wire(*this);
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
  void rest(const char*, const Payload& field) { size_ += field.size(); }
  void payload32(const char*, const Payload& field) { size_ += 4 + field.size(); }
  void payload(const char*, const Payload& field, std::uint64_t) { size_ += field.size(); }
  void text32(const char*, const std::string& field) { size_ += 4 + field.size() + 1; }
  void text32_bare(const char*, const std::string& field) { size_ += 4 + field.size() + 1; }
  template <class T>
  void pointer(const char*, std::optional<T>& target) {
    size_ += 4;
    if (target) target->wire(*this);
  }
  template <class T>
  void reference(const char*, T& target) {
    size_ += 4;
    target.wire(*this);
  }
  template <class... Ts>
  void choice(const char*, std::variant<Ts...>& field, std::size_t) {
    std::visit([this](auto& alternative) { alternative.wire(*this); }, field);
  }
  void jump(const char*, bool) { size_ += 4; }

 private:
  std::size_t size_ = 0;
};

}  // namespace spice::wire
