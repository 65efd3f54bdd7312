// Bit fields, alignment and checked arithmetic.
#pragma once

#include <bit>
#include <concepts>
#include <cstdint>
#include <optional>

namespace core::inline base {

// Bits [low, low+count) of value.
template <std::unsigned_integral T>
constexpr T bits(T value, unsigned low, unsigned count) {
  return static_cast<T>((value >> low) & ((count >= 8 * sizeof(T)) ? ~T{0} : static_cast<T>((T{1} << count) - 1)));
}

template <std::unsigned_integral T>
constexpr bool bit(T value, unsigned index) {
  return ((value >> index) & 1) != 0;
}

template <std::unsigned_integral T>
constexpr T with_bit(T value, unsigned index, bool on) {
  const T mask = static_cast<T>(T{1} << index);
  return static_cast<T>(on ? (value | mask) : (value & static_cast<T>(~mask)));
}

// An all-ones value `bytes` wide (1..8): what a bus without a responder reads as.
constexpr std::uint64_t all_ones(unsigned bytes) {
  return bytes >= 8 ? ~std::uint64_t{0} : (std::uint64_t{1} << (8 * bytes)) - 1;
}

template <std::unsigned_integral T>
constexpr T align_down(T value, T alignment) {
  return static_cast<T>(value & static_cast<T>(~(alignment - 1)));
}

template <std::unsigned_integral T>
constexpr T align_up(T value, T alignment) {
  return align_down(static_cast<T>(value + alignment - 1), alignment);
}

template <std::unsigned_integral T>
constexpr std::optional<T> checked_add(T a, T b) {
  T sum{};
  if (__builtin_add_overflow(a, b, &sum)) return std::nullopt;
  return sum;
}

template <std::unsigned_integral T>
constexpr std::optional<T> checked_mul(T a, T b) {
  T product{};
  if (__builtin_mul_overflow(a, b, &product)) return std::nullopt;
  return product;
}

// Whether [offset, offset+length) lies in [0, size), without wrap-around.
template <std::unsigned_integral T>
constexpr bool range_inside(T offset, T length, T size) {
  return offset <= size && length <= size - offset;
}

}  // namespace core::inline base
