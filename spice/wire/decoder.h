// Reads a message out of untrusted bytes. Sticky: the first failure poisons it, later reads yield zero, and the caller
// asks ok() once at the end.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "spice/wire/payload.h"
#include "spice/wire/scalar.h"

namespace spice::wire {

class Decoder {
 public:
  static constexpr bool kReads = true;

  explicit Decoder(std::span<const std::uint8_t> message) : message_(message) {}

  bool ok() const { return ok_; }
  std::size_t position() const { return position_; }
  std::size_t remaining() const { return ok_ ? message_.size() - position_ : 0; }
  void poison() { ok_ = false; }

  template <Scalar T>
  void value(const char*, T& field) {
    field = static_cast<T>(static_cast<CarrierOf<T>>(read(sizeof(T))));
  }
  template <Scalar T, std::size_t N>
  void fixed(const char*, std::array<T, N>& field) {
    for (auto& element : field)
      value("", element);
  }
  template <class T>
  void object(const char*, T& field) {
    field.wire(*this);
  }

  template <class T>
  void count8(const char*, std::vector<T>& elements) {
    resize(elements, read(1));
  }
  template <class T>
  void count16(const char*, std::vector<T>& elements) {
    resize(elements, read(2));
  }
  template <class T>
  void count32(const char*, std::vector<T>& elements) {
    resize(elements, read(4));
  }
  template <class T>
  void elements(const char*, std::vector<T>& elements) {
    for (auto& element : elements) {
      if constexpr (Scalar<T>) {
        value("", element);
      } else {
        element.wire(*this);
      }
      if (!ok_) return;
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

  void rest(const char*, Payload& field) { field = take(remaining()); }
  void payload32(const char*, Payload& field) { field = take(read(4)); }
  // Bytes whose length was computed from fields before.
  void payload(const char*, Payload& field, std::uint64_t size) { field = take(size); }
  // u32 length including a NUL, the text, the NUL.
  void text32(const char*, std::string& field);
  // The same with a length that leaves the NUL out.
  void text32_bare(const char*, std::string& field);

  template <class T>
  void pointer(const char*, std::optional<T>& target) {
    target.reset();
    const auto offset = static_cast<std::size_t>(read(4));
    if (ok_ && offset != 0) follow(offset, target.emplace());
  }
  template <class T>
  void reference(const char*, T& target) {
    const auto offset = static_cast<std::size_t>(read(4));
    if (ok_) follow(offset, target);
  }
  // A tagged union: the tag, read before, chooses the alternative by its index.
  template <class... Ts>
  void choice(const char*, std::variant<Ts...>& field, std::size_t index) {
    emplace<0>(field, index);
    std::visit([this](auto& alternative) { alternative.wire(*this); }, field);
  }
  // An offset from which decoding goes on, if anything is `expected` there.
  void jump(const char*, bool expected);

 private:
  static constexpr unsigned kMaxDepth = 4;  // a drawing refers to an image, an image to a palette

  std::uint64_t read(unsigned bytes) {
    if (!ok_ || message_.size() - position_ < bytes) {
      ok_ = false;
      return 0;
    }
    std::uint64_t value = 0;
    for (unsigned i = 0; i < bytes; ++i)
      value |= std::uint64_t{message_[position_ + i]} << (8 * i);
    position_ += bytes;
    return value;
  }
  Payload take(std::uint64_t size);

  template <class T>
  void resize(std::vector<T>& elements, std::uint64_t count) {
    elements.clear();
    if (count * least_size<T>() > remaining()) ok_ = false;
    if (ok_) elements.resize(static_cast<std::size_t>(count));
  }
  template <class T>
  void follow(std::size_t offset, T& target) {
    if (offset < position_ || offset > message_.size() || depth_ == kMaxDepth) {
      ok_ = false;
      return;
    }
    const auto back = std::exchange(position_, offset);
    ++depth_;
    target.wire(*this);
    --depth_;
    position_ = back;
  }
  template <std::size_t I, class... Ts>
  void emplace(std::variant<Ts...>& field, std::size_t index) {
    if constexpr (I < sizeof...(Ts)) {
      if (index == I) {
        field.template emplace<I>();
      } else {
        emplace<I + 1>(field, index);
      }
    } else {
      ok_ = false;
    }
  }

  std::span<const std::uint8_t> message_;
  std::size_t position_ = 0;
  unsigned depth_ = 0;
  bool ok_ = true;
};

}  // namespace spice::wire
