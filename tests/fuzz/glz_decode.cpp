// A GLZ window over a hostile sequence: each image is preceded by its size in two bytes, the lower first.
#include <algorithm>
#include <span>

#include "spice/codec/glz.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace spice::codec;
  constexpr std::uint64_t kMaxPixels = std::uint64_t{1} << 18;
  GlzWindow window(kMaxPixels);
  std::span rest(data, size);
  while (rest.size() > 2) {
    const auto bytes = std::min<std::size_t>(rest[0] | std::size_t{rest[1]} << 8, rest.size() - 2);
    (void)window.decode(rest.subspan(2, bytes));
    rest = rest.subspan(2 + bytes);
  }
  return 0;
}
