// The LZ4 image decoder over hostile streams; the first two bytes are the width and height.
#include <span>
#include <vector>

#include "spice/codec/lz4.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace spice::codec;
  if (size < 2) return 0;
  const std::uint32_t width = data[0];
  const std::uint32_t height = data[1];
  std::vector<std::uint8_t> image(std::size_t{width} * height * 4);
  (void)lz4_decode(std::span(data, size).subspan(2), width, height, image);
  return 0;
}
