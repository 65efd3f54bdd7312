// Numbers that look random and depend on the seed only (splitmix64).
#pragma once

#include <array>
#include <cstdint>

namespace vmm::cpu::soft::differential {

class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}
  std::uint64_t next() {
    std::uint64_t z = state_ += 0x9e3779b97f4a7c15;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
    z = (z ^ z >> 27) * 0x94d049bb133111eb;
    return z ^ z >> 31;
  }
  unsigned below(unsigned bound) { return static_cast<unsigned>((next() >> 32) * bound >> 32); }
  bool one_in(unsigned n) { return below(n) == 0; }
  template <class T, std::size_t kSize>
  T pick(const std::array<T, kSize>& choices) {
    return choices[below(kSize)];
  }
  // All sizes, and the edges of them.
  std::uint64_t interesting() {
    const std::uint64_t value = next();
    const unsigned shift = below(64);
    switch (below(8)) {
      case 0: return std::uint64_t{1} << shift;
      case 1: return (std::uint64_t{1} << shift) - 1;
      case 2: return ~std::uint64_t{0} << shift;
      case 3: return value >> shift;
      case 4: return pick(kEdges);
      case 5: return pick(kEdges) << 32 | (value & 0xffffffff);
      default: return value;
    }
  }

 private:
  static constexpr std::array<std::uint64_t, 14> kEdges{0,
                                                        1,
                                                        ~std::uint64_t{0},
                                                        0x7f,
                                                        0x80,
                                                        0xff,
                                                        0x7fff,
                                                        0x8000,
                                                        0xffff,
                                                        0x7fffffff,
                                                        0x80000000,
                                                        0xffffffff,
                                                        0x7fffffffffffffff,
                                                        0x8000000000000000};
  std::uint64_t state_;
};

}  // namespace vmm::cpu::soft::differential
