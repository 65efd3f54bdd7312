// How many pieces a client may send: each costs a token, and those that are free again are given back in bunches.
#pragma once

#include <cstdint>

namespace spice::agent {

class TokenBank {
 public:
  static constexpr std::uint32_t kAll = 10;
  static constexpr std::uint32_t kBunch = 5;

  void refill() {
    tokens_ = kAll;
    free_ = 0;
  }
  // False: the client has none.
  bool spend() {
    if (tokens_ == 0) return false;
    --tokens_;
    return true;
  }
  // `count` are free again: how many to give to the client now, 0 while it is no bunch.
  std::uint32_t refund(std::uint32_t count) {
    free_ += count;
    if (free_ < kBunch) return 0;
    const auto given = free_;
    tokens_ += given;
    free_ = 0;
    return given;
  }

 private:
  std::uint32_t tokens_ = kAll;
  std::uint32_t free_ = 0;
};

}  // namespace spice::agent
