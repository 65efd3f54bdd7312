#include "spice/image/method.h"

#include "spice/image/graduality.h"

namespace spice::image {
namespace {

using wire::ImageCompression;

constexpr std::size_t kLeastBytes = 54;  // less is not worth trying
constexpr std::uint32_t kLeastQuicSide = 3;

bool quic_is_possible(const StoredPixels& pixels) {
  return is_color(pixels.format) && pixels.width >= kLeastQuicSide && pixels.height >= kLeastQuicSide;
}

Method quic_or_jpeg(const Choice& choice) {
  return choice.takes_jpeg ? Method::Jpeg : Method::Quic;
}

Method lz_or_dictionary(const StoredPixels& pixels, const Choice& choice) {
  return choice.is_drawing && choice.takes_dictionary && is_color(pixels.format) ? Method::Glz : Method::Lz;
}

// The reference has no LZ for rows that are longer than their pixels. Ours has, which serves where it would send
// nothing better than raw pixels.
bool wants_quic(const StoredPixels& pixels) {
  return quic_is_possible(pixels) && (pixels.is_padded || graduality(pixels) == Graduality::High);
}

}  // namespace

const char* method_name(Method method) {
  switch (method) {
    case Method::Raw: return "raw";
    case Method::Quic: return "quic";
    case Method::Lz: return "lz";
    case Method::Glz: return "glz";
    case Method::ZlibGlz: return "zlib-glz";
    case Method::Lz4: return "lz4";
    case Method::Jpeg: return "jpeg";
  }
  return "";
}

Method choose_method(const StoredPixels& pixels, const Choice& choice) {
  if (pixels.bytes() < kLeastBytes) return Method::Raw;
  switch (choice.compression) {
    case ImageCompression::Off: return Method::Raw;
    case ImageCompression::Quic: return quic_is_possible(pixels) ? quic_or_jpeg(choice) : Method::Raw;
    case ImageCompression::AutoGlz: return wants_quic(pixels) ? quic_or_jpeg(choice) : lz_or_dictionary(pixels, choice);
    case ImageCompression::AutoLz: return wants_quic(pixels) ? quic_or_jpeg(choice) : Method::Lz;
    case ImageCompression::Glz: return lz_or_dictionary(pixels, choice);
    case ImageCompression::Lz: return Method::Lz;
    case ImageCompression::Lz4: return choice.takes_lz4 && is_color(pixels.format) ? Method::Lz4 : Method::Lz;
  }
  return Method::Raw;
}

}  // namespace spice::image
