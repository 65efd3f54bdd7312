// The JPEG decoders over hostile files; the first two bytes, the lower first, say where the alpha plane begins.
#include <span>
#include <vector>

#include "spice/codec/jpeg.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace spice::codec;
  constexpr std::size_t kMaxImage = std::size_t{1} << 20;  // keeps the fuzzer fast
  if (size < 2) return 0;
  const std::size_t jpeg_bytes = data[0] | std::size_t{data[1]} << 8;
  const auto input = std::span(data, size).subspan(2);
  static JpegScratch scratch;
  const auto header = jpeg_read_header(input, scratch);
  if (!header || header->image_bytes() > kMaxImage) return 0;
  std::vector<std::uint8_t> image(header->image_bytes());
  (void)jpeg_decode(input, image, scratch);
  (void)jpeg_alpha_decode(input, jpeg_bytes, image, scratch);
  return 0;
}
