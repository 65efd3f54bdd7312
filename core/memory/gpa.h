// A guest physical address.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>

#include "core/base/bits.h"

namespace core::inline memory {

class Gpa {
 public:
  constexpr Gpa() = default;
  constexpr explicit Gpa(std::uint64_t value) : value_(value) {}
  constexpr std::uint64_t value() const { return value_; }
  constexpr auto operator<=>(const Gpa&) const = default;

  // The address `bytes` further on, unless that wraps around.
  constexpr std::optional<Gpa> checked_add(std::uint64_t bytes) const {
    const auto sum = core::checked_add(value_, bytes);
    return sum ? std::optional(Gpa(*sum)) : std::nullopt;
  }

 private:
  std::uint64_t value_ = 0;
};

}  // namespace core::inline memory
