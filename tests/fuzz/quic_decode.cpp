// The QUIC decoder over hostile streams; what decodes is encoded and decoded again.
#include <cstdlib>
#include <vector>

#include "spice/codec/quic.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace spice::codec;
  constexpr std::size_t kMaxImage = std::size_t{1} << 20;  // keeps the fuzzer fast
  const std::span input(data, size);
  const auto header = quic_read_header(input);
  if (!header || header->image_bytes() > kMaxImage) return 0;
  static QuicScratch scratch;
  std::vector<std::uint8_t> image(header->image_bytes());
  if (!quic_decode(input, image, scratch)) return 0;

  // Decoded pixels have four bytes; RGB16's widened components are 24-bit pixels like any others.
  const bool gray = header->type == QuicType::Gray;
  const auto type = gray || header->type == QuicType::Rgba ? header->type : QuicType::Rgb32;
  const QuicImage source{type, header->width, header->height, image.data(),
                         static_cast<std::ptrdiff_t>(header->width * header->pixel_bytes())};
  std::vector<std::uint8_t> encoded(image.size() * 4 + 1024);
  const auto encoded_size = quic_encode(source, encoded, scratch);
  if (!encoded_size) std::abort();
  std::vector<std::uint8_t> again(image.size());
  if (!quic_decode(std::span(encoded).first(*encoded_size), again, scratch) || again != image) std::abort();
  return 0;
}
