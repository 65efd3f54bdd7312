// How many pieces a client may send: each costs a token, and those that are free again are given back in bunches. A
// client that has much to send, of which the guest takes all, gets more of them, in larger bunches: its line is never
// empty then while it waits for some.
#pragma once

#include <cstdint>

namespace spice::agent {

class TokenBank {
 public:
  static constexpr std::uint32_t kAll = 10;
  static constexpr std::uint32_t kBunch = 5;
  static constexpr std::uint32_t kMuch = 64;  // pieces taken, and then the tokens that there are
  static constexpr std::uint32_t kLargeBunch = 32;

  void refill() { *this = {}; }
  // False: the client has none.
  bool spend() {
    if (tokens_ == 0) return false;
    --tokens_;
    return true;
  }
  // `count` are free again: how many to give to the client now, 0 while it is no bunch.
  std::uint32_t refund(std::uint32_t count) {
    free_ += count;
    grow(count);
    if (free_ < (taken_ < kMuch ? kBunch : kLargeBunch)) return 0;
    const auto given = free_;
    tokens_ += given;
    free_ = 0;
    return given;
  }

 private:
  void grow(std::uint32_t count) {
    if (taken_ >= kMuch) return;
    taken_ += count;
    if (taken_ >= kMuch) free_ += kMuch - kAll;
  }

  std::uint32_t tokens_ = kAll;
  std::uint32_t free_ = 0;
  std::uint32_t taken_ = 0;  // pieces, up to kMuch or so
};

}  // namespace spice::agent
