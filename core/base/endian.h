// Integers with their byte order in the type, for structures shared with guests, disks and the wire.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <concepts>
#include <cstdint>
#include <cstring>
#include <span>

namespace core::inline base {

namespace detail {
template <std::unsigned_integral T, std::endian Order>
constexpr T to_order(T value) {
  if constexpr (Order == std::endian::native) {
    return value;
  } else {
    return std::byteswap(value);
  }
}
}  // namespace detail

// An unaligned integer of fixed byte order: reads and assigns like T, lies in memory as the order says.
template <std::unsigned_integral T, std::endian Order>
class Ordered {
 public:
  constexpr Ordered() = default;
  constexpr Ordered(T value) { store(value); }
  constexpr operator T() const { return load(); }
  constexpr Ordered& operator=(T value) {
    store(value);
    return *this;
  }

 private:
  constexpr T load() const { return detail::to_order<T, Order>(std::bit_cast<T>(bytes_)); }
  constexpr void store(T value) { bytes_ = std::bit_cast<Bytes>(detail::to_order<T, Order>(value)); }

  struct Bytes {
    std::uint8_t byte[sizeof(T)];
  };
  Bytes bytes_{};
};

template <std::unsigned_integral T>
using le = Ordered<T, std::endian::little>;
template <std::unsigned_integral T>
using be = Ordered<T, std::endian::big>;

using le16 = le<std::uint16_t>;
using le32 = le<std::uint32_t>;
using le64 = le<std::uint64_t>;
using be16 = be<std::uint16_t>;
using be32 = be<std::uint32_t>;
using be64 = be<std::uint64_t>;

// Loads a T of the given order from the start of `bytes`, which must hold sizeof(T).
template <std::unsigned_integral T>
constexpr T load_le(const std::uint8_t* bytes) {
  std::array<std::uint8_t, sizeof(T)> raw;
  std::copy_n(bytes, raw.size(), raw.begin());
  return detail::to_order<T, std::endian::little>(std::bit_cast<T>(raw));
}

template <std::unsigned_integral T>
constexpr void store_le(std::uint8_t* bytes, T value) {
  const auto raw = std::bit_cast<std::array<std::uint8_t, sizeof(T)>>(detail::to_order<T, std::endian::little>(value));
  std::copy_n(raw.begin(), raw.size(), bytes);
}

}  // namespace core::inline base
