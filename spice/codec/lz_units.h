// The kinds of unit an LZ pass is made of; encoder and decoder are templates over them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace spice::codec::lz {

constexpr std::uint32_t kMagic = 0x20205a4c;  // "  ZL"
constexpr std::uint32_t kVersion = 0x00010001;
constexpr std::uint32_t kMaxLiterals = 32;     // in one run
constexpr std::uint32_t kNearDistance = 8191;  // distances below it (less one) take two bytes
constexpr std::uint32_t kFarDistance = kNearDistance + 0xffff;
constexpr std::uint32_t kLengthEscape = 7;  // lengths from here on have extension bytes

template <class T>
T load(const std::uint8_t* from) {
  T value;
  std::memcpy(&value, from, sizeof value);
  return value;
}

// step: bytes from unit to unit in the image. literal: bytes in the stream. bias: a match of n units is coded as
// n - bias. near_minimum, far_minimum: the shortest matches worth coding. mask: the bits of eight image bytes that take
// part in comparisons.
struct ByteUnit {
  static constexpr std::size_t step = 1;
  static constexpr std::size_t literal = 1;
  static constexpr std::uint32_t bias = 2;
  static constexpr std::uint32_t near_minimum = 3;
  static constexpr std::uint32_t far_minimum = 5;
  static constexpr std::uint64_t mask = ~std::uint64_t{0};
  static std::uint32_t key(const std::uint8_t* at) { return *at; }
};

struct Rgb16Unit {
  static constexpr std::size_t step = 2;
  static constexpr std::size_t literal = 2;  // high byte first
  static constexpr std::uint32_t bias = 1;
  static constexpr std::uint32_t near_minimum = 2;
  static constexpr std::uint32_t far_minimum = 3;
  static constexpr std::uint64_t mask = 0x7fff7fff7fff7fff;
  static std::uint32_t key(const std::uint8_t* at) { return load<std::uint16_t>(at) & 0x7fffU; }
};

struct Rgb24Unit {
  static constexpr std::size_t step = 3;
  static constexpr std::size_t literal = 3;
  static constexpr std::uint32_t bias = 0;
  static constexpr std::uint32_t near_minimum = 2;
  static constexpr std::uint32_t far_minimum = 2;
  static constexpr std::uint64_t mask = ~std::uint64_t{0};
  static std::uint32_t key(const std::uint8_t* at) { return load<std::uint16_t>(at) | std::uint32_t{at[2]} << 16; }
};

struct Rgb32Unit {
  static constexpr std::size_t step = 4;
  static constexpr std::size_t literal = 3;
  static constexpr std::uint32_t bias = 0;
  static constexpr std::uint32_t near_minimum = 2;
  static constexpr std::uint32_t far_minimum = 2;
  static constexpr std::uint64_t mask = 0x00ffffff00ffffff;
  static std::uint32_t key(const std::uint8_t* at) { return load<std::uint32_t>(at) & 0xffffffU; }
};

struct AlphaUnit {
  static constexpr std::size_t step = 4;
  static constexpr std::size_t literal = 1;
  static constexpr std::uint32_t bias = 2;
  static constexpr std::uint32_t near_minimum = 3;
  static constexpr std::uint32_t far_minimum = 5;
  static constexpr std::uint64_t mask = 0xff000000ff000000;
  static std::uint32_t key(const std::uint8_t* at) { return at[3]; }
};

}  // namespace spice::codec::lz
