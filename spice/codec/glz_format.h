// What GLZ's encoder and decoder have in common.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>

#include "spice/codec/lz_units.h"

namespace spice::codec::glz {

constexpr unsigned kTopDownBit = 4;  // in the byte of the type
constexpr std::uint32_t kShortPositions = 1 << 12;
constexpr std::uint32_t kFarPositions = 1 << 17;  // positions from here on have a byte more
constexpr std::uint32_t kShortImages = 1 << 6;
constexpr std::uint64_t kMaxImageDistance = (1 << 24) - 1;

// The kinds of pass. Pixel: as it lies in the encoder's memory; mask: the bits that take part. literal: bytes in the
// stream. bias: a match of n pixels is coded as n - bias. least: the shortest match worth coding at all.
struct Rgb16Pass {
  using Pixel = std::uint16_t;
  static constexpr std::uint32_t mask = 0xffffffff;
  static constexpr std::size_t literal = 2;
  static constexpr std::uint32_t bias = 1;
  static constexpr std::uint32_t least = 2;
};
struct RgbPass {
  using Pixel = std::uint32_t;
  static constexpr std::uint32_t mask = 0xffffffff;
  static constexpr std::size_t literal = 3;
  static constexpr std::uint32_t bias = 0;
  static constexpr std::uint32_t least = 2;
};
struct RgbaColourPass : RgbPass {
  static constexpr std::uint32_t mask = 0x00ffffff;
};
struct AlphaPass {
  using Pixel = std::uint32_t;
  static constexpr std::uint32_t mask = 0xff000000;
  static constexpr std::size_t literal = 1;
  static constexpr std::uint32_t bias = 2;
  static constexpr std::uint32_t least = 4;
};

// Bytes that a number takes, 0 for 0.
constexpr unsigned bytes_of(std::uint32_t number) {
  return (static_cast<unsigned>(std::bit_width(number)) + 7) / 8;
}

}  // namespace spice::codec::glz
