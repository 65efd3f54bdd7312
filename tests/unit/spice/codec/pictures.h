// Pictures made by chance, for laws that hold for every picture: flat areas, repeated pieces, slopes and noise.
#pragma once

#include <algorithm>
#include <cstdint>
#include <random>
#include <vector>

namespace pictures {

using Bytes = std::vector<std::uint8_t>;

class Random {
 public:
  explicit Random(unsigned seed) : engine_(seed) {}
  std::uint32_t below(std::uint32_t end) { return static_cast<std::uint32_t>(engine_()) % end; }

 private:
  std::mt19937 engine_;
};

inline Bytes noise(Random& random, std::size_t bytes) {
  Bytes result(bytes);
  for (auto& byte : result)
    byte = static_cast<std::uint8_t>(random.below(256));
  return result;
}

// `rows` of `stride` bytes in a mixture of kinds.
inline Bytes mixture(Random& random, std::size_t stride, std::size_t rows) {
  Bytes result = noise(random, stride * rows);
  const auto kind = random.below(4);
  if (kind == 0) return result;
  const auto step = 1 + random.below(4);
  std::uint8_t value = 0;
  for (std::size_t i = 0; i < result.size(); ++i) {
    if (kind == 1) {  // slopes
      value = static_cast<std::uint8_t>(value + (result[i] % 3) - 1);
      result[i] = value;
    } else if (kind == 2) {  // few values, long repetitions
      if (result[i] < 250 && i >= step) {
        result[i] = result[i - step];
      } else {
        result[i] %= 3;
      }
    } else if (i >= stride && result[i] > 20) {  // like the row above
      result[i] = result[i - stride];
    } else if (i >= 4 && result[i] > 5) {
      result[i] = result[i - 4];
    }
  }
  return result;
}

}  // namespace pictures
