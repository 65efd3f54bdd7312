// The six arithmetic flags, kept as what they derive from: most are overwritten before anyone asks. [SDM 1 3.4.3.1]
//
// An operation stores its sign-extended result and the carries out of its bits; a flag is worked out when it is read.
// Flags that no result can have together (POPF, SAHF) are kept as differences from what the result says.
#pragma once

#include <bit>
#include <cstdint>
#include <type_traits>

namespace vmm::cpu::soft {

constexpr std::uint32_t kCf = 1u << 0, kPf = 1u << 2, kAf = 1u << 4, kZf = 1u << 6, kSf = 1u << 7, kOf = 1u << 11;
constexpr std::uint32_t kArithmeticFlags = kCf | kPf | kAf | kZf | kSf | kOf;

class ArithmeticFlags {
 public:
  // `carries`: bit n is the carry (or borrow) out of bit n.
  template <std::unsigned_integral T>
  void set(T result, T carries) {
    result_ = static_cast<std::uint64_t>(static_cast<std::int64_t>(static_cast<std::make_signed_t<T>>(result)));
    constexpr unsigned shift = 64 - 8 * sizeof(T);
    carries_ = (std::uint64_t{carries} << shift & kTopTwo) | (std::uint64_t{carries} << 32 & kHalfCarry);
  }
  // Answers with the sum, or the difference.
  template <std::unsigned_integral T>
  T add(T a, T b, bool carry = false) {
    if constexpr (sizeof(T) < 8) {
      return set_wide<T>(a, b, std::uint64_t{a} + b + carry);
    } else {
      const T result = a + b + carry;
      set<T>(result, (a & b) | ((a | b) & ~result));
      return result;
    }
  }
  template <std::unsigned_integral T>
  T subtract(T a, T b, bool borrow = false) {
    if constexpr (sizeof(T) < 8) {
      return set_wide<T>(a, b, std::uint64_t{a} - b - borrow);
    } else {
      const T result = a - b - borrow;
      set<T>(result, (~a & b) | (~(a ^ b) & result));
      return result;
    }
  }
  template <std::unsigned_integral T>
  void set_logic(T result) {
    set<T>(result, T{0});
  }

  bool cf() const { return (carries_ >> 63) != 0; }
  bool of() const { return ((carries_ >> 63 ^ carries_ >> 62) & 1) != 0; }
  bool af() const { return (carries_ & kHalfCarry) != 0; }
  bool zf() const { return result_ == 0; }
  bool sf() const { return ((result_ >> 63 ^ carries_) & kSignDifference) != 0; }
  bool pf() const { return (std::popcount(static_cast<std::uint8_t>(result_ ^ carries_ >> 8)) & 1) == 0; }

  // OF is the difference of the top two bits: both change or none.
  void set_cf(bool value) {
    const std::uint64_t change = (carries_ ^ std::uint64_t{value} << 63) & (std::uint64_t{1} << 63);
    carries_ ^= change | change >> 1;
  }
  void set_of(bool value) { assign_carries(cf(), value); }
  // Both at once, for rotates.
  void assign_carries(bool cf, bool of) {
    carries_ = (carries_ & ~kTopTwo) | std::uint64_t{cf} << 63 | std::uint64_t{cf != of} << 62;
  }

  std::uint32_t value() const {
    return (cf() ? kCf : 0) | (pf() ? kPf : 0) | (af() ? kAf : 0) | (zf() ? kZf : 0) | (sf() ? kSf : 0) |
           (of() ? kOf : 0);
  }
  void assign(std::uint32_t flags) {
    result_ = (flags & kZf) != 0 ? 0 : 1;
    // The result's byte has even parity (0) or odd (1); the byte of differences turns that into what was asked for.
    const bool odd = (flags & kPf) == 0;
    const bool result_odd = result_ == 1;
    carries_ = ((flags & kAf) != 0 ? kHalfCarry : 0) | ((flags & kSf) != 0 ? kSignDifference : 0) |
               (odd != result_odd ? kParityDifference : 0);
    assign_carries((flags & kCf) != 0, (flags & kOf) != 0);
  }

 private:
  // Of a sum or difference with room above its top bit. Operands and result say what came into each bit: that went out
  // of the one below.
  template <std::unsigned_integral T>
  T set_wide(T a, T b, std::uint64_t wide) {
    const std::uint64_t into = wide ^ a ^ b;
    result_ = static_cast<std::uint64_t>(static_cast<std::int64_t>(static_cast<std::make_signed_t<T>>(wide)));
    carries_ = into << (63 - 8 * sizeof(T));
    // Bit 4 has come to kHalfCarry with 32 bits; with fewer it is elsewhere, where nothing is read.
    if constexpr (sizeof(T) < 4) carries_ |= into << 31 & kHalfCarry;
    return static_cast<T>(wide);
  }

  static constexpr std::uint64_t kTopTwo = std::uint64_t{3} << 62;
  static constexpr std::uint64_t kHalfCarry = std::uint64_t{1} << 35;
  static constexpr std::uint64_t kSignDifference = 1;
  static constexpr std::uint64_t kParityDifference = 1u << 8;  // bits 8-15: differences from the result's low byte

  std::uint64_t result_ = 1;  // sign-extended: zero, sign and, in its low byte, parity
  // Bits 63 and 62: carry out of the top bit and the one below; bit 35: carry out of bit 3; bits 0 and 8-15:
  // differences; the others are not read.
  std::uint64_t carries_ = 0;
};

}  // namespace vmm::cpu::soft
