#include "spice/image/image_encoder.h"

#include <cstring>
#include <utility>

#include "core/base/assert.h"

namespace spice::image {
namespace {

using wire::BitmapFormat;

codec::QuicType quic_type(BitmapFormat format) {
  switch (format) {
    case BitmapFormat::Rgb16: return codec::QuicType::Rgb16;
    case BitmapFormat::Rgb24: return codec::QuicType::Rgb24;
    case BitmapFormat::Rgba: return codec::QuicType::Rgba;
    default: return codec::QuicType::Rgb32;
  }
}

codec::JpegFormat jpeg_format(BitmapFormat format) {
  switch (format) {
    case BitmapFormat::Rgb16: return codec::JpegFormat::Rgb16;
    case BitmapFormat::Rgb24: return codec::JpegFormat::Rgb24;
    default: return codec::JpegFormat::Rgb32;
  }
}

// LZ has the same numbers for formats but for the last two.
codec::LzType lz_type(BitmapFormat format) {
  return format == BitmapFormat::Alpha8 ? codec::LzType::A8 : static_cast<codec::LzType>(format);
}

}  // namespace

codec::LzImage lz_image(const StoredPixels& pixels) {
  return {lz_type(pixels.format), pixels.width, pixels.height, pixels.rows, pixels.stride, pixels.top_down};
}

ImageEncoder::Scratch& ImageEncoder::scratch() {
  if (scratch_ == nullptr) scratch_ = std::make_unique<Scratch>();
  return *scratch_;
}

Encoded ImageEncoder::encode(const ImageSource& source, Method method, const std::optional<ImageKey>& key) {
  if (key) {
    if (auto known = shared_.find(*key, method)) return *std::move(known);
  }
  std::optional<Encoded> result;
  if (method != Method::Raw) {
    // Whatever does not fit where its raw rows would is not worth sending.
    const auto out = buffers_.buffer(source.pixels().bytes());
    result = compressed(source.pixels(), method, out);
  }
  if (!result) result = raw(source);
  if (key) shared_.add(*key, method, *result);
  return *std::move(result);
}

std::optional<Encoded> ImageEncoder::compressed(const StoredPixels& pixels, Method method,
                                                std::span<std::uint8_t> out) {
  if (method == Method::Jpeg) {
    const auto size = jpeg(pixels, out);
    if (!size) return {};
    return Encoded{
        .method = method, .data = buffers_.take(size->total), .jpeg_bytes = static_cast<std::uint32_t>(size->jpeg)};
  }
  const auto bytes = method == Method::Quic  ? quic(pixels, out)
                     : method == Method::Lz4 ? lz4(pixels, out)
                                             : lz(pixels, out);
  if (!bytes) return {};
  return Encoded{.method = method, .data = buffers_.take(*bytes)};
}

Encoded ImageEncoder::raw(const ImageSource& source) {
  const auto& pixels = source.pixels();
  if (const auto& guest = source.guest_rows()) {
    const auto& bitmap = std::get<core::Bitmap>(guest->content);
    const auto bytes = std::span(bitmap.data).first(std::size_t{bitmap.stride} * bitmap.height);
    return {.method = Method::Raw, .data = wire::Payload(guest, bytes), .stride = bitmap.stride};
  }
  constexpr std::size_t kAlign = 4;
  const auto row_bytes = pixels.row_bytes();
  const auto stride = (row_bytes + kAlign - 1) / kAlign * kAlign;
  const auto bytes = stride * pixels.height;
  auto* out = buffers_.buffer(bytes).data();
  for (std::uint32_t y = 0; y < pixels.height; ++y, out += stride) {
    std::memcpy(out, pixels.row(y), row_bytes);
    std::memset(out + row_bytes, 0, stride - row_bytes);
  }
  return {.method = Method::Raw, .data = buffers_.take(bytes), .stride = static_cast<std::uint32_t>(stride)};
}

std::optional<std::size_t> ImageEncoder::quic(const StoredPixels& pixels, std::span<std::uint8_t> out) {
  const codec::QuicImage image{quic_type(pixels.format), pixels.width, pixels.height, pixels.top_row(),
                               pixels.stride_down()};
  return codec::quic_encode(image, out, scratch().quic);
}

std::optional<std::size_t> ImageEncoder::lz(const StoredPixels& pixels, std::span<std::uint8_t> out) {
  return codec::lz_encode(lz_image(pixels), out, scratch().lz);
}

std::optional<std::size_t> ImageEncoder::lz4(const StoredPixels& pixels, std::span<std::uint8_t> out) {
  const codec::Lz4Image image{static_cast<codec::Lz4Format>(pixels.format),
                              pixels.width,
                              pixels.height,
                              pixels.rows,
                              pixels.stride,
                              pixels.top_down};
  return codec::lz4_encode(image, out, scratch().lz4);
}

std::optional<codec::JpegAlphaSize> ImageEncoder::jpeg(const StoredPixels& pixels, std::span<std::uint8_t> out) {
  const codec::JpegImage image{jpeg_format(pixels.format), pixels.width, pixels.height, pixels.top_row(),
                               pixels.stride_down()};
  auto& memory = scratch();
  if (pixels.format == BitmapFormat::Rgba)
    return codec::jpeg_alpha_encode(image, codec::kJpegQuality, pixels.top_down, out, memory.jpeg, memory.lz);
  const auto bytes = codec::jpeg_encode(image, codec::kJpegQuality, out, memory.jpeg);
  if (!bytes) return {};
  return codec::JpegAlphaSize{*bytes, *bytes};
}

Encoded ImageEncoder::encode(const ImageSource& source, codec::GlzDictionary& dictionary, bool zlib) {
  const auto image = lz_image(source.pixels());
  const auto encoded =
      dictionary.encode(image, buffers_.buffer(codec::glz_max_bytes(image.type, image.width, image.height)));
  MV_ASSERT(encoded.has_value(), "the dictionary was asked whether it takes the image");
  Encoded glz{.method = Method::Glz, .data = buffers_.take(encoded->size)};
  if (!zlib || encoded->size < codec::kZlibGlzLeastBytes) return glz;
  const auto packed = scratch().zlib.encode(glz.data.bytes(), buffers_.buffer(encoded->size));
  if (!packed) return glz;
  return {.method = Method::ZlibGlz,
          .data = buffers_.take(*packed),
          .glz_bytes = static_cast<std::uint32_t>(encoded->size)};
}

void ImageEncoder::trim() {
  shared_.clear();
  buffers_.trim();
  scratch_.reset();
}

}  // namespace spice::image
