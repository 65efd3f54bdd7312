// What may be a plain value on the wire: integers and enums of fixed size.
#pragma once

#include <concepts>
#include <cstdint>
#include <type_traits>

namespace spice::wire {

template <class T>
concept Scalar = (std::integral<T> && !std::same_as<T, bool>) || std::is_enum_v<T>;

namespace detail {
template <class T>
struct Carrier {
  using type = std::make_unsigned_t<T>;
};
template <class T>
  requires std::is_enum_v<T>
struct Carrier<T> {
  using type = std::make_unsigned_t<std::underlying_type_t<T>>;
};
}  // namespace detail

// The unsigned integer that carries T.
template <Scalar T>
using CarrierOf = typename detail::Carrier<T>::type;

// The least an element of an array takes, for checking counts before allocating.
template <class T>
constexpr std::size_t least_size() {
  if constexpr (Scalar<T>) {
    return sizeof(T);
  } else {
    return T::kLeastSize;
  }
}

}  // namespace spice::wire
