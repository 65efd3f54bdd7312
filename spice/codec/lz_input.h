// What LZ's and GLZ's decoders read from. Not for users of the codecs.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>

#include "spice/codec/lz_units.h"

namespace spice::codec::lz {

// What is left to read. A read past the end gives zeros and is remembered.
class Input {
 public:
  explicit Input(std::span<const std::uint8_t> data) : at_(data.data()), end_(data.data() + data.size()) {}

  std::size_t left() const { return static_cast<std::size_t>(end_ - at_); }
  bool ok() const { return ok_; }
  std::uint32_t byte() {
    if (at_ == end_) {
      ok_ = false;
      return 0;
    }
    return *at_++;
  }
  template <class T>
  T be() {
    if (left() < sizeof(T)) {
      ok_ = false;
      return 0;
    }
    return std::byteswap(load<T>(take(sizeof(T))));
  }
  const std::uint8_t* take(std::size_t bytes) {  // the caller has checked left()
    const auto* from = at_;
    at_ += bytes;
    return from;
  }

 private:
  const std::uint8_t* at_;
  const std::uint8_t* end_;
  bool ok_ = true;
};

}  // namespace spice::codec::lz
