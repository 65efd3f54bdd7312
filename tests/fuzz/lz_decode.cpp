// The LZ decoder over hostile streams; what decodes is encoded and decoded again.
#include <cstdlib>
#include <vector>

#include "spice/codec/lz.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace spice::codec;
  constexpr std::size_t kMaxImage = std::size_t{4} << 20;  // keeps the fuzzer fast
  const std::span input(data, size);
  const auto header = lz_read_header(input);
  if (!header || header->image_bytes() > kMaxImage) return 0;
  std::vector<std::uint8_t> image(header->image_bytes());
  if (!lz_decode(input, image)) return 0;

  static LzScratch scratch;
  std::vector<std::uint8_t> encoded(image.size() * 2 + 1024);
  const LzImage source{header->type, header->width, header->height, image.data(), header->stride, header->top_down};
  const auto encoded_size = lz_encode(source, encoded, scratch);
  if (!encoded_size) std::abort();
  std::vector<std::uint8_t> again(image.size());
  const auto decoded = lz_decode(std::span(encoded).first(*encoded_size), again);
  // Bit 15 of RGB16 takes no part in matches.
  if (!decoded || *decoded != *header || (header->type != LzType::Rgb16 && again != image)) std::abort();
  return 0;
}
