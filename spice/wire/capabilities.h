// A set of capability bits, as words of 32.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <vector>

namespace spice::wire {

class Capabilities {
 public:
  Capabilities() = default;
  Capabilities(std::initializer_list<unsigned> bits) {
    for (const auto bit : bits)
      set(bit);
  }
  explicit Capabilities(std::vector<std::uint32_t> words) : words_(std::move(words)) {}

  bool has(unsigned bit) const { return bit / 32 < words_.size() && ((words_[bit / 32] >> (bit % 32)) & 1) != 0; }
  void set(unsigned bit);
  const std::vector<std::uint32_t>& words() const { return words_; }

 private:
  std::vector<std::uint32_t> words_;
};

}  // namespace spice::wire
